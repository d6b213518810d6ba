"""What people type, read forgivingly: words (AND), "phrases", OR, -not, parentheses, field:value, ranges and wildcards.

Any text parses. What is not understood is searched as text or left out, with a note. The clause that comes of it never
holds more than conditions on what a document says: access and filters are not made of text.
"""

import re
from dataclasses import dataclass, field

from search.clauses import All, Clause, Either, Not
from search.question.meanings import (
    DATE_FIELDS,
    Choices,
    Meaning,
    days_meaning,
    field_called,
    field_meaning,
    no_choices,
    phrase_meaning,
    range_meaning,
    word_meaning,
)
from search.question.small_words import SMALL_WORDS

LONGEST_TEXT = 1000
MOST_TERMS = 32
DEEPEST = 12
MOST_NOTES = 6
MOST_PIECES = 5

_QUOTES = str.maketrans("“”„‟«»＂", '"""""""', "\x00")
_SPACE = re.compile(r"\s+")
_QUOTED = re.compile(r'"([^"]*)"?')
# Brackets within a word belong to it: Fe(OH)2. An OR, AND or NOT is a word in capitals.
_WORD = re.compile(r'(?:[^\s()"]|(?<=[^\s()"])\([^\s()"]*\))+')
_OPERATOR = re.compile(r"(OR|AND|NOT|\|\|?|&&?)(?=[\s()\"]|$)")
# A name may be several words: "working distance:5mm".
_NAME = r"[^\W\d_][\w.\-]*+"
_FIELD = re.compile(rf"({_NAME}(?: +{_NAME}){{0,3}})(?:(:)\s*|\s*(<=|>=|≤|≥|<|>|=)\s*)(?=\S)")
# Comparisons in words: "pixel size under 5 nm", "voltage between 5 and 10 kV".
_SIGNS_IN_WORDS = {
    **dict.fromkeys(("under", "below", "less than", "at most", "up to"), "<="),
    **dict.fromkeys(("over", "above", "more than", "at least"), ">="),
    **dict.fromkeys(("between", "from", "of"), ""),
}
_SPOKEN = re.compile(rf"({_NAME}(?: +{_NAME}){{0,3}}?) +({'|'.join(_SIGNS_IN_WORDS)}) +(?=[\d.,+<>-])")
_GROUP_OF_FIELD = re.compile(r"\(([^()\"]*)\)?")
_PIECES = re.compile(rf'[^\s()"]+(?:\s+[^\s()"]+){{0,{MOST_PIECES - 1}}}')
_UNKNOWN_FIELD = re.compile(r"[a-z]{3,}:(?!//)\w")


@dataclass(frozen=True)
class Reading:
    """`clause` is None where nothing narrows the search. `highlights` are tokens, some with wildcards."""

    clause: Clause | None
    notes: tuple[str, ...] = ()
    highlights: tuple[str, ...] = ()


def read_text(text: str, choices: Choices = no_choices) -> Reading:
    """Read a question. Small words such as "of" count only where there are no others."""
    reader = _Reader(text[:LONGEST_TEXT].translate(_QUOTES), choices)
    clause = reader.alternatives()
    if clause is None and reader.has_small_words and not reader.notes:
        reader = _Reader(text[:LONGEST_TEXT].translate(_QUOTES), choices, keeps_small_words=True)
        clause = reader.alternatives()
    notes = list(dict.fromkeys(reader.notes))
    if clause is None and text.strip() and not notes:
        notes = [f"“{text.strip()[:40]}” has no letters or digits to search for."]
    return Reading(clause, tuple(notes[:MOST_NOTES]), tuple(dict.fromkeys(reader.highlights)))


@dataclass
class _Reader:
    """Recursive descent over `text`, one character position further with each piece read."""

    text: str
    choices: Choices
    keeps_small_words: bool = False
    position: int = 0
    depth: int = 0
    terms: int = 0
    is_negated: bool = False
    has_small_words: bool = False
    notes: list[str] = field(default_factory=list)
    highlights: list[str] = field(default_factory=list)

    def alternatives(self) -> Clause | None:
        """`a b OR c d`, up to the closing bracket of this depth or the end of the text."""
        groups = [self._all_of()]
        while self._takes_operator("OR", "|", "||"):
            groups.append(self._all_of())
        found = tuple(group for group in groups if group is not None)
        return found[0] if len(found) == 1 else Either(found) if found else None

    def _all_of(self) -> Clause | None:
        found: list[Clause] = []
        while True:
            while self._takes_operator("AND", "&", "&&"):
                pass
            if self._is_at_end() or self._operator() in ("OR", "|", "||"):
                break
            clause = self._one()
            found.extend([] if clause is None else [clause])
        return found[0] if len(found) == 1 else All(tuple(found)) if found else None

    def _one(self) -> Clause | None:
        """One piece, with the signs of negation before it. Always reads at least one character."""
        is_negation = self._takes_negation()
        if not is_negation:
            return self._group() if self._next() == "(" else self._leaf()
        if self._is_at_end() or self._operator() in ("OR", "|", "||"):
            return None
        self.is_negated = not self.is_negated
        while self._takes_negation():
            pass
        clause = None if self._is_at_end() else self._group() if self._next() == "(" else self._leaf()
        self.is_negated = not self.is_negated
        return None if clause is None else Not(clause)

    def _group(self) -> Clause | None:
        self.position += 1
        if self.depth >= DEEPEST:
            return None
        self.depth += 1
        clause = self.alternatives()
        self.depth -= 1
        if self._next() == ")":
            self.position += 1
        return clause

    def _leaf(self) -> Clause | None:
        quoted = self._match(_QUOTED)
        if quoted:
            return self._counted(phrase_meaning(quoted[1]))
        meaning = self._field() or self._spoken()
        if meaning is None:
            word = self._match(_WORD)
            if word is None:
                self.position += 1
                return None
            meaning = self._word(word[0])
        return self._counted(meaning)

    def _word(self, text: str) -> Meaning:
        if text in SMALL_WORDS and not self.keeps_small_words:
            self.has_small_words = True
            return Meaning(None)
        meaning = word_meaning(text)
        if _UNKNOWN_FIELD.match(text):
            note = f"There is no field “{text.partition(':')[0][:40]}”; “{text[:40]}” was searched as text."
            return Meaning(meaning.clause, meaning.highlights, note)
        return meaning

    def _field(self) -> Meaning | None:
        """`name:value`, `name>value`; None, and nothing read, where no field is called so or its value is none."""
        match = _FIELD.match(self.text, self.position)
        name = field_called(match[1]) if match else ""
        if match is None or not name:
            return None
        begin, sign = match.end(), match[3] or ""
        if name == "p" or name in DATE_FIELDS:
            return self._amount(name, match[1], begin, sign)
        if sign not in ("", "="):
            return None
        value, end = self._value(begin)
        if not value.strip():
            return None
        self.position = end
        return field_meaning(name, value.strip(), self.choices)

    def _spoken(self) -> Meaning | None:
        """A parameter compared in words; None, and nothing read, where it is not one with a number and unit that fit."""
        match = _SPOKEN.match(self.text, self.position)
        if match is None or field_called(match[1]) != "p":
            return None
        for value, end in self._amounts(match.end()):
            amount = value.replace(" and ", " to ") if match[2] == "between" else value
            meaning = range_meaning(match[1], _SIGNS_IN_WORDS[match[2]] + amount)
            if meaning and meaning.clause is not None and not meaning.note:
                self.position = end
                return meaning
        return None

    def _amount(self, name: str, written: str, begin: int, sign: str) -> Meaning | None:
        """A date or number with unit, as many words as belong to it; the first misfit where no reading fits."""
        misfit: tuple[Meaning, int] | None = None
        for value, end in self._amounts(begin):
            meaning = days_meaning(name, sign + value) if name in DATE_FIELDS else range_meaning(written, sign + value)
            if meaning and meaning.clause is not None:
                self.position = end
                return meaning
            if meaning and misfit is None:
                misfit = meaning, end
        if misfit:
            self.position = misfit[1]
            return misfit[0]
        value, end = self._value(begin)
        self.position = end
        example = "2024-01..2024-06" if name in DATE_FIELDS else "5..10 kV"
        note = f"“{value[:40]}” is no {'date' if name in DATE_FIELDS else 'range'} such as {example}; it was searched as text."
        return Meaning(word_meaning(value).clause, tuple(word_meaning(value).highlights), note)

    def _amounts(self, begin: int) -> list[tuple[str, int]]:
        """What may be the value at `begin`, with its end: most words first."""
        quoted = _QUOTED.match(self.text, begin)
        if quoted:
            return [(quoted[1], quoted.end())]
        run = _PIECES.match(self.text, begin)
        if run is None:
            return []
        ends = [space.start() for space in _SPACE.finditer(run[0])]
        return [(run[0][:end], begin + end) for end in (len(run[0]), *reversed(ends))]

    def _value(self, begin: int) -> tuple[str, int]:
        match = _QUOTED.match(self.text, begin) or _GROUP_OF_FIELD.match(self.text, begin)
        if match:
            return match[1], match.end()
        word = _WORD.match(self.text, begin)
        return (word[0], word.end()) if word else ("", begin)

    def _counted(self, meaning: Meaning) -> Clause | None:
        if meaning.note:
            self.notes.append(meaning.note)
        if meaning.clause is None:
            return None
        self.terms += 1
        if self.terms > MOST_TERMS:
            self.notes.append(f"Only the first {MOST_TERMS} words were searched for.")
            return None
        if not self.is_negated:
            self.highlights.extend(meaning.highlights)
        return meaning.clause

    def _next(self) -> str:
        space = _SPACE.match(self.text, self.position)
        if space:
            self.position = space.end()
        return self.text[self.position : self.position + 1]

    def _is_at_end(self) -> bool:
        """At the end of the text or of a group. A closing bracket that closes nothing is passed over."""
        while self._next() == ")" and not self.depth:
            self.position += 1
        return self._next() in ("", ")")

    def _operator(self) -> str:
        self._next()
        match = _OPERATOR.match(self.text, self.position)
        return match[1] if match else ""

    def _takes_operator(self, *operators: str) -> bool:
        operator = self._operator()
        if operator not in operators or not operator:
            return False
        self.position += len(operator)
        return True

    def _takes_negation(self) -> bool:
        if self._takes_operator("NOT"):
            return True
        following = self.text[self.position + 1 : self.position + 2]
        if self._next() == "-" and following and not following.isspace():
            self.position += 1
            return True
        return False

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.position)
        if match:
            self.position = match.end()
        return match
