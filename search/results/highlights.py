"""Found words in a masked record's own texts, as HTML with <mark>. Whatever is no mark of ours is escaped."""

from collections.abc import Sequence

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from search.analysis import highlight

SNIPPET = 220
BEFORE = 60
Spans = list[tuple[int, int]]


def marked(text: str, tokens: Sequence[str]) -> SafeString:
    """`text` with the words marked that become one of `tokens`."""
    return _with_marks(text, highlight(text, tokens))


def snippet(text: str, tokens: Sequence[str]) -> SafeString:
    """About two lines of `text`, around the first word that is marked or else from its beginning."""
    text = " ".join(text.split())
    spans = highlight(text, tokens)
    start = _word_start(text, spans[0][0] - BEFORE) if spans and spans[0][0] > SNIPPET - BEFORE else 0
    end = _word_end(text, start + SNIPPET)
    inside = [(low - start, high - start) for low, high in spans if low >= start and high <= end]
    shown = _with_marks(text[start:end], inside)
    ellipses = ("… " if start else "", " …" if end < len(text) else "")
    return mark_safe(f"{ellipses[0]}{shown}{ellipses[1]}")  # noqa: S308 - escaped in _with_marks


def _with_marks(text: str, spans: Spans) -> SafeString:
    pieces, at = [], 0
    for low, high in spans:
        pieces += [escape(text[at:low]), "<mark>", escape(text[low:high]), "</mark>"]
        at = high
    return mark_safe("".join([*pieces, escape(text[at:])]))  # noqa: S308 - each piece is escaped


def _word_start(text: str, place: int) -> int:
    return text.find(" ", place) + 1


def _word_end(text: str, place: int) -> int:
    if place >= len(text):
        return len(text)
    return max(text.rfind(" ", 0, place), place - 30)
