"""Publications for tests of DOI metadata and of citations: one with every field filled, and any that people may write."""

from dataclasses import replace
from functools import partial

from hypothesis import strategies as st

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
from catalogue.vocabularies import datacite_types as datacite

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


# Any text that is one line and can be seen, in every script, with what XML, BibTeX and RIS give a meaning to.
visible = st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co", "Zl", "Zp"])
lines = st.text(st.one_of(st.sampled_from("<>&\"'{}\\%$#_^~@-–/,;: "), visible), min_size=1, max_size=40).filter(
    str.strip
)
optional_lines = st.one_of(st.just(""), lines)
orcids = st.sampled_from(["", "0000-0002-1825-0097", "0000-0002-1694-233X"])
rors = st.sampled_from(["", "https://ror.org/02feahw73", "https://ror.org/05gzmn429"])
dates = st.dates().map(lambda day: day.isoformat())
addresses = st.sampled_from(["https://example.org/a?b=1&c=%20#d", PANET_SAXS, "https://example.org/粒"])


def _people(kind: type[Creator], **more: st.SearchStrategy) -> st.SearchStrategy:
    persons = st.builds(
        kind,
        family_name=lines,
        given_name=optional_lines,
        orcid=orcids,
        affiliation=lines,
        affiliation_ror=rors,
        **more,
    )
    organisations = st.builds(kind, name_type=st.just("Organizational"), name=lines, ror=rors, **more)
    return st.one_of(persons, organisations)


creators = _people(Creator)
contributors = _people(Contributor, role=st.sampled_from(datacite.CONTRIBUTOR_TYPES))
fundings = st.builds(
    Funding,
    funder_name=lines,
    funder_id=st.just("https://ror.org/02feahw73"),
    funder_id_type=st.sampled_from(["ROR", "Other"]),
    award_number=lines,
    award_title=optional_lines,
    award_uri=st.one_of(st.just(""), addresses),
)
subjects = st.builds(
    Subject, lines, optional_lines, st.one_of(st.just(""), addresses), st.one_of(st.just(""), addresses)
)
related = st.builds(
    RelatedIdentifier,
    st.sampled_from(["10.1234/a", "10.1234/b<c>&d"]),
    st.just("DOI"),
    st.sampled_from(datacite.RELATION_TYPES),
    st.sampled_from(["", *datacite.RESOURCE_TYPES]),
)
few = partial(st.lists, max_size=3)
texts = st.builds(
    PublicationText,
    title=lines,
    abstract=st.one_of(st.just(""), st.lists(lines, max_size=3).map("\n".join)),
    creators=few(creators, min_size=1).map(tuple),
    contributors=few(contributors).map(tuple),
    fundings=few(fundings).map(tuple),
    subjects=few(subjects).map(tuple),
    related=few(related).map(tuple),
    language=st.sampled_from(["", "en", "pt-BR", "zh-Hant-TW"]),
    licence_id=st.sampled_from(["CC-BY-4.0", "CC0-1.0"]),
)
publications = st.builds(
    a_publication,
    text=texts,
    resource_type_general=st.sampled_from(datacite.RESOURCE_TYPES),
    resource_type=optional_lines,
    publisher_name=lines,
    publisher_ror=rors,
    publication_year=st.integers(1900, 2200),
    access_rights=st.sampled_from(["open", "embargoed", "metadata only"]),
    dates=few(st.builds(PublicationDate, st.sampled_from(datacite.DATE_TYPES), dates, optional_lines)).map(tuple),
    version=optional_lines,
    size_bytes=st.integers(0, 2**60),
    file_count=st.integers(0, 2**40),
    formats=few(lines).map(tuple),
    alternate_identifiers=few(st.tuples(lines, lines)).map(tuple),
    related=few(related).map(tuple),
)
