"""Release, and requests for a longer embargo, for programs. What people are shown before stands in `catalogue/views/embargo.py`."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from catalogue.api import bodies, openapi
from catalogue.api.answers import ApiView, created, send, send_once, written
from catalogue.api.parsing import read_body
from catalogue.embargo_selectors import closed_datasets
from catalogue.errors import InvalidInput
from catalogue.selectors import find_dataset, find_investigation
from catalogue.services.embargoes import set_dataset_embargo
from catalogue.services.extensions import request_extension
from catalogue.services.idempotency import Answer
from catalogue.services.releases import release_datasets, release_investigation


@dataclass(frozen=True)
class Released:
    """How many datasets were closed until now and are open from now on."""

    investigation: UUID
    dataset_count: int


@dataclass(frozen=True)
class ExtensionAsked:
    """`state` is `open` until a curator decides."""

    uid: UUID
    investigation: UUID
    until: datetime
    state: str


@dataclass(frozen=True)
class OwnEmbargo:
    """The dataset is closed until `until`, whatever its investigation says."""

    dataset: UUID
    until: datetime


class Release(ApiView):
    @openapi.writing(bodies.RELEASE, Released, "Release an investigation or some of its datasets", is_once=True)
    def post(self, request: Request, uid: UUID) -> HttpResponse:
        """Opens the datasets named, or the whole investigation, to everyone, at once and for good.

        For its principal investigator. Processed data that derive from them open with them.
        """
        values = read_body(bodies.RELEASE, self.body)

        def work() -> Answer:
            investigation, _ = find_investigation(uid, self.principal)
            if values["confirm"] != investigation.visit_id:
                raise InvalidInput(
                    "A release cannot be undone. Confirm it by the visit id of the investigation.",
                    fields={"confirm": ["Give the visit id of this investigation."]},
                )
            if uids := values.get("datasets"):
                count = release_datasets(actor=self.principal, investigation=investigation, uids=uids)
            else:
                count = closed_datasets(investigation, now=timezone.now()).count()
                release_investigation(actor=self.principal, investigation=investigation)
            return written(Released(uid, count))

        return send_once(self, work)


class ExtensionRequests(ApiView):
    @openapi.creation(bodies.EXTENSION, ExtensionAsked, "Ask for a longer embargo")
    def post(self, request: Request, uid: UUID) -> HttpResponse:
        """For the principal investigator, before the embargo ends. A curator decides."""
        values = read_body(bodies.EXTENSION, self.body)

        def work() -> Answer:
            investigation, _ = find_investigation(uid, self.principal)
            asked = request_extension(actor=self.principal, investigation=investigation, **values)
            document = ExtensionAsked(asked.uid, uid, asked.until, asked.state)
            return created(document, version=1, location=f"/investigations/{uid}/extension")

        return send_once(self, work)


class DatasetEmbargo(ApiView):
    @openapi.writing(bodies.OWN_EMBARGO, OwnEmbargo, "Give a closed dataset an embargo of its own")
    def put(self, request: Request, uid: UUID) -> HttpResponse:
        """For the principal investigator, until the end of the embargo of the investigation; for curators, until the policy's."""
        values = read_body(bodies.OWN_EMBARGO, self.body)
        dataset, _ = find_dataset(uid, self.principal)
        set_dataset_embargo(actor=self.principal, dataset=dataset, until=values["until"])
        return send(written(OwnEmbargo(uid, values["until"])))
