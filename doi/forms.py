"""The fields of the wizard: which there are on a page, what a posted form says in the JSON of a PublicationText, and what a
template needs to show them. Nothing is checked or saved here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from catalogue.publication import PublicationText
from catalogue.vocabularies import datacite_types as datacite
from catalogue.vocabularies.licences import USUAL_FOR_DATA, spdx_licences

Choices = tuple[tuple[str, str], ...]
LANGUAGES: Choices = (
    ("en", "English"),
    ("de", "German"),
    ("es", "Spanish"),
    ("fr", "French"),
    ("it", "Italian"),
    ("ja", "Japanese"),
    ("nl", "Dutch"),
    ("pl", "Polish"),
    ("pt", "Portuguese"),
    ("ru", "Russian"),
    ("zh", "Chinese"),
)
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class FieldKind:
    """One field as a page offers it. `only_for` is the name_type ("Personal", "Organizational") that has it."""

    name: str
    label: str
    choices: Choices = ()
    help: str = ""
    only_for: str = ""
    is_wide: bool = False


@dataclass(frozen=True)
class Input:
    """A field with its value: `path` is its name in forms and in messages, such as "creators.0.orcid"."""

    path: str
    kind: FieldKind
    value: str
    errors: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.path.replace(".", "-")

    @property
    def choices(self) -> Choices:
        """The choices, with a value that is none of them, so that showing a form changes nothing."""
        known = self.kind.choices
        return known if not known or self.value in dict(known) else ((self.value, self.value), *known)


@dataclass(frozen=True)
class Row:
    """One entry of a list, such as an author. `hidden` are (path, value) that the form carries along unseen."""

    id: str
    list_name: str
    index: int
    title: str
    inputs: tuple[Input, ...]
    hidden: tuple[tuple[str, str], ...]
    is_first: bool
    is_last: bool

    @property
    def is_open(self) -> bool:
        """Whether it is shown unfolded: what is new or wrong is."""
        return not self.title or any(one.errors for one in self.inputs)


@dataclass(frozen=True)
class Page:
    """One page of the wizard: single fields and lists of entries of a PublicationText, by name."""

    plain: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.plain, *self.lists)


DESCRIBE = Page(("title", "abstract", "language", "licence_id"), ("subjects", "related"))
PEOPLE = Page((), ("creators", "contributors", "fundings"))


def words(name: str) -> str:
    """A name of one of DataCite's lists as people read it: "IsSupplementTo" is "Is supplement to"."""
    first, *others = _WORDS.split(name)
    return " ".join([first, *(word.lower() if not word.isupper() else word for word in others)])


def _named(names: Iterable[str], *, empty: str = "") -> Choices:
    return (("", empty or "Choose…"), *((name, words(name)) for name in names))


_PERSON = (
    FieldKind("family_name", "Family name", only_for="Personal"),
    FieldKind("given_name", "Given name", only_for="Personal"),
    FieldKind("name", "Name of the organisation", only_for="Organizational"),
    FieldKind("ror", "ROR id", only_for="Organizational", help="Such as https://ror.org/02feahw73"),
    FieldKind("orcid", "ORCID iD", only_for="Personal", help="Such as 0000-0002-1825-0097"),
    FieldKind("affiliation", "Institution", only_for="Personal"),
    FieldKind("affiliation_ror", "ROR id of the institution", only_for="Personal"),
)
FIELDS: dict[str, tuple[FieldKind, ...]] = {
    "creators": _PERSON,
    "contributors": (FieldKind("role", "What they did", _named(datacite.CONTRIBUTOR_TYPES)), *_PERSON),
    "fundings": (
        FieldKind("funder_name", "Funder"),
        FieldKind(
            "funder_id_type", "Kind of its identifier", _named(datacite.FUNDER_IDENTIFIER_TYPES, empty="No identifier")
        ),
        FieldKind("funder_id", "Identifier of the funder", help="ROR id, or Crossref funder DOI"),
        FieldKind("award_number", "Award number"),
        FieldKind("award_title", "Title of the award"),
        FieldKind("award_uri", "Web address of the award"),
    ),
    "related": (
        FieldKind("relation_type", "This publication …", _named(datacite.RELATION_TYPES)),
        FieldKind("identifier", "… this identifier", help="Such as 10.1234/paper"),
        FieldKind(
            "identifier_type", "Kind of identifier", tuple((name, name) for name in datacite.RELATED_IDENTIFIER_TYPES)
        ),
        FieldKind("resource_type_general", "Kind of thing", _named(datacite.RESOURCE_TYPES, empty="Not said")),
    ),
}
_HIDDEN = {"creators": ("name_type",), "contributors": ("name_type",)}
_ALL = {
    "creators": ("name_type", *(kind.name for kind in _PERSON)),
    "contributors": ("name_type", "role", *(kind.name for kind in _PERSON)),
    "fundings": tuple(kind.name for kind in FIELDS["fundings"]),
    "related": tuple(kind.name for kind in FIELDS["related"]),
    "subjects": ("term", "scheme", "scheme_uri", "value_uri"),
}


@cache
def licence_choices() -> Choices:
    """All licences of SPDX, those that are usual for data first."""
    names = {licence.spdx_id: licence.name for licence in spdx_licences()}
    usual = [(spdx_id, f"{names[spdx_id]} ({spdx_id})") for spdx_id in USUAL_FOR_DATA]
    others = [(spdx_id, f"{name} ({spdx_id})") for spdx_id, name in names.items() if spdx_id not in USUAL_FOR_DATA]
    return (*usual, *others)


def plain_inputs(page: Page, text: PublicationText, problems: Mapping[str, Iterable[str]]) -> dict[str, Input]:
    """The single fields of `page`, by name."""
    kinds = {
        "title": FieldKind("title", "Title", is_wide=True, help="What the data are of, for those who were not there."),
        "abstract": FieldKind("abstract", "Abstract", is_wide=True),
        "language": FieldKind("language", "Language of title and abstract", LANGUAGES),
        "licence_id": FieldKind("licence_id", "Licence", licence_choices()),
    }
    return {name: Input(name, kinds[name], getattr(text, name), tuple(problems.get(name, ()))) for name in page.plain}


def rows_of(list_name: str, text: PublicationText, problems: Mapping[str, Iterable[str]]) -> list[Row]:
    """The entries of a list with their fields; `problems` maps paths to messages."""
    entries = text.to_json()[list_name]
    return [
        Row(
            id=f"{list_name}-{index}",
            list_name=list_name,
            index=index,
            title=_title(list_name, entry, getattr(text, list_name)[index]),
            inputs=_inputs(list_name, index, entry, problems),
            hidden=_hidden(list_name, index, entry),
            is_first=index == 0,
            is_last=index == len(entries) - 1,
        )
        for index, entry in enumerate(entries)
    ]


def _inputs(
    list_name: str, index: int, entry: Mapping[str, str], problems: Mapping[str, Iterable[str]]
) -> tuple[Input, ...]:
    found = []
    for kind in FIELDS.get(list_name, ()):
        path = f"{list_name}.{index}.{kind.name}"
        errors = tuple(problems.get(path, ()))
        if kind.only_for in ("", entry.get("name_type")) or entry[kind.name] or errors:
            found.append(Input(path, kind, entry[kind.name], errors))
    return tuple(found)


def _hidden(list_name: str, index: int, entry: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    names = _ALL["subjects"] if list_name == "subjects" else _HIDDEN.get(list_name, ())
    return tuple((f"{list_name}.{index}.{name}", entry[name]) for name in names)


def _title(list_name: str, entry: Mapping[str, str], value: Any) -> str:
    """What a folded entry is called; empty for one that nobody has filled in yet."""
    if list_name in ("creators", "contributors"):
        role = words(entry["role"]) if entry.get("role") else ""
        return ", ".join(filter(None, (value.display_name, role)))
    if list_name == "fundings":
        return " ".join(filter(None, (entry["funder_name"], entry["award_number"])))
    if list_name == "related":
        said = entry["relation_type"] and entry["identifier"]
        return f"{words(entry['relation_type'])} {entry['identifier']}" if said else ""
    return entry["term"]


@dataclass
class Posted:
    """What a form said: `changes` in the JSON of a PublicationText, and the place to go back to after an action."""

    changes: dict[str, Any]
    anchor: str = field(default="")


def read_posted(page: Page, values: Mapping[str, str]) -> Posted:
    """The fields of `page` as they were sent. Indices only order the entries; other names are passed over."""
    changes: dict[str, Any] = {name: values.get(name, "") for name in page.plain}
    lists: dict[str, dict[int, dict[str, str]]] = {name: {} for name in page.lists}
    for path, value in values.items():
        name, _, rest = path.partition(".")
        index, _, field_name = rest.partition(".")
        if name in lists and field_name in _ALL[name] and index.isdecimal():
            lists[name].setdefault(int(index), {})[field_name] = value
    for name, entries in lists.items():
        changes[name] = [entries[index] for index in sorted(entries)]
    return Posted(changes)


def apply_action(posted: Posted, action: str) -> None:
    """Carry out what a button says beside saving: "add:creators:Personal", "up:creators:2", "down:…", "remove:…"."""
    verb, _, rest = action.partition(":")
    list_name, _, argument = rest.partition(":")
    entries = posted.changes.get(list_name)
    if not isinstance(entries, list):
        return
    if verb == "add":
        entries.append({"name_type": argument} if argument else {})
        posted.anchor = f"{list_name}-{len(entries) - 1}"
    elif argument.isdecimal() and int(argument) < len(entries):
        posted.anchor = _rearrange(entries, verb, int(argument), list_name)


def _rearrange(entries: list[dict[str, str]], verb: str, index: int, list_name: str) -> str:
    target = {"up": index - 1, "down": index + 1}.get(verb, index)
    if verb == "remove":
        del entries[index]
        return f"{list_name}-list"
    if 0 <= target < len(entries):
        entries.insert(target, entries.pop(index))
        return f"{list_name}-{target}"
    return f"{list_name}-{index}"
