"""`/api/v1/search`: the same questions as the page, by its parameters (GET) or as JSON (POST), answered with records."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from catalogue.api import openapi
from catalogue.api.answers import ApiView, read_answer
from catalogue.api.parsing import load_json
from catalogue.api.throttling import ReadThrottle
from search.backends import database
from search.backends.base import EngineUnavailable
from search.question.query import ACCESS_CHOICES, SELECTIONS, SORTS
from search.question.query_reading import LARGEST_PAGE, Parsed, parse_query, query_from_json
from search.results.answers import SearchAnswer, answer_document, document_of_database, next_address
from search.results.asking import PAGE_FACETS, ask, asker_of, trouble_text
from search.results.chips import address
from search.results.forms import read_form
from search.results.pages import query_for_database

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
PARAMETERS = [
    OpenApiParameter(
        "q", TEXT, description='Words, "phrases", OR, -not, field:value, ranges, wildcards: see /help/search'
    ),
    *(OpenApiParameter(name, TEXTS, description=f"Value of {name}; several are alternatives") for name in SELECTIONS),
    OpenApiParameter("p.NAME", TEXT, description="Range of the numeric parameter NAME with its unit, such as 5..10 kV"),
    OpenApiParameter("has", TEXTS, description="Name of a parameter that must be there"),
    OpenApiParameter("confidence", TEXT, description="How sure the model is of a category, in percent: 80..100"),
    OpenApiParameter(
        "access", {"type": "string", "enum": list(ACCESS_CHOICES)}, description="What its reader may read"
    ),
    OpenApiParameter("from", {"type": "string", "format": "date"}, description="Measured on that day or later"),
    OpenApiParameter("to", {"type": "string", "format": "date"}, description="Measured on that day or before"),
    OpenApiParameter("like", {"type": "string", "format": "uuid"}, description="Uid of a dataset: others like it"),
    OpenApiParameter("histogram", TEXTS, description="Numeric parameter to count by value: NAME or NAME|UNIT"),
    OpenApiParameter("sort", {"type": "string", "enum": list(SORTS)}, description="Order of the hits"),
    OpenApiParameter("size", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}, description="Hits of a page"),
    OpenApiParameter(
        "cursor", TEXT, description="Where the page begins; taken from `cursor` or `next` of the page before"
    ),
]
QUERY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A question. What is not understood is left out, and `notes` of the answer say so.",
    "properties": {
        "text": {"type": "string"},
        "filters": {
            "type": "object",
            "properties": {name: {"type": "array", "items": {"type": "string"}} for name in SELECTIONS},
        },
        "confidence": {"type": "object", "properties": {"from": {"type": "integer"}, "to": {"type": "integer"}}},
        "parameters": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {"from": {"type": "number"}, "to": {"type": "number"}, "unit": {"type": "string"}},
            },
        },
        "has": {"type": "array", "items": {"type": "string"}},
        "access": {"type": "string", "enum": list(ACCESS_CHOICES)},
        "measured": {"type": "object", "properties": {"from": {"type": "string"}, "to": {"type": "string"}}},
        "like": {"type": "string", "format": "uuid"},
        "sort": {"type": "string", "enum": list(SORTS)},
        "histograms": {"type": "array", "items": {"type": "string"}},
        "size": {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE},
        "cursor": {"type": "string"},
    },
}
EXAMPLE = {
    "text": "nanowires",
    "filters": {"category": ["Nanowires"], "verified": ["yes"]},
    "parameters": {
        "accelerating_voltage": {"from": 5, "to": 10, "unit": "kV"},
        "pixel_size_x": {"to": 5, "unit": "nm"},
    },
}


class SearchThrottle(ReadThrottle):
    """A question is a read, by whatever verb."""

    scope = "search"

    def counts(self, request: Request) -> bool:
        return True


class Search(ApiView):
    permission_classes = [AllowAny]
    throttle_classes = [SearchThrottle]

    @extend_schema(
        summary="Search datasets",
        operation_id="search_datasets",
        parameters=[*PARAMETERS, openapi.IF_NONE_MATCH],
        responses=openapi.answers_of(SearchAnswer, 429),
    )
    def get(self, request: Request) -> HttpResponse:
        """By the parameters of the page: its address with `/api/v1/search` in the place of `/search`."""
        return self._answer(parse_query(read_form(dict(request.query_params.lists())).values, self.principal))

    @extend_schema(
        summary="Search datasets by a JSON query",
        operation_id="search_datasets_by_json",
        request={"application/json": QUERY_SCHEMA},
        examples=[OpenApiExample("Query", value=EXAMPLE, request_only=True)],
        responses=openapi.answers_of(SearchAnswer, 422, 429),
    )
    def post(self, request: Request) -> HttpResponse:
        """By a JSON document, in the form in which every answer gives its `query` back."""
        return self._answer(query_from_json(load_json(self.body), self.principal))

    def _answer(self, parsed: Parsed) -> HttpResponse:
        return read_answer(self.request, search_answer(parsed))


def search_answer(parsed: Parsed) -> SearchAnswer:
    """Facets come with the first page only: the others would have the same. From the database while no engine answers."""
    query = parsed.query
    url = f"{settings.SITE_URL}{address(query, 'api-search')}"
    try:
        answer = ask(query, asker_of(query.principal, now=timezone.now()), facets=() if query.cursor else PAGE_FACETS)
    except EngineUnavailable:
        narrowed, left_out = query_for_database(query)
        listed = database.answer(narrowed)
        notes = (*parsed.notes, trouble_text(), *left_out)
        return document_of_database(query, listed, notes=notes, next_url=next_address(url, listed.next_cursor))
    notes = tuple(dict.fromkeys((*parsed.notes, *answer.notes)))
    return answer_document(answer, notes=notes, next_url=next_address(url, answer.next_cursor))
