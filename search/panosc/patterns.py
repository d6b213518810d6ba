"""Patterns of the operators like, ilike and regexp, in the forms in which databases match them in bounded time. Pure.

A regular expression is read by a grammar of our own and written anew for the database, so that nothing else ever reaches an
engine: characters, `.`, classes, `^`, `$`, alternatives, groups without repetition, and `?`, `*`, `+`, `{n,m}` behind a
single character. Groups that repeat, backreferences and assertions are refused, and so is more repetition than a backtracking
matcher can stand (MOST_REPEATED). `.*` costs nothing: SQLite's GLOB has it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from catalogue.errors import InvalidInput

LONGEST_EXPRESSION = 200
MOST_ALTERNATIVES = 32
MOST_CHARACTERS = 200
MOST_COPIES = 20
MOST_REPEATED = 2
MOST_WILDCARDS = 8
MOST_GROUPS = 8

_WHOLE = re.compile(r"/(?P<inner>.*)/(?P<flags>[a-z]*)", re.DOTALL)
_COUNT = re.compile(r"\{(\d{1,4})(?:(,)(\d{0,4}))?\}")
Ranges = tuple[tuple[str, str], ...]
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \t\n\r\f\v"}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}


@dataclass(frozen=True)
class Atom:
    """One character: any, or one of `ranges` (pairs of first and last), or none of them. `repeat` is "", "+" or "*"."""

    ranges: Ranges = ()
    is_any: bool = False
    is_negated: bool = False
    repeat: str = ""

    @property
    def glob(self) -> str:
        """For SQLite's GLOB. What repeats becomes any text: more than is meant, where it is not `.` that repeats."""
        one = "?" if self.is_any else _glob_class(self.ranges, is_negated=self.is_negated)
        if not self.repeat:
            return one
        return "*" if self.repeat == "*" else f"{one}*"

    @property
    def like(self) -> str:
        """For LIKE. Any of several characters is any character, and what repeats any text, which is more than is meant."""
        is_fixed = not (self.is_any or self.is_negated) and len(self.ranges) == 1 and len(set(self.ranges[0])) == 1
        one = re.sub(r"([%_\\])", r"\\\1", self.ranges[0][0]) if is_fixed else "_"
        if not self.repeat:
            return one
        return "%" if self.repeat == "*" else f"{one}%"

    @property
    def regex(self) -> str:
        return ("." if self.is_any else _regex_class(self.ranges, is_negated=self.is_negated)) + self.repeat

    def in_any_case(self) -> "Atom":
        return replace(self, ranges=tuple(dict.fromkeys(one for pair in self.ranges for one in _cases(pair))))


@dataclass(frozen=True)
class Alternative:
    """Characters one after the other, at the beginning or the end of a text where that is asked."""

    atoms: tuple[Atom, ...] = ()
    is_at_start: bool = False
    is_at_end: bool = False

    @property
    def glob(self) -> str:
        inner = "".join(atom.glob for atom in self.atoms)
        whole = f"{'' if self.is_at_start else '*'}{inner}{'' if self.is_at_end else '*'}"
        return re.sub(r"\*+", "*", whole)

    @property
    def like(self) -> str:
        inner = "".join(atom.like for atom in self.atoms)
        return f"{'' if self.is_at_start else '%'}{inner}{'' if self.is_at_end else '%'}"

    @property
    def is_glob_exact(self) -> bool:
        return all(atom.is_any or not atom.repeat for atom in self.atoms)

    @property
    def regex(self) -> str:
        inner = "".join(atom.regex for atom in self.atoms)
        return f"{'^' if self.is_at_start else ''}{inner}{'$' if self.is_at_end else ''}"


def check_like(pattern: str) -> None:
    if sum(_is_wild(piece) for piece in _like_pieces(pattern)) > MOST_WILDCARDS:
        raise InvalidInput(f"A pattern has at most {MOST_WILDCARDS} of the wildcards % and _.")


def standard_like(pattern: str) -> str:
    """The pattern for LIKE with a backslash to escape, unanchored."""
    return (
        "%"
        + "".join(
            piece if _is_wild(piece) else re.sub(r"([\\%_])", r"\\\1", piece[1:]) for piece in _like_pieces(pattern)
        )
        + "%"
    )


def like_as_glob(pattern: str, *, ignores_case: bool) -> str:
    """The pattern for SQLite's GLOB, which tells cases apart in all alphabets."""
    inner = "".join(_piece_as_glob(piece, ignores_case) for piece in _like_pieces(pattern))
    return f"*{inner}*"


def _piece_as_glob(piece: str, ignores_case: bool) -> str:
    if _is_wild(piece):
        return "*" if piece == "%" else "?"
    atom = _character(piece[1:])
    return (atom.in_any_case() if ignores_case else atom).glob


def like_as_regex(pattern: str) -> str:
    """The pattern for PostgreSQL's matcher, in any case of all alphabets, whatever the language of the database."""
    wild = {"%": ".*", "_": "."}
    return "".join(wild.get(piece) or _character(piece[1:]).in_any_case().regex for piece in _like_pieces(pattern))


def _is_wild(piece: str) -> bool:
    return piece in ("%", "_")


def _like_pieces(pattern: str) -> Iterator[str]:
    """ "%", "_", or a character with an "=" before it. A backslash takes their meaning from %, _ and itself."""
    place = 0
    while place < len(pattern):
        one = pattern[place]
        if one == "\\" and pattern[place + 1 : place + 2] in ("%", "_", "\\"):
            place += 1
            yield f"={pattern[place]}"
        else:
            yield one if one in "%_" else f"={one}"
        place += 1


def read_expression(text: str) -> tuple[Alternative, ...]:
    """`^L`, `/^l/i`: what any of the alternatives matches, anywhere in a text. Raises InvalidInput for all that is refused."""
    if len(text) > LONGEST_EXPRESSION:
        raise InvalidInput(f"A regular expression has at most {LONGEST_EXPRESSION} characters.")
    whole = _WHOLE.fullmatch(text)
    inner, flags = (whole["inner"], whole["flags"]) if whole else (text, "")
    if set(flags) - set("igu"):
        raise InvalidInput("Of the flags of a regular expression only i is known.")
    reader = _Reader(inner)
    found = reader.alternatives()
    if reader.rest:
        raise InvalidInput("A regular expression has a `)` too many.")
    return tuple(_checked(_shortened(_in_any_case(one) if "i" in flags else one)) for one in found)


def _in_any_case(one: Alternative) -> Alternative:
    return replace(one, atoms=tuple(atom.in_any_case() for atom in one.atoms))


def _shortened(one: Alternative) -> Alternative:
    """Without the repetition at open ends, which changes nothing of what is found."""
    atoms = list(one.atoms)
    if not one.is_at_start:
        atoms = _open_end(atoms)
    if not one.is_at_end:
        atoms = _open_end(atoms[::-1])[::-1]
    return replace(one, atoms=tuple(atoms))


def _open_end(atoms: list[Atom]) -> list[Atom]:
    while atoms and atoms[0].repeat == "*":
        atoms = atoms[1:]
    return [replace(atoms[0], repeat=""), *atoms[1:]] if atoms else atoms


def _checked(one: Alternative) -> Alternative:
    if len(one.atoms) > MOST_CHARACTERS:
        raise InvalidInput("This regular expression is longer than can be answered when its counts are written out.")
    if not one.is_glob_exact and sum(bool(atom.repeat) for atom in one.atoms) > MOST_REPEATED:
        raise InvalidInput(
            f"A regular expression may repeat at most {MOST_REPEATED} characters with + or *, as some texts would take"
            " too long otherwise. `.*` alone may stand more often."
        )
    return one


class _Reader:
    """Reads one expression from left to right into alternatives, written out."""

    def __init__(self, text: str) -> None:
        self.rest = text
        self.groups = 0

    def alternatives(self, *, is_group: bool = False) -> list[Alternative]:
        found: list[Alternative] = []
        while True:
            found = _few([*found, *self._sequence(is_group=is_group)])
            if not self._takes("|"):
                return found

    def _sequence(self, *, is_group: bool) -> list[Alternative]:
        is_at_start = not is_group and self._takes("^")
        found = [Alternative(is_at_start=is_at_start)]
        while self.rest and self.rest[0] not in "|)":
            if self._takes("$"):
                if is_group or (self.rest and self.rest[0] not in "|"):
                    raise InvalidInput("In a regular expression `$` stands at the end only, outside of groups.")
                return [replace(one, is_at_end=True) for one in found]
            pieces = self._piece()
            found = _few([replace(one, atoms=one.atoms + piece) for one in found for piece in pieces])
        return found

    def _piece(self) -> list[tuple[Atom, ...]]:
        """One character or group with what stands behind it, in all the ways in which it may be written out."""
        if self.rest[0] == "(":
            return self._group()
        atom = self._atom()
        counted = _COUNT.match(self.rest)
        if counted:
            self.rest = self.rest[counted.end() :]
            pieces = _copies(atom, counted)
        elif self._takes("?"):
            pieces = [(atom,), ()]
        elif self._takes("*"):
            pieces = [(replace(atom, repeat="*"),)]
        elif self._takes("+"):
            pieces = [(replace(atom, repeat="+"),)]
        else:
            return [(atom,)]
        self._takes("?")  # as few as possible: what is found is the same
        self._refuse_more()
        return pieces

    def _group(self) -> list[tuple[Atom, ...]]:
        self.rest = self.rest[1:]
        self.groups += 1
        if self.groups > MOST_GROUPS:
            raise InvalidInput(f"A regular expression has at most {MOST_GROUPS} groups.")
        if self.rest.startswith("?") and not self.rest.startswith("?:"):
            raise InvalidInput("Assertions and named groups are not taken in regular expressions.")
        self.rest = self.rest.removeprefix("?:")
        inner = [one.atoms for one in self.alternatives(is_group=True)]
        if not self._takes(")"):
            raise InvalidInput("A regular expression lacks a `)`.")
        if self._takes("?"):
            inner.append(())
        if _COUNT.match(self.rest):
            raise InvalidInput("Groups of a regular expression cannot repeat.")
        self._refuse_more()
        return inner

    def _refuse_more(self) -> None:
        if self.rest[:1] in ("*", "+", "?") and self.rest:
            raise InvalidInput("Groups of a regular expression cannot repeat, nor can repetition itself.")

    def _atom(self) -> Atom:
        one, self.rest = self.rest[0], self.rest[1:]
        if one == ".":
            return Atom(is_any=True)
        if one == "[":
            return self._class()
        if one == "\\":
            return self._escaped()
        if one in "*+?^{}])":
            raise InvalidInput(
                f"In a regular expression `{one}` stands where it means nothing; write `\\{one}` for itself."
            )
        return _character(one)

    def _escaped(self) -> Atom:
        one, self.rest = self.rest[:1], self.rest[1:]
        if one.lower() in _CLASSES:
            return Atom(ranges=_ranges(_CLASSES[one.lower()]), is_negated=one.isupper())
        if one in _CONTROLS:
            return _character(_CONTROLS[one])
        if not one or one.isalnum():
            raise InvalidInput(
                "Of escapes, regular expressions here have \\d, \\w, \\s and \\ before a sign; no backreferences."
            )
        return _character(one)

    def _class(self) -> Atom:
        is_negated = self._takes("^")
        ranges: list[tuple[str, str]] = []
        while not (ranges and self._takes("]")):
            ranges += self._member()
        return Atom(ranges=tuple(ranges), is_negated=is_negated)

    def _member(self) -> list[tuple[str, str]]:
        first = self._class_character()
        if isinstance(first, Atom):
            return list(first.ranges)
        if not self.rest.startswith("-") or self.rest.startswith("-]"):
            return [(first, first)]
        self.rest = self.rest[1:]
        last = self._class_character()
        if isinstance(last, Atom) or last < first:
            raise InvalidInput("A range of a regular expression goes from a lower character to a higher one.")
        return [(first, last)]

    def _class_character(self) -> "str | Atom":
        if not self.rest:
            raise InvalidInput("A regular expression lacks a `]`.")
        if not self._takes("\\"):
            one, self.rest = self.rest[0], self.rest[1:]
            return one
        atom = self._escaped()
        if atom.is_negated:
            raise InvalidInput("\\D, \\W and \\S cannot stand within [ ].")
        first, last = atom.ranges[0]
        return first if len(atom.ranges) == 1 and first == last else atom

    def _takes(self, sign: str) -> bool:
        found = self.rest.startswith(sign)
        self.rest = self.rest[1:] if found else self.rest
        return found


def _few(found: list[Alternative]) -> list[Alternative]:
    if len(found) > MOST_ALTERNATIVES:
        raise InvalidInput(f"Written out, this regular expression has more than {MOST_ALTERNATIVES} alternatives.")
    return found


def _copies(atom: Atom, counted: re.Match[str]) -> list[tuple[Atom, ...]]:
    fewest = int(counted[1])
    most = fewest if counted[2] is None else int(counted[3]) if counted[3] else None
    if fewest > MOST_COPIES or (most is not None and not fewest <= most <= MOST_COPIES):
        raise InvalidInput(f"Counts of a regular expression go up to {MOST_COPIES}.")
    if most is None:
        return [(atom,) * fewest + (replace(atom, repeat="*"),)]
    return [(atom,) * times for times in range(fewest, most + 1)]


def _character(one: str) -> Atom:
    return Atom(ranges=((one, one),))


def _ranges(text: str) -> Ranges:
    pairs = re.findall(r"(.)-(.)|(.)", text, re.DOTALL)
    return tuple((first, last) if first else (single, single) for first, last, single in pairs)


def _cases(pair: tuple[str, str]) -> Iterable[tuple[str, str]]:
    """The range itself, and the same letters in the other case: of ranges those of a to z only."""
    yield pair
    first, last = pair
    for other in ((first.lower(), last.lower()), (first.upper(), last.upper())):
        is_one = first == last and len(other[0]) == 1
        if is_one or (first.isascii() and first.isalpha() and last.isalpha() and first.isupper() == last.isupper()):
            yield other


def _is_single(ranges: Ranges, *, is_negated: bool) -> bool:
    return len(ranges) == 1 and ranges[0][0] == ranges[0][1] and not is_negated


def _glob_class(ranges: Ranges, *, is_negated: bool) -> str:
    """In GLOB `]` comes first in a class, `-` last or before `^`, and `^` anywhere but first."""
    if _is_single(ranges, is_negated=is_negated):
        return f"[{ranges[0][0]}]" if ranges[0][0] in "*?[" else ranges[0][0]
    singles = {first for first, last in ranges if first == last}
    members = "".join(sorted(singles - set("]-^"))) + "".join(
        f"{first}-{last}" for first, last in ranges if first != last
    )
    first, last, caret = (
        ("]" if "]" in singles else ""),
        ("-" if "-" in singles else ""),
        ("^" if "^" in singles else ""),
    )
    end = f"{caret}{last}" if first or members else f"{last}{caret}"
    return f"[{'^' if is_negated else ''}{first}{members}{end}]"


def _regex_class(ranges: Ranges, *, is_negated: bool) -> str:
    if _is_single(ranges, is_negated=is_negated):
        return _plain(ranges[0][0])
    members = "".join(_plain(first) if first == last else f"{_plain(first)}-{_plain(last)}" for first, last in ranges)
    return f"[{'^' if is_negated else ''}{members}]"


def _plain(one: str) -> str:
    return f"\\{one}" if one.isascii() and not one.isalnum() and one not in " \t\n\r\f\v_" else one
