"""`/help/harvest`: how programs take records and data. Its examples can be copied, and tests run every one of them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def harvest_help(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/harvest_help.html")
