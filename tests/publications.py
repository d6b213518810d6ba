"""A publication with every field filled, for tests of DOI metadata and of citations."""

from dataclasses import replace

from catalogue.publication import (
    Contributor,
    Creator,
    Funding,
    Publication,
    PublicationDate,
    PublicationText,
    RelatedIdentifier,
    Subject,
)
from catalogue.record import LicenceRef

PANET_SAXS = "http://purl.org/pan-science/PaNET/PaNET01188"

TEXT = PublicationText(
    title="Grain boundaries in Ti-6Al-4V & their strain",
    abstract="First lines.\n\nAnd <more> of it.",
    creators=(
        Creator(
            family_name="García-Márquez",
            given_name="Ana María",
            orcid="0000-0002-1825-0097",
            affiliation="Example Institute",
            affiliation_ror="https://ror.org/02feahw73",
        ),
        Creator(family_name="李", given_name="明"),
        Creator(name_type="Organizational", name="Strain & Stress Consortium", ror="https://ror.org/05gzmn429"),
    ),
    contributors=(Contributor(family_name="Okafor", given_name="Chidi", role="DataCollector"),),
    fundings=(
        Funding(
            funder_name="European Commission",
            funder_id="https://doi.org/10.13039/501100000780",
            funder_id_type="Crossref Funder ID",
            award_number="823852",
            award_title="PaNOSC",
            award_uri="https://cordis.europa.eu/project/id/823852",
        ),
        Funding(funder_name="Example Foundation", funder_id="https://ror.org/02feahw73", funder_id_type="ROR"),
    ),
    subjects=(
        Subject("small angle x-ray scattering", "PaNET", "http://purl.org/pan-science/PaNET/", PANET_SAXS),
        Subject("titanium"),
    ),
    related=(RelatedIdentifier("10.1234/paper.2026", "DOI", "IsSupplementTo", "JournalArticle"),),
    language="en",
    licence_id="CC-BY-4.0",
)


def a_publication(**changes: object) -> Publication:
    """A collection that is open, with `changes` to its fields."""
    publication = Publication(
        doi="10.5072/faircat.2026.1",
        url="https://faircat.example/doi/10.5072/faircat.2026.1",
        text=TEXT,
        licence=LicenceRef(
            "CC-BY-4.0",
            "Creative Commons Attribution 4.0 International",
            "https://creativecommons.org/licenses/by/4.0/",
        ),
        resource_type_general="Collection",
        resource_type="Collection of datasets",
        publisher_name="Example Light Source",
        publisher_ror="https://ror.org/02550n020",
        publication_year=2026,
        access_rights="open",
        dates=(
            PublicationDate("Collected", "2026-01-31/2026-02-02"),
            PublicationDate("Issued", "2026-03-01"),
            PublicationDate("Available", "2026-03-01", "End of the embargo"),
        ),
        version="2",
        size_bytes=5_368_709_120,
        file_count=1200,
        formats=("application/x-hdf5", "image/tiff"),
        alternate_identifiers=(("Proposal", "20260123"),),
        related=(
            *TEXT.related,
            RelatedIdentifier("10.5072/faircat.2026.0", "DOI", "IsNewVersionOf", "Collection"),
        ),
    )
    return replace(publication, **changes)  # type: ignore[arg-type]
