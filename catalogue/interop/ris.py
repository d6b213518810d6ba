"""A publication as a record of RIS, the format of reference managers.

Source: "RIS Format Specifications", Research Information Systems: a tag, two spaces, a hyphen and a space; CRLF; one value a line.
"""

from collections.abc import Iterator

from catalogue.interop.xml_text import without_illegal
from catalogue.publication import Publication


def ris_of(publication: Publication) -> str:
    """One record, each line ended with CRLF, the last of them `ER`."""
    return "".join(f"{tag}  - {_on_one_line(value)}\r\n" for tag, value in _fields(publication))


def _on_one_line(text: str) -> str:
    return " ".join(without_illegal(text).split())


def _fields(publication: Publication) -> Iterator[tuple[str, str]]:
    text = publication.text
    yield "TY", "COMP" if publication.resource_type_general == "Software" else "DATA"
    yield "TI", text.title
    for creator in text.creators:
        yield "AU", creator.inverted_name
    yield "PY", str(publication.publication_year)
    yield "PB", publication.publisher_name
    optional = {
        "ET": publication.version,
        "LA": text.language,
        "AB": text.abstract,
        "DO": publication.doi,
        "UR": publication.doi_url or publication.url,
    }
    yield from ((tag, value) for tag, value in optional.items() if value)
    for subject in text.subjects:
        yield "KW", subject.term
    yield "ER", ""
