"""The models of the PaNOSC search API: their properties, what each holds, and how they refer to each other. Names only.

From the specification of the API (panosc-eu/search-api). A property that is known there and that this catalogue does not keep
can be asked for and is never there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Holds(StrEnum):
    """What a property holds; QUANTITY is a number or a text, as its JSON type says."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "true or false"
    DATE = "date"
    QUANTITY = "number or text"


@dataclass(frozen=True)
class Model:
    """`relations` lead to the names of other models; `texts` are the properties that the operator `text` looks in."""

    name: str
    properties: Mapping[str, Holds]
    relations: Mapping[str, str]
    texts: tuple[str, ...] = ()


_TEXT, _NUMBER, _BOOLEAN, _DATE = Holds.TEXT, Holds.NUMBER, Holds.BOOLEAN, Holds.DATE

MODELS: Mapping[str, Model] = {
    model.name: model
    for model in (
        Model(
            "Document",
            {
                "pid": _TEXT, "isPublic": _BOOLEAN, "type": _TEXT, "title": _TEXT, "summary": _TEXT, "doi": _TEXT,
                "startDate": _DATE, "endDate": _DATE, "releaseDate": _DATE, "license": _TEXT,
            },
            {"datasets": "Dataset", "members": "Member", "parameters": "Parameter"},
            ("title", "summary"),
        ),
        Model(
            "Dataset",
            {
                "pid": _TEXT, "title": _TEXT, "isPublic": _BOOLEAN, "creationDate": _DATE, "size": _NUMBER,
                "instrumentId": _TEXT,
            },
            {
                "documents": "Document", "techniques": "Technique", "instrument": "Instrument", "files": "File",
                "parameters": "Parameter", "samples": "Sample",
            },
            ("title",),
        ),
        Model(
            "Instrument",
            {"pid": _TEXT, "name": _TEXT, "facility": _TEXT},
            {"datasets": "Dataset"},
            ("name", "facility"),
        ),
        Model("Sample", {"pid": _TEXT, "name": _TEXT, "description": _TEXT}, {}, ("name", "description")),
        Model("Technique", {"pid": _TEXT, "name": _TEXT, "panetId": _TEXT}, {}, ("name",)),
        Model("File", {"id": _TEXT, "name": _TEXT, "path": _TEXT, "size": _NUMBER, "datasetId": _TEXT}, {}, ("name",)),
        Model(
            "Parameter",
            {
                "id": _TEXT, "name": _TEXT, "value": Holds.QUANTITY, "unit": _TEXT, "datasetId": _TEXT,
                "documentId": _TEXT,
            },
            {},
        ),
        Model(
            "Member",
            {"id": _TEXT, "role": _TEXT},
            {"person": "Person", "affiliation": "Affiliation"},
        ),
        Model(
            "Person",
            {
                "id": _TEXT, "fullName": _TEXT, "orcid": _TEXT, "researcherId": _TEXT, "firstName": _TEXT,
                "lastName": _TEXT,
            },
            {},
            ("firstName", "lastName", "fullName"),
        ),
        Model(
            "Affiliation",
            {"id": _TEXT, "name": _TEXT, "address": _TEXT, "city": _TEXT, "country": _TEXT},
            {},
            ("name", "address", "city", "country"),
        ),
    )
}  # fmt: skip
