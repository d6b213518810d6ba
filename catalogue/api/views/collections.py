"""Collections: found and read. Writing one, reserving its DOI and publishing it are acts of people, on the pages of the wizard."""

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import status
from rest_framework.request import Request

from catalogue.api import openapi
from catalogue.api.answers import ApiView, read_answer
from catalogue.api.filters import COLLECTION_FILTERS, read_filters
from catalogue.api.pages import NEWEST_FIRST, next_link, read_limit, take_page
from catalogue.collection_selectors import (
    collection_records,
    find_collection,
    get_collection_record,
    listed_collections,
    member_page,
)
from catalogue.models.collections import CollectionState
from catalogue.record import CollectionRecord, MemberRef


class CollectionList(ApiView):
    @openapi.listing(CollectionRecord, "Find collections", filters=COLLECTION_FILTERS)
    def get(self, request: Request) -> HttpResponse:
        """Those that were published, and drafts that you may change; the newest first."""
        wanted = read_filters(COLLECTION_FILTERS, request.query_params.dict())
        page = take_page(listed_collections(self.principal).filter(**wanted), request, NEWEST_FIRST)
        return read_answer(request, page.document(collection_records(page.rows, self.principal, now=timezone.now())))


class CollectionDetail(ApiView):
    @openapi.reading(CollectionRecord, "Read a collection")
    def get(self, request: Request, uid: UUID) -> HttpResponse:
        """A withdrawn one is answered with 410, its reason and how it is cited."""
        record = get_collection_record(self.principal, uid=uid)
        status_code = status.HTTP_410_GONE if record.is_withdrawn else status.HTTP_200_OK
        return read_answer(request, record, version=record.version, status_code=status_code)


class CollectionMembers(ApiView):
    @openapi.listing(MemberRef, "List the members of a collection")
    def get(self, request: Request, uid: UUID) -> HttpResponse:
        """In their order; those that you may not know of are left out. Of a withdrawn collection none are listed."""
        read_filters({}, request.query_params.dict())
        limit, cursor = read_limit(request.query_params), request.query_params.get("cursor", "")
        collection = find_collection(self.principal, uid=uid)
        if collection.state == CollectionState.WITHDRAWN:
            return read_answer(request, {"results": [], "next": None})
        page = member_page(collection, self.principal, cursor=cursor, limit=limit)
        link = next_link(request, page.next_cursor) if page.next_cursor else None
        return read_answer(request, {"results": page.records, "next": link})
