"""What somebody has chosen on the site: read here, changed on the page `/selection`."""

from django.http import HttpResponse
from rest_framework.request import Request

from catalogue.api import openapi
from catalogue.api.answers import ApiView, read_answer
from catalogue.api.filters import read_filters
from catalogue.record import DatasetRecord
from catalogue.services.selections import selected_records


class SelectionList(ApiView):
    @openapi.listing(DatasetRecord, "Read my selection")
    def get(self, request: Request) -> HttpResponse:
        """The datasets of your selection in the order of choosing, at most 500. Who comes without an account has none."""
        read_filters({}, request.query_params.dict())
        records = selected_records(actor=self.principal, session={})
        return read_answer(request, {"results": records, "next": None})
