"""Attributes of a name that DataCite accepts, for tests."""

from typing import Any

LANDING_PAGE = "https://data.example.org/doi/10.5072/abc"


def complete(**changed: Any) -> dict[str, Any]:
    """What is needed to publish, as new objects each time; `changed` replaces or adds attributes."""
    return {
        "creators": [{"name": "Curie, Marie", "givenName": "Marie", "familyName": "Curie", "nameType": "Personal"}],
        "titles": [{"title": "Radioactive substances"}],
        "publisher": {"name": "Institute of Radium"},
        "publicationYear": 2026,
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Dataset"},
        "url": LANDING_PAGE,
    } | changed
