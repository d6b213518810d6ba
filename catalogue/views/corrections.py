"""Correcting metadata after registration: a person's value is put beside the instrument's, never over it."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalogue import access, selectors
from catalogue.errors import InvalidInput, NotAllowed
from catalogue.extraction.privacy import is_personal
from catalogue.models import Dataset
from catalogue.models.datasets import Source
from catalogue.record import ParameterValue
from catalogue.services.drafts import correction_entry, correction_key
from catalogue.services.parameters import correct_parameter
from catalogue.templatetags.faircat import ParameterRow, parameter_groups
from catalogue.vocabularies.standard_names import STANDARD_NAMES


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def corrections_page(request: HttpRequest, uid: UUID) -> HttpResponse:
    dataset, level = selectors.find_dataset(uid, request.principal)
    if level != access.Level.FULL or not access.may_register_in(dataset.investigation, request.principal):
        raise NotAllowed("Only the investigation's team and curators correct its metadata.")
    record = selectors.get_dataset_record(uid, request.principal)
    given = {
        correction_key(value.group, value.name): f"{value.text} {value.unit}".strip()
        for value in record.parameters
        if value.source == Source.PERSON
    }
    problems: list[str] = []
    if request.method == "POST":
        problems = _save(request, dataset, given)
        if not problems:
            return redirect("dataset", uid)
    measured = [value for value in record.parameters if value.source != Source.PERSON]
    groups = correction_groups(measured, given)
    context = {"record": record, "groups": groups, "problems": problems}
    return render(request, "catalogue/corrections.html", context, status=422 if problems else 200)


def _save(request: HttpRequest, dataset: Dataset, given: Mapping[str, str]) -> list[str]:
    """Keep each text that differs from what the person said before, and return what was wrong."""
    problems = []
    for key, text in posted_corrections(request).items():
        if text and text != given.get(key):
            try:
                correct_parameter(actor=request.principal, dataset=dataset, entry=correction_entry(key, text))
            except InvalidInput as error:
                problems.append(error.message)
    return problems


def posted_corrections(request: HttpRequest) -> dict[str, str]:
    """The texts of the inputs that `correction_groups` named, by correction key."""
    return {name[2:]: text.strip() for name, text in request.POST.items() if name.startswith("c:")}


def correction_groups(values: Iterable[ParameterValue], given: Mapping[str, str]) -> list[dict[str, Any]]:
    """Tables of the standard values, each row with an input for what a person says instead."""
    return [
        {"title": group.title, "rows": [_row(f"{place}-{number}", row, given) for number, row in enumerate(group.rows)]}
        for place, group in enumerate(parameter_groups(values))
        if not group.is_vendor
    ]


def values_to_type() -> list[ParameterValue]:
    """The standard quantities, without values: for data that nothing can be read from."""
    names = (name for name in STANDARD_NAMES if not is_personal(name, ""))
    return [ParameterValue("", name, "text", "", "", None, None, "", None, (), Source.PERSON.value) for name in names]


def _row(place: str, row: ParameterRow, given: Mapping[str, str]) -> dict[str, str]:
    key = correction_key(*row.key)
    return {
        "label": row.label,
        "text": row.text,
        "input_id": f"correction-{place}",
        "input_name": f"c:{key}",
        "correction": given.get(key, ""),
    }
