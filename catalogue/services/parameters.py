"""Metadata values: brought into rows with their SI form, written beside each other by source, corrected by persons."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from django.db import transaction

from catalogue import access, changes
from catalogue.access import Principal
from catalogue.audit import write_audit
from catalogue.entries import ParameterEntry
from catalogue.errors import InvalidInput, NotAllowed
from catalogue.models import Dataset, Parameter
from catalogue.models.datasets import ParameterKind, Source
from catalogue.services.rows import insert_rows
from catalogue.services.versions import write_version
from catalogue.units import to_si

COLUMNS = (
    "dataset_id",
    "group",
    "name",
    "source",
    "kind",
    "text",
    "unit",
    "value",
    "value_si",
    "unit_si",
    "date",
    "items",
    "is_personal",
)
SOURCES = frozenset(Source.values)
TEXT = ParameterKind.TEXT.value
NUMBER = ParameterKind.NUMBER.value
LIST = ParameterKind.LIST.value
DATE = ParameterKind.DATE.value
LONGEST_NAME = 200
LONGEST_TEXT = 20_000
LONGEST_UNIT = 60
MOST_ITEMS = 1000
MOST_PARAMETERS = 5000
MOST_PROBLEMS = 20

ParameterRow = tuple[Any, ...]


def parameter_problems(parameters: Sequence[ParameterEntry]) -> dict[str, list[str]]:
    """What is wrong with `parameters`, by the place in the list, each naming the parameter and the remedy."""
    if len(parameters) > MOST_PARAMETERS:
        text = f"A dataset takes at most {MOST_PARAMETERS} parameters; these are {len(parameters)}."
        return {"parameters": [text]}
    problems: dict[str, list[str]] = {}
    seen = set()
    for place, entry in enumerate(parameters):
        key = (entry.group, entry.name, entry.source)
        problem = _problem(entry)
        if key in seen:
            problem = problem or "given twice for the same group and source; send each once."
        seen.add(key)
        if problem and len(problems) < MOST_PROBLEMS:
            problems[f"parameters.{place}"] = [f"{entry.name[:60] or 'parameter without a name'}: {problem}"]
    return problems


def _problem(entry: ParameterEntry) -> str:
    value = entry.value
    if not entry.name or max(len(entry.name), len(entry.group)) > LONGEST_NAME or len(entry.unit) > LONGEST_UNIT:
        return f"a name has 1 to {LONGEST_NAME} characters, a unit at most {LONGEST_UNIT}."
    if entry.source not in SOURCES:
        return f"source must be one of {', '.join(Source.values)}."
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"a text has at most {LONGEST_TEXT} characters."
    if isinstance(value, list | tuple) and len(value) > MOST_ITEMS:
        return f"a list has at most {MOST_ITEMS} items; keep long arrays in the file."
    items = value if isinstance(value, list | tuple) else (value,)
    if "\x00" in entry.name + entry.group + entry.unit or any("\x00" in one for one in items if isinstance(one, str)):
        return "contains a NUL character; remove it."
    return ""


def parameter_row(dataset_id: int, entry: ParameterEntry) -> ParameterRow:
    """The row of one value, in the order of COLUMNS: a number keeps its text and unit as given beside value and SI."""
    value = entry.value
    unit = entry.unit
    kind, text, number, value_si, unit_si, moment, items = TEXT, "", None, None, "", None, None
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, int | float):
        text = repr(value)
        if math.isfinite(value) and abs(value) < 1e300:
            kind, number = NUMBER, float(value)
            if si := to_si(number, unit):
                value_si, unit_si = si.value, si.unit
    elif isinstance(value, datetime | date):
        kind, text, moment = DATE, value.isoformat(), _moment(value)
    elif isinstance(value, list | tuple):
        kind, items, text = LIST, list(value), ", ".join(str(item) for item in value[:20])
    else:
        text = str(value)
    return (
        dataset_id,
        entry.group,
        entry.name,
        entry.source,
        kind,
        text,
        unit,
        number,
        value_si,
        unit_si,
        moment,
        items,
        entry.is_personal,
    )


def _moment(value: datetime | date) -> datetime:
    """A date as a UTC time; callers give aware times wherever the zone is known."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, time.min)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def insert_parameters(rows: Iterable[ParameterRow]) -> None:
    insert_rows(Parameter, COLUMNS, rows)


def record_parameters(
    *,
    actor: Principal,
    dataset: Dataset,
    parameters: Sequence[ParameterEntry],
    source: str,
    expected_version: int | None = None,
) -> None:
    """Replace what `source` said of `dataset` by `parameters`; what other sources said stays.

    What the instrument said is stated anew by the instrument itself, by who registered the dataset, or by administrators.
    """
    _authorise_source(actor, dataset)
    if problems := parameter_problems(parameters):
        raise InvalidInput("Some parameters cannot be accepted.", fields=problems)
    strange = [place for place, entry in enumerate(parameters) if entry.source != source]
    if strange:
        message = f"These values have the source {source}."
        raise InvalidInput(message, fields={f"parameters.{place}": [message] for place in strange[:MOST_PROBLEMS]})
    with transaction.atomic():
        touch(dataset, expected_version=expected_version)
        dataset.parameters.filter(source=source).delete()
        insert_parameters(parameter_row(dataset.pk, entry) for entry in parameters)
        write_audit(
            actor=actor, action="record-parameters", record=dataset, after={"source": source, "count": len(parameters)}
        )


def record_ai_values(*, actor: Principal, dataset: Dataset, parameters: Sequence[ParameterEntry]) -> None:
    """What a program of the site read out of `dataset`: replaces its earlier values of the same names, and no other value.

    Raises NotAllowed unless a curator or the site itself acts.
    """
    if not actor.sees_everything:
        raise NotAllowed("Only the site's own programs and curators record what a program read.")
    if problems := parameter_problems(parameters):
        raise InvalidInput("Some parameters cannot be accepted.", fields=problems)
    if any(entry.source != Source.AI for entry in parameters):
        raise InvalidInput("These values have the source ai.")
    names = [entry.name for entry in parameters]
    with transaction.atomic():
        touch(dataset)
        dataset.parameters.filter(source=Source.AI, name__in=names).delete()
        insert_parameters(parameter_row(dataset.pk, entry) for entry in parameters)
        after = {"source": Source.AI.value, "names": names}
        write_audit(actor=actor, action="record-parameters", record=dataset, after=after)


def _authorise_source(actor: Principal, dataset: Dataset) -> None:
    if actor.is_administrator and actor.has_scope("register"):
        return
    speaks_for_instrument = actor.instrument_id is not None or dataset.registered_by_id == actor.user_id
    if not speaks_for_instrument or not access.may_register_in(dataset.investigation, actor):
        raise NotAllowed(
            "Only the instrument, or the account that registered the dataset, states these values anew. Send a correction:"
            " it stands beside the instrument's value."
        )


def correct_parameter(*, actor: Principal, dataset: Dataset, entry: ParameterEntry) -> Parameter:
    """Put a person's value beside the instrument's; both are kept with their source."""
    if actor.instrument_id or not access.may_register_in(dataset.investigation, actor):
        raise NotAllowed("Only people of the investigation's team and curators may correct its metadata.")
    if entry.source != Source.PERSON:
        raise InvalidInput("A correction has the source person.", fields={"source": ["Must be person."]})
    if problems := parameter_problems([entry]):
        raise InvalidInput(problems["parameters.0"][0], fields={"value": problems["parameters.0"]})
    key: dict[str, Any] = {"group": entry.group, "name": entry.name, "source": Source.PERSON}
    with transaction.atomic():
        before = dataset.parameters.filter(**key).first()
        values = dict(zip(COLUMNS, parameter_row(dataset.pk, entry), strict=True))
        parameter, _ = Parameter.objects.update_or_create(dataset=dataset, **key, defaults=values)
        touch(dataset)
        write_audit(
            actor=actor,
            action="correct-parameter",
            record=dataset,
            before={"name": entry.name, "value": before.text if before else None},
            after={"name": entry.name, "value": parameter.text, "unit": parameter.unit},
        )
    return parameter


def touch(dataset: Dataset, *, expected_version: int | None = None, **values: Any) -> None:
    """Set `values`, raise the version of `dataset` and tell the apps above, within the caller's transaction."""
    write_version(dataset, values, expected_version)
    changes.datasets_changed([dataset])
