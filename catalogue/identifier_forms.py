"""The forms of identifiers of other things, by DataCite's relatedIdentifierType: checked, and turned into addresses.

Whether something answers there is not asked. ORCID and ROR are in `catalogue/identifiers.py`.
"""

import re
from urllib.parse import quote, urlsplit

from catalogue.identifiers import orcid_check_digit

_NAMES = re.ASCII | re.IGNORECASE
# Sources: doi.org, arXiv's "Understanding the arXiv identifier", ADS bibcodes, RFC 8141 (URN), n2t.net (ARK), IGSN and
# RRID handbooks, softwareheritage.org (SWHID 1), cstr.cn, ISO 21047 (ISTC).
_PATTERNS: dict[str, tuple[re.Pattern[str], str]] = {
    "DOI": (re.compile(r"10\.\d{4,9}(?:\.\d+)*/\S+", _NAMES), "10.1234/abc"),
    "arXiv": (re.compile(r"(?:arXiv:)?(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[a-z]{2})?/\d{7})(?:v\d+)?", _NAMES), "arXiv:2106.01234"),
    "bibcode": (re.compile(r"\d{4}[A-Za-z&.]{5}\S{9}[A-Za-z.:]", re.ASCII), "1974AJ.....79..819H"),
    "ARK": (re.compile(r"(?:https?://\S+/)?ark:/?[0-9a-z]{5,}/\S+", _NAMES), "ark:/13030/tqb3kh97gh8w"),
    "CSTR": (re.compile(r"(?:CSTR:)?\d{5}\.\d{2}\.\S+", _NAMES), "31253.11.sciencedb.00001"),
    "Handle": (re.compile(r"(?:https?://hdl\.handle\.net/|hdl:)?[0-9a-z.]+/\S+", _NAMES), "10013/epic.10033"),
    "IGSN": (re.compile(r"[0-9A-Za-z][0-9A-Za-z./:_-]*", re.ASCII), "10.60510/ICDP5054EX7Z001"),
    "ISTC": (re.compile(r"[0-9A-F]{3}-?\d{4}-?[0-9A-F]{8}-?[0-9A-F]", _NAMES), "0A9-2002-12B4A105-7"),
    "LSID": (re.compile(r"urn:lsid:[^\s:]+:[^\s:]+:\S+", _NAMES), "urn:lsid:ubio.org:namebank:11815"),
    "PMID": (re.compile(r"\d{1,8}", re.ASCII), "12082125"),
    "RRID": (re.compile(r"RRID:\s?\w+[_:]\S+", _NAMES), "RRID:SCR_014641"),
    "SWHID": (re.compile(r"swh:1:(?:cnt|dir|rel|rev|snp):[0-9a-f]{40}(?:;\S+)?", re.ASCII), "swh:1:dir: and 40 digits"),
    "URN": (re.compile(r"urn:[0-9a-z][0-9a-z-]{0,31}:\S+", _NAMES), "urn:nbn:de:101:1-201102033592"),
}  # fmt: skip
_ADDRESSES = {"URL", "PURL", "w3id", "RAiD"}
_RESOLVERS = {
    "DOI": "https://doi.org/",
    "arXiv": "https://arxiv.org/abs/",
    "bibcode": "https://ui.adsabs.harvard.edu/abs/",
    "Handle": "https://hdl.handle.net/",
    "PMID": "https://pubmed.ncbi.nlm.nih.gov/",
    "RRID": "https://scicrunch.org/resolver/",
    "SWHID": "https://archive.softwareheritage.org/",
    "ARK": "https://n2t.net/",
}


def form_problem(identifier_type: str, identifier: str) -> str:
    """What is wrong with the form of an identifier, in words; empty when nothing is, or when the type is not known."""
    if any(character.isspace() for character in identifier.removeprefix("RRID: ")):
        return "An identifier has no spaces."
    if identifier_type in _ADDRESSES:
        return "" if is_web_address(identifier) else "This is not a web address such as https://example.org/paper."
    if identifier_type in _PATTERNS:
        pattern, example = _PATTERNS[identifier_type]
        return "" if pattern.fullmatch(identifier) else f"This is not the form of {identifier_type}, such as {example}."
    if identifier_type in _NUMBERS:
        check, example = _NUMBERS[identifier_type]
        is_right = check(re.sub(r"[-–]", "", identifier).upper())
        return "" if is_right else f"Please check this {identifier_type} for a typing error; one looks like {example}."
    return ""


def is_web_address(text: str) -> bool:
    """Whether the text is an address with http, https or ftp, and a host."""
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname)
    except ValueError:
        return False
    is_plain = not re.search(r"[\s<>\"{}|\\^`\x00-\x20]", text)
    return is_plain and has_host and parts.scheme in ("http", "https", "ftp")


def address_of(identifier_type: str, identifier: str) -> str:
    """Where a person can follow the identifier to; empty when there is no resolver, or the form is wrong."""
    if form_problem(identifier_type, identifier):
        return ""
    if is_web_address(identifier):
        return identifier
    resolver = _RESOLVERS.get(identifier_type)
    bare = re.sub(r"^(?:arxiv:|hdl:)", "", identifier, flags=re.IGNORECASE)
    return resolver + quote(bare, safe="/:;().,=~@+!*'_-") if resolver else ""


def is_isni(text: str) -> bool:
    """16 digits with the check digit of ISO 7064 MOD 11-2, with or without spaces and https://isni.org/isni/."""
    bare = re.sub(r"^https?://(?:www\.)?isni\.org/(?:isni/)?|[ -]", "", text).upper()
    return bool(re.fullmatch(r"\d{15}[\dX]", bare, re.ASCII)) and orcid_check_digit(bare[:15]) == bare[15]


def _is_isbn(text: str) -> bool:
    if re.fullmatch(r"\d{9}[\dX]", text, re.ASCII):
        total = sum(weight * _digit(character) for weight, character in zip(range(10, 0, -1), text, strict=True))
        return total % 11 == 0
    return text[:3] in ("978", "979") and _is_ean(text)


def _is_ean(text: str) -> bool:
    return bool(re.fullmatch(r"\d{13}", text, re.ASCII)) and _has_trade_check(text)


def _is_upc(text: str) -> bool:
    return bool(re.fullmatch(r"\d{12}", text, re.ASCII)) and _has_trade_check(text)


def _has_trade_check(text: str) -> bool:
    """GS1's check digit: weights 1 and 3 from the right."""
    return sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(reversed(text))) % 10 == 0


def _is_issn(text: str) -> bool:
    if not re.fullmatch(r"\d{7}[\dX]", text, re.ASCII):
        return False
    return sum(weight * _digit(character) for weight, character in zip(range(8, 0, -1), text, strict=True)) % 11 == 0


def _digit(character: str) -> int:
    return 10 if character == "X" else int(character)


_NUMBERS = {
    "ISBN": (_is_isbn, "978-3-16-148410-0"),
    "ISSN": (_is_issn, "0028-0836"),
    "EISSN": (_is_issn, "1476-4687"),
    "LISSN": (_is_issn, "0028-0836"),
    "EAN13": (_is_ean, "4006381333931"),
    "UPC": (_is_upc, "123456789012"),
}
