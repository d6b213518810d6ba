"""A watch rule over paths: which files it concerns, and the visit, group, sample and title that it gives them.

The pattern is a regular expression for the whole path (module `regex`, which can stop a match that takes too long).
Templates are plain text with names in braces: the pattern's named groups, and `{path}`, `{folder}`, `{name}`, `{stem}` of
the file. A title, which the public sees under embargo, may use none of those four, but `{technique}`, `{instrument}`,
`{date}` and `{time}`. Nothing in a template is evaluated.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import regex

MATCH_SECONDS = 0.5
LONGEST_KEY = 300
LONGEST_VISIT_ID = 100
LONGEST_SAMPLE = 200
LONGEST_TITLE = 500
FILE_NAMES = frozenset({"path", "folder", "name", "stem"})
TITLE_NAMES = frozenset({"technique", "instrument", "date", "time"})
_NAME = regex.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


class RuleProblem(Exception):
    """The rule itself cannot be used; the text says what to mend."""


class PlacementRefused(Exception):
    """The rule concerns this file, yet gives it no place; the text says why."""


@dataclass(frozen=True)
class Placement:
    """Where one file belongs. `names` holds the values for the title's template."""

    visit_id: str
    group: str
    sample: str
    names: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True)
class PathRule:
    """The texts of a rule. Call `check` before use; every method raises RuleProblem when a text is of no use."""

    pattern: str
    visit_template: str
    group_template: str
    title_template: str
    sample_template: str = ""

    def check(self) -> None:
        groups = frozenset(self._compiled.groupindex)
        if clash := groups & (FILE_NAMES | TITLE_NAMES):
            raise RuleProblem(f"The pattern's group {min(clash)} has a name with a meaning of its own; choose another.")
        if not self.visit_template or not self.group_template or not self.title_template:
            raise RuleProblem("A rule needs a template for the visit, for the group and for the title.")
        for template in (self.visit_template, self.group_template, self.sample_template):
            _check_names(template, groups | FILE_NAMES)
        _check_names(self.title_template, groups | TITLE_NAMES)
        if not _NAME.search(self.group_template):
            raise RuleProblem("The template of the group names nothing of the path: all files would be one dataset.")

    def concerns(self, path: str) -> bool:
        return self._match(path) is not None

    def place(self, path: str) -> Placement | None:
        """The place of a file, or None when the rule does not concern it. Raises PlacementRefused."""
        match = self._match(path)
        if match is None:
            return None
        names = {name: value or "" for name, value in match.groupdict().items()}
        of_file = names | _file_names(path)
        return Placement(
            visit_id=_rendered("visit", self.visit_template, of_file, LONGEST_VISIT_ID),
            group=_rendered("group", self.group_template, of_file, LONGEST_KEY),
            sample=render(self.sample_template, of_file).strip()[:LONGEST_SAMPLE],
            names=names,
        )

    def title(self, placement: Placement, values: Mapping[str, str]) -> str:
        """The title of a dataset; `values` are those of TITLE_NAMES."""
        return render(self.title_template, {**placement.names, **values}).strip(" ,")[:LONGEST_TITLE]

    @cached_property
    def _compiled(self) -> "regex.Pattern[str]":
        try:
            return regex.compile(self.pattern)
        except (regex.error, OverflowError, RecursionError, ValueError) as error:
            raise RuleProblem(f"The pattern is no regular expression: {error}.") from None

    def _match(self, path: str) -> "regex.Match[str] | None":
        try:
            return self._compiled.fullmatch(path, timeout=MATCH_SECONDS)
        except TimeoutError:
            raise RuleProblem(
                f"The pattern takes too long on {path[:200]}. Repetitions inside repetitions cause this; simplify it."
            ) from None


def render(template: str, values: Mapping[str, str]) -> str:
    """`template` with its names replaced; a name without a value becomes empty."""
    return _NAME.sub(lambda found: values.get(found.group(1), ""), template)


def _rendered(what: str, template: str, values: Mapping[str, str], longest: int) -> str:
    text = render(template, values).strip()
    if not text:
        raise PlacementRefused(f"The rule's {what} is empty for this path; correct the pattern or the template.")
    if len(text) > longest:
        raise PlacementRefused(f"The rule's {what} is longer than {longest} characters for this path.")
    return text


def _check_names(template: str, allowed: frozenset[str]) -> None:
    unknown = set(_NAME.findall(template)) - allowed
    if unknown:
        raise RuleProblem(f"{{{min(unknown)}}} is unknown in {template!r}; known are {', '.join(sorted(allowed))}.")
    if regex.search(r"[{}]", _NAME.sub("", template)):
        raise RuleProblem(f"A brace is left over in {template!r}; names are written {{like_this}}.")


def _file_names(path: str) -> dict[str, str]:
    folder, _, name = path.rpartition("/")
    return {"path": path, "folder": folder, "name": name, "stem": name.rpartition(".")[0] or name}
