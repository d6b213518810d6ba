"""The administrators' tables. What has a service is changed through it; every other change writes its audit row here.

Datasets, files and parameters are not edited here: they have pages and an API of their own.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import ValidationError
from django.db import models
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest

from catalogue import changes
from catalogue.access import principal_of
from catalogue.audit import write_audit
from catalogue.errors import InvalidInput
from catalogue.models import (
    AccessGrant,
    AuditEntry,
    Facility,
    Instrument,
    Investigation,
    Organisation,
    OutboxEntry,
    Person,
    Proposal,
    ScanRun,
    Storage,
    TeamMember,
    User,
    WatchRule,
)
from catalogue.models.base import Record
from catalogue.policy import policy_of
from catalogue.services.versions import write_version
from catalogue.services.watch_rules import check_watch_rule

# Inputs whose values no log may hold.
PASSWORDS = frozenset({"password", "password1", "password2"})


class AuditedAdmin(admin.ModelAdmin):
    """Writes who changed which fields. Administrators alone: the permission tables of Django are not used."""

    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def save_model(self, request: HttpRequest, obj: models.Model, form: ModelForm, change: bool) -> None:
        names = [name for name in form.changed_data if name not in PASSWORDS]
        before = {name: str(form.initial.get(name)) for name in names} if change else {}
        if change and isinstance(obj, Record):
            write_version(obj, {}, None)
            obj.refresh_from_db(fields=["version"])
        super().save_model(request, obj, form, change)
        after = {name: str(form.cleaned_data.get(name)) for name in names}
        action = "update" if change else "create"
        write_audit(actor=principal_of(request.user), action=action, record=obj, before=before, after=after)
        changes.row_changed(obj)

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseInlineFormSet, change: bool) -> None:
        """Rows edited below a record, such as its team, are changes of that record."""
        super().save_formset(request, form, formset, change)
        rows = {
            "added": [str(row) for row in formset.new_objects],
            "changed": [str(row) for row, _ in formset.changed_objects],
            "removed": [str(row) for row in formset.deleted_objects],
        }
        if any(rows.values()):
            after = {formset.prefix: {name: labels for name, labels in rows.items() if labels}}
            if isinstance(form.instance, Record) and change:
                write_version(form.instance, {}, None)
            write_audit(actor=principal_of(request.user), action="update", record=form.instance, after=after)
            changes.row_changed(form.instance)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        write_audit(actor=principal_of(request.user), action="delete", record=obj, before={"label": str(obj)})
        changes.row_changed(obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        for row in queryset:
            self.delete_model(request, row)


class ReadOnlyAdmin(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class AccountAdmin(AuditedAdmin, UserAdmin):
    list_display = ("username", "email", "is_curator", "is_superuser", "instrument", "is_active")
    list_filter = ("is_curator", "is_superuser", "is_active")
    fieldsets = (*(UserAdmin.fieldsets or ()), ("Faircat", {"fields": ("is_curator", "instrument")}))
    autocomplete_fields = ("instrument",)


POLICY_FIELDS = (
    "embargo_months",
    "maximum_embargo_months",
    "extension_hold_days",
    "embargo_metadata",
    "session_doi",
    "retention_years",
    "default_licence",
)


class PolicyForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        """The longest embargo of a facility, and of each of its instruments, is no shorter than the usual one."""
        values = super().clean() or self.cleaned_data
        if self.errors:
            return values
        for name, value in values.items():
            if name in POLICY_FIELDS:
                setattr(self.instance, name, value)
        for text in maximum_problems(self.instance, values.get("facility")):
            self.add_error("maximum_embargo_months", text)
        return values


def maximum_problems(record: Facility | Instrument, facility: Facility | None) -> list[str]:
    """What is wrong with the longest embargo of `record`: an instrument of `facility`, or a facility itself."""
    if isinstance(record, Instrument):
        owners = [(facility, record)] if facility else []
    else:
        instruments = record.instruments.all() if record.pk else ()
        owners = [(record, None), *((record, instrument) for instrument in instruments)]
    return [
        f"{instrument or owner}: data open after {policy.embargo_months} months, which is later than the maximum of "
        f"{policy.maximum_embargo_months} months."
        for owner, instrument in owners
        if (policy := policy_of(owner, instrument)).maximum_embargo_months < policy.embargo_months
    ]


@admin.register(Facility)
class FacilityAdmin(AuditedAdmin):
    form = PolicyForm
    list_display = ("name", "short_name", "embargo_months", "maximum_embargo_months", "default_licence")
    search_fields = ("name", "short_name")
    fieldsets = (
        (None, {"fields": ("name", "short_name", "ror", "url", "description", "time_zone")}),
        ("Data policy", {"fields": POLICY_FIELDS, "description": "Holds for what is registered from now on."}),
    )


INSTRUMENT_FIELDS = (
    "facility",
    "name",
    "short_name",
    "pid",
    "instrument_type",
    "manufacturer",
    "model",
    "serial_number",
    "description",
    "measured_variables",
    "url",
    "commissioned_on",
    "decommissioned_on",
    "techniques",
)


@admin.register(Instrument)
class InstrumentAdmin(AuditedAdmin):
    form = PolicyForm
    fieldsets = (
        (None, {"fields": INSTRUMENT_FIELDS}),
        ("Data policy", {"fields": POLICY_FIELDS, "description": "What is empty is as the facility says."}),
    )
    list_display = ("name", "short_name", "facility", "manufacturer", "model")
    list_filter = ("facility",)
    search_fields = ("name", "short_name")
    filter_horizontal = ("techniques",)


class TeamInline(admin.TabularInline):
    model = TeamMember
    extra = 0
    autocomplete_fields = ("person",)


@admin.register(Investigation)
class InvestigationAdmin(AuditedAdmin):
    list_display = ("visit_id", "title", "instrument", "started_at", "embargo_until", "state")
    list_filter = ("facility", "state")
    search_fields = ("visit_id", "title")
    autocomplete_fields = ("instrument", "facility")
    raw_id_fields = ("proposal",)
    inlines = (TeamInline,)
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Investigation | None = None) -> tuple[str, ...]:
        """Embargo and state of what exists change by their pages only, which never close what is open."""
        return ("embargo_until", "held_until", "released_at", "state", "withdrawal_reason") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Person)
class PersonAdmin(AuditedAdmin):
    list_display = ("family_name", "given_name", "orcid", "orcid_verified_at", "user")
    search_fields = ("family_name", "given_name", "orcid")
    readonly_fields = ("orcid_verified_at",)
    raw_id_fields = ("user", "affiliation")


@admin.register(Storage)
class StorageAdmin(ReadOnlyAdmin):
    """Storages are declared and changed on their own page, where the password is write-only."""

    list_display = ("name", "kind", "owner", "instrument", "is_active", "state", "checked_at")
    exclude = ("secret",)


class WatchRuleForm(ModelForm):
    def clean(self) -> dict[str, Any]:
        """The same checks as `declare_watch_rule` makes."""
        values = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                check_watch_rule(WatchRule(**values))
            except InvalidInput as error:
                raise ValidationError({name: list(texts) for name, texts in error.fields.items()}) from None
        return values


@admin.register(WatchRule)
class WatchRuleAdmin(AuditedAdmin):
    form = WatchRuleForm
    list_display = ("name", "storage", "instrument", "folder", "is_active")
    raw_id_fields = ("acts_as",)


@admin.register(AccessGrant)
class AccessGrantAdmin(AuditedAdmin):
    list_display = ("investigation", "dataset", "user", "group", "expires_at")
    raw_id_fields = ("investigation", "dataset", "user", "granted_by")


admin.site.register([Organisation, Proposal], AuditedAdmin)
admin.site.register([AuditEntry, OutboxEntry, ScanRun], ReadOnlyAdmin)
