"""Documents at the edges of what an index must hold: odd characters, extreme numbers, fields left out."""

from search.analysis import title_order
from search.backends.base import Document
from tests.search.corpus import KEY_BITS, NOW, microseconds

FIRST = 5_000_001
ODD_TOKENS = (
    'a+b c:\\data (paren) [bracket] 50% *star* ?mark? tilde~2 caret^3 slash/es "quoted" and or not && || {brace} <tag>'
)
ODD_KEYWORDS = (
    "Ångström & Söhne",
    "O'Brien, Pat",
    'said "yes"',
    "back\\slash",
    "tab\tinside",
    "日本語の試料",
    "α-Fe₂O₃ / SiO₂",
    "100% *sure*?",
    "AND",
    "null",
    "true",
    "0",
    " leading space",
    "https://example.org/a?b=c#d",
    "a" * 300,
    "😀",
)
ODD_PARAMETERS = {
    "vendor/with.dots.inside|V": -1.5,
    "spaces in it|m s-1": 0.0,
    "quoted\"'name|1": 1e-300,
    "Größe µ|1/m": 1e300,
    "back\\slash|K": -1e300,
    "colon:and;semi|1": 0.1,
    "x|": 5e-324,
    "brackets[0]{1}(2)|1": 123456789.123456789,
    "a" * 200 + "|1": 3.0,
}


def _document(number: int, **values: object) -> Document:
    key = FIRST + number
    return {
        "key": str(key),
        "dataset": key,
        "version": 1,
        "document": ["full"],
        "opens_at": microseconds(NOW) - 1_000_000 * number,
        "investigation": 9_000 + number,
        "instrument_key": 99,
        "by_registered": (number + 1) << KEY_BITS | key,
        "by_measured": -(2**63) + key,
        "by_downloads": key,
        "by_title": title_order(f"title {number}", key),
        **values,
    }


def strange_documents() -> list[list[Document]]:
    """One document to a dataset, all of them open."""
    documents = [
        _document(0),
        _document(1, title=ODD_TOKENS, identifiers=ODD_TOKENS),
        _document(2, sample=list(ODD_KEYWORDS), person=["Twice", "Once"]),
        _document(3, parameter=sorted(ODD_PARAMETERS), parameters=ODD_PARAMETERS),
        _document(4, measured_at=-(10**15), year=1938, month=193804, size=0),
        _document(5, measured_at=2**53 - 1, year=2255, month=225506, size=2**62),
        _document(6, title="日本語 試料 αβγ ελληνικά кириллица", abstract="same same same word same same"),
        _document(7, title="word " * 3_000 + "last", rest="x" * 64),
        _document(8, title="one two one two three", abstract="two one", rest="three two one"),
        _document(9, size=-1, registered_at=0),
    ]
    return [[document] for document in documents]
