"""For curators: what needs attention, and who did what."""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse
from rest_framework.request import Request

from catalogue import curation
from catalogue.api import openapi
from catalogue.api.answers import ApiView, read_answer
from catalogue.api.filters import TEXT, Filter, read_filters
from catalogue.api.pages import Order, take_page
from catalogue.curation import Problem
from catalogue.models import AuditEntry

AUDIT_FILTERS = {
    "who": Filter("who", str, "Who did it, as the log names them", TEXT),
    "action": Filter("action", str, "What was done, such as `release`", TEXT),
    "record": Filter("record", str, "The uid of a record", TEXT),
}


@dataclass(frozen=True)
class AuditRef:
    """One act, with the values before and after."""

    id: int
    at: datetime
    who: str
    action: str
    object_type: str
    object_id: str
    object_label: str
    before: dict
    after: dict
    request_id: str


class AuditLog(ApiView):
    @openapi.listing(AuditRef, "Read who did what", filters=AUDIT_FILTERS)
    def get(self, request: Request) -> HttpResponse:
        """The newest first. For curators."""
        wanted = read_filters(AUDIT_FILTERS, request.query_params.dict())
        entries = curation.audit_entries(self.principal, **wanted)
        page = take_page(entries, request, Order("id", "id", is_descending=True))
        return read_answer(request, page.document([_audit_ref(row) for row in page.rows]))


class ProblemList(ApiView):
    @openapi.listing(Problem, "List what needs attention")
    def get(self, request: Request) -> HttpResponse:
        """What went wrong with files, storages, deliveries and extractions, of each kind the newest. For curators."""
        read_filters({}, request.query_params.dict())
        return read_answer(request, {"results": curation.problems(self.principal), "next": None})


def _audit_ref(row: AuditEntry) -> AuditRef:
    return AuditRef(
        id=row.pk,
        at=row.at,
        who=row.actor_label,
        action=row.action,
        object_type=row.object_type,
        object_id=row.object_id,
        object_label=row.object_label,
        before=row.before,
        after=row.after,
        request_id=row.request_id,
    )
