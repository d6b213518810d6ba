"""What the pages of the wizard have in common: the steps, the problems and where each of them is put right."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from catalogue.collection_selectors import text_of
from catalogue.models import Collection
from catalogue.models.collections import CollectionState
from catalogue.publication import PublicationText
from catalogue.publication_checks import find_problems
from doi.forms import DESCRIBE, FIELDS, PEOPLE, Page, rows_of
from doi.models import Identifier, Problem

Problems = Mapping[str, Iterable[str]]
LABELS = {
    "title": "Title",
    "abstract": "Abstract",
    "language": "Language",
    "licence_id": "Licence",
    "creators": "Author",
    "contributors": "Contributor",
    "fundings": "Funding",
    "subjects": "Subject",
    "related": "Related work",
    "members": "Members",
}
STEPS = (
    ("What", "doi-what"),
    ("Describe", "doi-describe"),
    ("People and funding", "doi-people"),
    ("Review", "doi-review"),
)


def steps_of(collection: Collection, current: str) -> list[dict[str, Any]]:
    """The four steps as links; a step is done when nothing is missing there."""
    if collection.state != CollectionState.DRAFT:
        return []
    found = find_problems(text_of(collection))
    is_done = {
        "What": collection.member_count > 0,
        "Describe": not of_page(DESCRIBE, found),
        "People and funding": not of_page(PEOPLE, found),
    }
    return [
        {
            "title": title,
            "url": reverse(name, args=[collection.uid]),
            "is_current": title == current,
            "is_done": is_done.get(title, False) and title != current,
        }
        for title, name in STEPS
    ]


def of_page(page: Page, problems: Problems) -> dict[str, list[str]]:
    """The problems that are put right on `page`."""
    return {path: list(texts) for path, texts in problems.items() if path.partition(".")[0] in page.names}


def own_problems(collection: Collection) -> dict[str, list[str]]:
    """What keeps a collection from being published, by path, as far as we can tell ourselves."""
    problems = find_problems(text_of(collection))
    if not collection.member_count:
        problems["members"] = ["Choose at least one dataset, investigation or collection."]
    return problems


def refused_fields(collection: Collection) -> dict[str, list[str]]:
    """What DataCite said of each field when it refused the collection the last time."""
    refused = Identifier.objects.filter(collection=collection, problem=Problem.REFUSED).first()
    return dict(refused.problems) if refused else {}


def all_problems(collection: Collection) -> dict[str, list[str]]:
    """Both of them together, for the fields of a form."""
    problems = own_problems(collection)
    for path, texts in refused_fields(collection).items():
        problems.setdefault(path, []).extend(texts)
    return problems


def filled_in(text: PublicationText, problems: Problems) -> dict[str, list[str]]:
    """The problems with what was written, without those of what is still empty."""
    values = text.to_json()
    return {path: list(texts) for path, texts in problems.items() if _value_at(values, path)}


def _value_at(values: Mapping[str, Any], path: str) -> Any:
    found: Any = values
    for part in path.split("."):
        if isinstance(found, list):
            found = found[int(part)] if part.isdecimal() and int(part) < len(found) else None
        elif isinstance(found, Mapping):
            found = found.get(part)
    return found


def told_problems(collection: Collection, problems: Problems) -> list[dict[str, str]]:
    """Each problem in words, with a link to the field where it is put right."""
    text = text_of(collection)
    return [
        {"label": _label(path, text), "message": message, "url": _url_of(collection, path)}
        for path, messages in problems.items()
        for message in messages
    ]


def _label(path: str, text: PublicationText) -> str:
    name, _, rest = path.partition(".")
    index, _, field = rest.partition(".")
    label = LABELS.get(name, name)
    if not index.isdecimal() or name not in FIELDS:
        return label
    entries = rows_of(name, text, {})
    titled = entries[int(index)].title if int(index) < len(entries) else ""
    field_label = next((kind.label for kind in FIELDS[name] if kind.name == field), "")
    return ", ".join(filter(None, (f"{label} {int(index) + 1}", titled, field_label)))


def _url_of(collection: Collection, path: str) -> str:
    """Where it is put right; empty for what no author can mend."""
    name = path.partition(".")[0]
    if not name:
        return ""
    route = "doi-people" if name in PEOPLE.names else "doi-describe" if name in DESCRIBE.names else "doi-what"
    return f"{reverse(route, args=[collection.uid])}?check=1#{path.replace('.', '-')}"


def is_htmx(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request"))
