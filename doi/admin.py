"""DOIs for administrators: all of them, those not in agreement with DataCite first found, and a button to try again.

Nothing is edited here: what is wanted of a DOI follows from its record.
"""

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from catalogue.access import principal_of
from doi.models import Identifier, IdentifierState
from doi.services import retry
from doi.status import status_of


class AgreementFilter(admin.SimpleListFilter):
    title = "agreement with DataCite"
    parameter_name = "agreement"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("no", "not in agreement"), ("yes", "in agreement")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Identifier]) -> QuerySet[Identifier]:
        differs = Q(accepted_version__lt=F("wanted_version"))
        chosen = {"no": differs, "yes": ~differs}.get(self.value() or "")
        return queryset.filter(chosen) if chosen else queryset


@admin.register(Identifier)
class IdentifierAdmin(admin.ModelAdmin):
    list_display = ("doi", "record", "wanted", "state", "agrees", "problem", "last_error", "last_attempt_at")
    list_filter = (AgreementFilter, "problem", "state")
    list_select_related = ("investigation", "collection", "concept")
    search_fields = ("doi",)
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("try_again",)
    fields = ("doi", "record", "wanted", "state", "delivery", "next_attempt", "problem", "problems", "last_error")
    readonly_fields = (*fields, "accepted_at", "checked_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Identifier]:
        """Those that only wait for the clock were never told to DataCite."""
        return super().get_queryset(request).exclude(wanted=IdentifierState.NONE)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "DOIs, and whether DataCite agrees"} | (extra_context or {}))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Identifier | None = None) -> bool:
        return bool(request.user.is_superuser and obj is None)

    def has_view_permission(self, request: HttpRequest, obj: Identifier | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Identifier | None = None) -> bool:
        return False

    @admin.display(boolean=True, description="agrees")
    def agrees(self, identifier: Identifier) -> bool:
        return identifier.is_settled

    @admin.display(description="how it stands")
    def delivery(self, identifier: Identifier) -> str:
        status = status_of(identifier)
        return f"{status.title}. {status.text}"

    @admin.display(description="next attempt")
    def next_attempt(self, identifier: Identifier) -> str:
        moment = status_of(identifier).next_attempt_at
        return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "-"

    @admin.action(description="Try again now")
    def try_again(self, request: HttpRequest, queryset: QuerySet[Identifier]) -> None:
        actor = principal_of(request.user)
        for identifier in queryset:
            retry(actor=actor, identifier=identifier)
        messages.success(request, f"{len(queryset)} DOIs are told to DataCite again.")
