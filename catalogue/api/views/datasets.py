"""Datasets: found, read, registered one by one and in bulk, changed, with their files and parameters."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request

from catalogue.access import Level
from catalogue.api import bodies, openapi
from catalogue.api.answers import ApiView, created, expected_version, read_answer, send, send_once, written
from catalogue.api.filters import DATASET_FILTERS, read_dataset_filter
from catalogue.api.pages import Order, take_dataset_page, take_page
from catalogue.api.parsing import read_body
from catalogue.browse import Lists
from catalogue.entries import DatasetEntry, Outcome
from catalogue.errors import InvalidInput
from catalogue.masking import parameter_values
from catalogue.models.datasets import Source
from catalogue.record import DatasetRecord, FileRef, ParameterValue
from catalogue.selectors import file_refs_for, get_dataset_record, records_of
from catalogue.services.dataset_changes import add_files, changeable_dataset, update_dataset
from catalogue.services.downloads import find_downloadable
from catalogue.services.idempotency import Answer
from catalogue.services.parameters import correct_parameter, record_parameters
from catalogue.services.registration import refusal_of, register_datasets


@dataclass(frozen=True)
class Result:
    """What became of one dataset. `status` is registered, exists or refused; `fields` says where a refused one is wrong."""

    index: int
    status: str
    uid: UUID | None
    version: int
    url: str
    code: str
    message: str
    fields: dict


@dataclass(frozen=True)
class BulkResult:
    registered: int
    existing: int
    refused: int
    results: tuple[Result, ...]


@dataclass(frozen=True)
class Written:
    """What was written: read it at `url`, change it with `version` in If-Match."""

    uid: UUID
    version: int
    status: str
    url: str


def dataset_url(uid: UUID | None) -> str:
    return f"/api/v1/datasets/{uid}" if uid else ""


class DatasetList(ApiView):
    @openapi.listing(DatasetRecord, "Find datasets", filters=DATASET_FILTERS)
    def get(self, request: Request) -> HttpResponse:
        """The newest first: by registration, or by measurement where days of measurement are asked for.

        What you may not read in full is listed as a summary.
        """
        now = timezone.now()
        wanted = read_dataset_filter(request.query_params.dict())
        page = take_dataset_page(Lists(self.principal, now=now), wanted, request)
        return read_answer(request, page.document(records_of(page.rows, self.principal, now=now)))

    @openapi.creation(bodies.DATASET, Written, "Register a dataset")
    def post(self, request: Request) -> HttpResponse:
        """A dataset with its files and parameters. A `registration_key` that is known answers 200 with what exists."""
        entry = read_body(bodies.DATASET, self.body)
        return send_once(self, lambda: self._register(entry))

    def _register(self, entry: DatasetEntry) -> Answer:
        outcome = register_datasets(actor=self.principal, entries=[entry])[0]
        if outcome.status == "refused" or outcome.uid is None:
            raise refusal_of(outcome)
        document = Written(outcome.uid, outcome.version, outcome.status, dataset_url(outcome.uid))
        if outcome.status == "exists":
            return written(document, version=outcome.version, location=document.url)
        return created(document, version=outcome.version, location=document.url)


class DatasetBulk(ApiView):
    @openapi.writing(bodies.BULK, BulkResult, "Register up to 1,000 datasets", is_once=True)
    def post(self, request: Request) -> HttpResponse:
        """Each dataset is registered or refused with its own reason; with `all_or_nothing` one refusal refuses all."""
        document = read_body(bodies.BULK, self.body)
        is_all_or_nothing = document.get("all_or_nothing", False)
        readings = bodies.read_each(document["datasets"])
        if is_all_or_nothing and (problems := bodies.all_problems(readings)):
            raise _nothing_registered(problems)
        return send_once(self, lambda: self._register(readings, is_all_or_nothing=is_all_or_nothing))

    def _register(self, readings: list[bodies.Reading], *, is_all_or_nothing: bool) -> Answer:
        entries = {place: one for place, one in enumerate(readings) if isinstance(one, DatasetEntry)}
        outcomes: list[Outcome] = []
        if entries or not readings:
            outcomes = register_datasets(
                actor=self.principal, entries=list(entries.values()), is_all_or_nothing=is_all_or_nothing
            )
        if is_all_or_nothing and any(outcome.status == "refused" for outcome in outcomes):
            raise _nothing_registered(
                _placed(_result(one.index, one) for one in outcomes if one.code != "others-refused")
            )
        by_place = dict(zip(entries, outcomes, strict=True))
        results = [
            _result(place, by_place[place]) if place in by_place else _unreadable(place, reading)
            for place, reading in enumerate(readings)
        ]
        counts = Counter(result.status for result in results)
        return written(BulkResult(counts["registered"], counts["exists"], counts["refused"], tuple(results)))


def _result(place: int, outcome: Outcome) -> Result:
    fields = {f"datasets.{place}.{name}": list(messages) for name, messages in outcome.fields.items()}
    url = dataset_url(outcome.uid)
    return Result(place, outcome.status, outcome.uid, outcome.version, url, outcome.code, outcome.message, fields)


def _unreadable(place: int, problems: Any) -> Result:
    fields = {f"datasets.{place}.{name}": messages for name, messages in problems.items()}
    return Result(place, "refused", None, 0, "", "invalid", "Some values cannot be accepted.", fields)


def _placed(results: Any) -> dict[str, list[str]]:
    """The problems of all refused datasets by their place in the request."""
    problems: dict[str, list[str]] = {}
    for result in results:
        problems |= result.fields or ({f"datasets.{result.index}": [result.message]} if result.message else {})
    return problems


def _nothing_registered(problems: dict[str, list[str]]) -> InvalidInput:
    return InvalidInput(
        "Nothing was registered, because some datasets of this all-or-nothing request cannot be accepted.",
        code="all-or-nothing",
        fields=dict(list(problems.items())[:200]),
    )


class DatasetDetail(ApiView):
    @openapi.reading(DatasetRecord, "Read a dataset")
    def get(self, request: Request, uid: UUID) -> HttpResponse:
        """The record with its parameters, as far as you may see it (`access.level`)."""
        record = get_dataset_record(uid, self.principal)
        is_gone = record.access.level == Level.TOMBSTONE
        status_code = status.HTTP_410_GONE if is_gone else status.HTTP_200_OK
        return read_answer(request, record, version=record.version, status_code=status_code)

    @openapi.changing(bodies.DATASET_CHANGES, Written, "Change a dataset")
    def patch(self, request: Request, uid: UUID) -> HttpResponse:
        """Fields that you leave out stay. Needs If-Match with the ETag of the record."""
        changes = read_body(bodies.DATASET_CHANGES, self.body)
        dataset = update_dataset(
            actor=self.principal, uid=uid, changes=changes, expected_version=expected_version(request.headers)
        )
        document = Written(uid, dataset.version, "updated", dataset_url(uid))
        return send(written(document, version=dataset.version))


class DatasetFiles(ApiView):
    @openapi.listing(FileRef, "List the files of a dataset")
    def get(self, request: Request, uid: UUID) -> HttpResponse:
        """By name. While the dataset is closed to you, 403 with the code `under-embargo`."""
        dataset = find_downloadable(uid, self.principal, now=timezone.now())
        order = Order("id", "id") if self.principal.hides_people else Order("name", "name")
        page = take_page(dataset.files.all(), request, order)
        return read_answer(request, page.document(list(file_refs_for(page.rows, self.principal))))

    @openapi.creation(bodies.FILES, Written, "Add files to a dataset")
    def post(self, request: Request, uid: UUID) -> HttpResponse:
        """Files are added, never replaced. Checksums and metadata follow by themselves."""
        files = read_body(bodies.FILES, self.body)["files"]

        def work() -> Answer:
            dataset = add_files(actor=self.principal, uid=uid, files=files)
            document = Written(uid, dataset.version, "updated", dataset_url(uid))
            return created(document, version=dataset.version, location=f"{dataset_url(uid)}/files")

        return send_once(self, work)


class DatasetParameters(ApiView):
    @openapi.changing(bodies.PARAMETERS, Written, "State what the instrument said anew")
    def put(self, request: Request, uid: UUID) -> HttpResponse:
        """Replaces the instrument's values; those of people stay. Needs If-Match. For people there are corrections."""
        parameters = read_body(bodies.PARAMETERS, self.body)["parameters"]
        dataset = changeable_dataset(uid, self.principal)
        record_parameters(
            actor=self.principal,
            dataset=dataset,
            parameters=parameters,
            source=Source.INSTRUMENT,
            expected_version=expected_version(request.headers),
        )
        dataset.refresh_from_db()
        return send(written(Written(uid, dataset.version, "updated", dataset_url(uid)), version=dataset.version))


class DatasetCorrections(ApiView):
    @openapi.creation(bodies.CORRECTION, ParameterValue, "Correct a metadata value")
    def post(self, request: Request, uid: UUID) -> HttpResponse:
        """Puts your value beside the instrument's; both are kept with their source."""
        entry = read_body(bodies.CORRECTION, self.body)

        def work() -> Answer:
            dataset = changeable_dataset(uid, self.principal)
            parameter = correct_parameter(actor=self.principal, dataset=dataset, entry=entry)
            dataset.refresh_from_db()
            document = parameter_values([parameter])[0]
            return created(document, version=dataset.version, location=dataset_url(uid))

        return send_once(self, work)
