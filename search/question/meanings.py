"""What one piece of a typed question means: a word, a phrase, a word with wildcards, or a field with its value, as a clause.

Nothing raises; what does not fit is left out with a note. How pieces are put together is the business of `parsing`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from search.analysis import ELEMENTS, elements, folded_word, identifier, words
from search.clauses import All, AnyOf, Best, Clause, Either, Everything, Glob, Phrase, Prefix, Term, Weighted
from search.question.dates import days_between, parse_days
from search.question.parameters import parse_interval, range_clause, range_for, standard_names_for

Choices = Callable[[str, str], tuple[str, ...]]
"""The values of a facet that somebody may mean by a text, such as the IRIs of techniques called "SEM"; () where unknown."""

TEXT_FIELDS = (("title", 4.0), ("abstract", 2.0), ("rest", 1.0))
EXACT_IDENTIFIER = 8.0
FEWEST_FOR_PREFIX = 2
FEWEST_FOR_GLOB = 3
LONGEST_NOTED = 40
_USUAL_SPELLINGS = {"nexus": "NeXus", "yes": "yes", "no": "no"}
_DOI_RESOLVER = re.compile(r"(?i)^(?:https?://)?(?:(?:dx\.)?doi\.org/|doi:)")
_DOI = re.compile(r"(?i)(?:(?:https?://)?(?:dx\.)?doi\.org/)?10\.\d{4,9}/\S")

# What people may write before the colon, folded: the field that is meant.
FIELDS = {
    **dict.fromkeys(("title",), "title"),
    **dict.fromkeys(("abstract", "description", "text"), "abstract"),
    **dict.fromkeys(("sample", "samples", "material"), "sample"),
    **dict.fromkeys(("person", "people", "pi", "author", "creator", "by", "team", "user"), "person"),
    **dict.fromkeys(("instrument", "beamline", "microscope"), "instrument"),
    **dict.fromkeys(("technique", "method", "techniques"), "technique"),
    **dict.fromkeys(("facility", "institute", "lab"), "facility"),
    **dict.fromkeys(("element", "elements", "contains"), "element"),
    **dict.fromkeys(("formula", "compound", "chemicalformula"), "formula"),
    **dict.fromkeys(("format", "fileformat"), "format"),
    **dict.fromkeys(("licence", "license"), "licence"),
    **dict.fromkeys(("kind",), "kind"),
    **dict.fromkeys(("type",), "type"),
    **dict.fromkeys(("category", "label", "class"), "category"),
    **dict.fromkeys(("verified",), "verified"),
    **dict.fromkeys(("doi",), "doi"),
    **dict.fromkeys(("scale",), "scale"),
    **dict.fromkeys(("proposal", "visit", "id", "identifier", "uid", "file", "filename", "files"), "identifiers"),
    **dict.fromkeys(("date", "measured", "acquired", "taken", "year"), "measured_at"),
    **dict.fromkeys(("registered", "created", "added"), "registered_at"),
    **dict.fromkeys(("has", "parameter"), "parameter"),
}
DATE_FIELDS = ("measured_at", "registered_at")


@dataclass(frozen=True)
class Meaning:
    """A clause, or None where the piece is left out; the tokens to highlight; what to tell the asker."""

    clause: Clause | None
    highlights: tuple[str, ...] = ()
    note: str = ""


def no_choices(facet: str, text: str) -> tuple[str, ...]:
    return ()


def field_called(name: str) -> str:
    """The field, or `p` for the name of a numeric parameter; "" for all other names."""
    field = FIELDS.get(re.sub(r"[\s_.\-]+", "", name).lower(), "")
    return field or ("p" if standard_names_for(name) else "")


def word_meaning(text: str) -> Meaning:
    """One word, however many tokens it has: in any text, or as an id, a number, a file's name or the beginning of one."""
    if "*" in text or "?" in text.rstrip("?"):
        return _wildcard_meaning(text.strip("?") if "*" not in text else text)
    if _DOI.match(text):
        return _identifier_meaning(text)
    tokens = tuple(words(text))
    if not tokens:
        return Meaning(None)
    clauses = [Weighted(_in_text(field, tokens), weight) for field, weight in TEXT_FIELDS]
    return Meaning(Best((*clauses, *_as_identifier(text))), tokens)


def phrase_meaning(text: str) -> Meaning:
    """Words that stand one after the other, or an id as a whole."""
    tokens = tuple(words(text))
    if not tokens:
        return Meaning(None)
    clauses = [Weighted(_in_text(field, tokens), weight) for field, weight in TEXT_FIELDS]
    whole = Weighted(Term("identifiers", identifier(text)), EXACT_IDENTIFIER)
    return Meaning(Best((*clauses, whole)), tokens)


def field_meaning(field: str, value: str, choices: Choices) -> Meaning:
    """`field` as of `field_called`, but neither a date nor a numeric parameter."""
    if field in ("title", "abstract"):
        return _text_field_meaning((field,), value)
    if field == "formula":
        return _text_field_meaning(("title", "abstract"), value)
    if field in ("sample", "person"):
        tokens = tuple(words(value))
        text_field = "abstract" if field == "sample" else "rest"
        in_text = [_in_text(text_field, tokens)] if tokens else []
        return Meaning(Best((*_named(field, _spellings(value)), *in_text)), tokens)
    if field == "element":
        return _element_meaning(value)
    if field == "identifiers" or (field == "doi" and value.lower() not in ("yes", "no")):
        return _identifier_meaning(value)
    if field == "parameter":
        return _existence_meaning(value)
    return _facet_meaning(field, value, choices)


def days_meaning(field: str, value: str) -> Meaning | None:
    """None where `value` is no date."""
    days = parse_days(value)
    return Meaning(days_between(field, *days)) if days else None


def range_meaning(name: str, value: str) -> Meaning | None:
    """A numeric parameter by any of its names; None where `value` is no range. A misfit has a note and no clause."""
    interval = parse_interval(value)
    if interval is None:
        return None
    read = [range_for(one, interval) for one in standard_names_for(name)]
    fitting = [wanted for wanted, _ in read if wanted]
    if not fitting:
        return Meaning(None, note=read[0][1])
    clauses = tuple(range_clause(wanted) for wanted in fitting)
    note = next((note for wanted, note in read if wanted and note), "")
    return Meaning(clauses[0] if len(clauses) == 1 else Either(clauses), note=note)


def _in_text(field: str, tokens: tuple[str, ...]) -> Clause:
    return Term(field, tokens[0]) if len(tokens) == 1 else Phrase(field, tokens)


def _as_identifier(text: str) -> list[Clause]:
    whole = identifier(text)
    length = len(whole.replace("-", ""))
    is_telling = length >= 4 or (length >= 3 and any(character.isdigit() for character in whole))
    exact = Weighted(Term("identifiers", whole), EXACT_IDENTIFIER)
    return [exact, Prefix("identifiers", whole)] if is_telling else [exact]


def _text_field_meaning(fields: tuple[str, ...], value: str) -> Meaning:
    tokens = tuple(words(value))
    if not tokens:
        return Meaning(None)
    return Meaning(Best(tuple(_in_text(field, tokens) for field in fields)), tokens)


def _element_meaning(value: str) -> Meaning:
    """Symbols or a formula of them: all must be there. `ti` and `TI` are titanium too."""
    symbols = elements(value) or elements(value.capitalize())
    if not symbols:
        example = f"{ELEMENTS[21]} or {ELEMENTS[78]}"
        return Meaning(
            None, note=f"“{value[:LONGEST_NOTED]}” is no chemical element such as {example}; it was left out."
        )
    return Meaning(All(tuple(Term("element", symbol) for symbol in symbols)))


def _identifier_meaning(value: str) -> Meaning:
    if "*" in value or "?" in value:
        return Meaning(_identifier_glob(value))
    whole = identifier(_DOI_RESOLVER.sub("", value))
    if not whole:
        return Meaning(None)
    return Meaning(Best((Weighted(Term("identifiers", whole), EXACT_IDENTIFIER), Prefix("identifiers", whole))))


def _existence_meaning(value: str) -> Meaning:
    names = standard_names_for(value) or (value,)
    return Meaning(Either(tuple(Prefix("parameter", f"{name}|") for name in names)))


def _facet_meaning(field: str, value: str, choices: Choices) -> Meaning:
    """The values that are meant or that begin so, and where names are also words of the text, these words."""
    label, _, confidence = value.partition("@")
    meant = choices(field if field != "verified" else "category", label)
    if field == "category" and confidence:
        return _confidence_meaning(meant or tuple(_spellings(label)), confidence)
    clauses: list[Clause] = [AnyOf(field, meant)] if meant else _named(field, _spellings(label))
    tokens = tuple(words(label))
    if field in ("instrument", "technique", "format") and tokens:
        clauses.append(_in_text("rest", tokens))
    return Meaning(clauses[0] if len(clauses) == 1 else Best(tuple(clauses)), tokens)


def _named(field: str, spellings: list[str]) -> list[Clause]:
    """Values with one of these spellings, or that begin with one: TIFF finds "TIFF image"."""
    beginnings = [Prefix(field, text) for text in spellings if len(text) >= FEWEST_FOR_PREFIX]
    return [AnyOf(field, tuple(spellings)), *beginnings]


def _spellings(text: str) -> list[str]:
    usual = _USUAL_SPELLINGS.get(text.lower())
    spellings = (text, text.lower(), text.upper(), text.capitalize(), text.title())
    return [usual] if usual else list(dict.fromkeys(spellings))


def _confidence_meaning(labels: tuple[str, ...], text: str) -> Meaning:
    """`nanowires@80` is 80 % or more."""
    digits = text.strip("%>= ")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 3):
        return Meaning(AnyOf("category", labels), note=f"“{text[:10]}” is no confidence such as 80; it was left out.")
    percents = range(min(int(digits), 100), 101)
    return Meaning(AnyOf("confidence", tuple(f"{label}@{percent:03d}" for label in labels for percent in percents)))


def _wildcard_meaning(text: str) -> Meaning:
    """`nano*`, `*wire`, `nan?wire`: tokens of the text, and ids and names of files."""
    if not text.strip("*?"):
        return Meaning(Everything()) if "*" in text else Meaning(None)
    literals = re.split(r"[*?]", text)
    letters = sum(character.isalnum() for character in text)
    is_prefix = text.endswith("*") and not any(sign in text[:-1] for sign in "*?")
    fewest = FEWEST_FOR_PREFIX if is_prefix else FEWEST_FOR_GLOB
    if letters < fewest:
        note = f"“{text[:LONGEST_NOTED]}” needs {fewest} letters or digits beside its wildcard; it was left out."
        return Meaning(None, note=note)
    in_identifiers = _identifier_glob(text)
    if any(literal and not (literal.isalnum() and folded_word(literal)) for literal in literals):
        return Meaning(in_identifiers)
    patterns = _patterns(text)
    clauses = [Weighted(_matching(field, pattern), weight) for field, weight in TEXT_FIELDS for pattern in patterns]
    return Meaning(Best((*clauses, in_identifiers)), patterns)


def _patterns(text: str) -> tuple[str, ...]:
    """The pattern, folded, and the one whose last word is singular, as the index has it: nanowires* finds nanowire."""
    pieces = [piece if piece in "*?" else folded_word(piece) for piece in re.split(r"([*?])", text) if piece]
    last = next((place for place in reversed(range(len(pieces))) if pieces[place] not in ("*", "?")), 0)
    singular = list(pieces)
    singular[last] = next(iter(words(pieces[last])), pieces[last])
    return tuple(dict.fromkeys(("".join(pieces), "".join(singular))))


def _matching(field: str, pattern: str) -> Clause:
    stem = pattern[:-1]
    is_prefix = pattern.endswith("*") and "*" not in stem and "?" not in stem
    return Prefix(field, stem) if is_prefix else Glob(field, pattern)


def _identifier_glob(text: str) -> Clause:
    pieces = [piece if piece in "*?" else _identifier_piece(piece) for piece in re.split(r"([*?])", text) if piece]
    return _matching("identifiers", "".join(pieces))


def _identifier_piece(text: str) -> str:
    """A part of an id with the hyphens that stand at its ends, where the wildcard goes on behind them."""
    joint_before, joint_after = ("-" if re.match(r"[\W_]", end) else "" for end in (text[0], text[-1]))
    inner = identifier(text)
    return f"{joint_before}{inner}{joint_after}" if inner else "-"
