"""Investigations and their samples: found, read, registered and changed."""

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request

from catalogue import access
from catalogue.access import Level
from catalogue.anonymity import shown_to
from catalogue.api import bodies, openapi
from catalogue.api.answers import ApiView, created, expected_version, read_answer, send, send_once, written
from catalogue.api.filters import INVESTIGATION_FILTERS, filter_investigations
from catalogue.api.pages import NEWEST_FIRST, Order, take_page
from catalogue.api.parsing import read_body
from catalogue.api.views.datasets import Written
from catalogue.errors import PreconditionMissing
from catalogue.masking import sample_ref
from catalogue.models import Sample
from catalogue.record import InvestigationRecord, SampleRecord, SampleRef
from catalogue.selectors import (
    find_investigation,
    get_investigation_record,
    get_sample_record,
    investigation_records,
    samples_of,
    with_team,
)
from catalogue.services.idempotency import Answer
from catalogue.services.investigations import (
    changeable_investigation,
    create_investigation,
    save_sample,
    update_investigation,
)


def investigation_url(uid: UUID) -> str:
    return f"/api/v1/investigations/{uid}"


class InvestigationList(ApiView):
    @openapi.listing(InvestigationRecord, "Find investigations", filters=INVESTIGATION_FILTERS)
    def get(self, request: Request) -> HttpResponse:
        """The newest first."""
        now = timezone.now()
        investigations = access.listed_investigations(self.principal, now=now)
        investigations = filter_investigations(investigations, request.query_params.dict(), self.principal)
        page = take_page(with_team(investigations), request, NEWEST_FIRST)
        return read_answer(request, page.document(investigation_records(page.rows, self.principal, now=now)))

    @openapi.creation(bodies.INVESTIGATION, Written, "Register an investigation")
    def post(self, request: Request) -> HttpResponse:
        """One session at one instrument. Its embargo follows the facility's policy."""
        entry = read_body(bodies.INVESTIGATION, self.body)

        def work() -> Answer:
            investigation = create_investigation(actor=self.principal, entry=entry)
            url = investigation_url(investigation.uid)
            document = Written(investigation.uid, investigation.version, "registered", url)
            return created(document, version=investigation.version, location=url)

        return send_once(self, work)


class InvestigationDetail(ApiView):
    @openapi.reading(InvestigationRecord, "Read an investigation")
    def get(self, request: Request, uid: UUID) -> HttpResponse:
        record = get_investigation_record(uid, self.principal)
        is_gone = record.access.level == Level.TOMBSTONE
        status_code = status.HTTP_410_GONE if is_gone else status.HTTP_200_OK
        return read_answer(request, record, version=record.version, status_code=status_code)

    @openapi.changing(bodies.INVESTIGATION_CHANGES, Written, "Change an investigation")
    def patch(self, request: Request, uid: UUID) -> HttpResponse:
        """Fields that you leave out stay. Needs If-Match with the ETag of the record."""
        changes = read_body(bodies.INVESTIGATION_CHANGES, self.body)
        investigation = update_investigation(
            actor=self.principal, uid=uid, changes=changes, expected_version=expected_version(request.headers)
        )
        document = Written(uid, investigation.version, "updated", investigation_url(uid))
        return send(written(document, version=investigation.version))


class InvestigationSamples(ApiView):
    @openapi.listing(SampleRef, "List the samples of an investigation")
    def get(self, request: Request, uid: UUID) -> HttpResponse:
        """By name. Empty while the investigation is closed to you."""
        investigation, level = find_investigation(uid, self.principal)
        samples = samples_of(investigation, level, self.principal, now=timezone.now())
        order = Order("id", "uid") if self.principal.hides_people else Order("name", "name")
        page = take_page(samples, request, order)
        refs = [shown_to(sample_ref(sample), self.principal) for sample in page.rows]
        return read_answer(request, page.document(refs))


class InvestigationSample(ApiView):
    @openapi.changing(bodies.SAMPLE, Written, "Register or change a sample")
    def put(self, request: Request, uid: UUID, name: str) -> HttpResponse:
        """The sample of this name. If-Match is needed to change one that exists; a new one takes none."""
        values = read_body(bodies.SAMPLE, self.body)
        investigation = changeable_investigation(uid, self.principal)
        is_known = Sample.objects.filter(investigation=investigation, name=name).exists()
        if is_known and "If-Match" not in request.headers:
            raise PreconditionMissing("This sample exists. Send If-Match with its ETag to change it.")
        sample, is_new = save_sample(
            actor=self.principal,
            investigation=investigation,
            entry=bodies.sample_entry(name, values),
            expected_version=expected_version(request.headers) if "If-Match" in request.headers else 0,
        )
        url = f"/api/v1/samples/{sample.uid}"
        if is_new:
            return send(created(Written(sample.uid, 1, "registered", url), version=1, location=url))
        return send(written(Written(sample.uid, sample.version, "updated", url), version=sample.version))


class SampleDetail(ApiView):
    @openapi.reading(SampleRecord, "Read a sample")
    def get(self, request: Request, uid: UUID) -> HttpResponse:
        sample = get_sample_record(uid, self.principal)
        return read_answer(request, sample, version=sample.version)
