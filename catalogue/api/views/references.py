"""What records refer to: instruments, facilities, techniques, licences, and who is asking. All of it is public."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from rest_framework.request import Request

from catalogue.access import hides_records
from catalogue.api import openapi
from catalogue.api.answers import ApiView, read_answer
from catalogue.api.filters import TEXT, Filter, read_filters
from catalogue.api.pages import Order, take_page
from catalogue.masking import facility_ref, instrument_ref
from catalogue.models import Facility, Instrument, Licence, Technique
from catalogue.record import FacilityRef, InstrumentRef, LicenceRef
from catalogue.selectors import get_instrument


@dataclass(frozen=True)
class TechniqueEntry:
    """`parents` are IRIs of broader techniques; `dataset_count` counts datasets of this very technique.

    It is null on a site that hides closed records, of which the count would tell.
    """

    iri: str
    label: str
    alternative_labels: list[str]
    definition: str
    source: str
    parents: list[str]
    dataset_count: int | None


@dataclass(frozen=True)
class Me:
    """`scopes` is null for somebody logged in on the site, who has them all."""

    username: str
    name: str
    orcid: str
    is_anonymous: bool
    is_curator: bool
    is_administrator: bool
    instrument: InstrumentRef | None
    scopes: list[str] | None


class InstrumentList(ApiView):
    @openapi.listing(InstrumentRef, "List the instruments")
    def get(self, request: Request) -> HttpResponse:
        read_filters({}, request.query_params.dict())
        page = take_page(Instrument.objects.select_related("facility"), request, Order("short_name", "short_name"))
        return read_answer(request, page.document([instrument_ref(row) for row in page.rows]))


class InstrumentDetail(ApiView):
    @openapi.reading(InstrumentRef, "Read an instrument")
    def get(self, request: Request, uid: UUID) -> HttpResponse:
        return read_answer(request, instrument_ref(get_instrument(uid)))


class FacilityList(ApiView):
    @openapi.listing(FacilityRef, "List the facilities")
    def get(self, request: Request) -> HttpResponse:
        read_filters({}, request.query_params.dict())
        page = take_page(Facility.objects.all(), request, Order("short_name", "short_name"))
        return read_answer(request, page.document([facility_ref(row) for row in page.rows]))


def _matching(value: str) -> Q:
    return Q(label__icontains=value) | Q(alternative_labels__icontains=value) | Q(iri=value)


TECHNIQUE_FILTERS = {"q": Filter("q", str, "Part of a label, or an IRI", TEXT)}


class TechniqueList(ApiView):
    @openapi.listing(TechniqueEntry, "Find techniques", filters=TECHNIQUE_FILTERS)
    def get(self, request: Request) -> HttpResponse:
        """PaNET terms, and our own narrower ones, by IRI."""
        techniques: QuerySet[Technique] = Technique.objects.prefetch_related("parents")
        if text := read_filters(TECHNIQUE_FILTERS, request.query_params.dict()).get("q"):
            techniques = techniques.filter(_matching(text))
        page = take_page(techniques, request, Order("iri", "iri"))
        shows_counts = not hides_records()
        return read_answer(request, page.document([_technique(row, shows_count=shows_counts) for row in page.rows]))


def _technique(row: Technique, *, shows_count: bool) -> TechniqueEntry:
    return TechniqueEntry(
        iri=row.iri,
        label=row.label,
        alternative_labels=row.alternative_labels,
        definition=row.definition,
        source=row.source,
        parents=[parent.iri for parent in row.parents.all()],
        dataset_count=row.dataset_count if shows_count else None,
    )


class LicenceList(ApiView):
    @openapi.listing(LicenceRef, "List the licences")
    def get(self, request: Request) -> HttpResponse:
        read_filters({}, request.query_params.dict())
        page = take_page(Licence.objects.all(), request, Order("spdx_id", "spdx_id"))
        licences = [LicenceRef(row.spdx_id, row.name, row.url) for row in page.rows]
        return read_answer(request, page.document(licences))


class MeDetail(ApiView):
    @openapi.reading(Me, "Who am I?")
    def get(self, request: Request) -> HttpResponse:
        """Your account as the API sees it, and the scopes of your token."""
        return read_answer(request, self._describe(request.user))

    def _describe(self, user: Any) -> Me:
        principal = self.principal
        person = getattr(user, "person", None)
        instrument = getattr(user, "instrument", None)
        return Me(
            username="" if principal.is_anonymous else user.get_username(),
            name=str(person) if person else "",
            orcid=(person.orcid or "") if person else "",
            is_anonymous=principal.is_anonymous,
            is_curator=principal.is_curator,
            is_administrator=principal.is_administrator,
            instrument=instrument_ref(instrument) if instrument else None,
            scopes=None if principal.scopes is None else sorted(principal.scopes),
        )
