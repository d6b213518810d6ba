"""What pages of the catalogue show of DOIs, asked from the templates: the catalogue itself does not know this app."""

from typing import Any
from uuid import UUID

from django import template
from django.template import Context

from catalogue.collection_selectors import own_collections
from catalogue.models.collections import CollectionState
from catalogue.services.consents import open_consents
from doi.delivery import with_records
from doi.models import Identifier
from doi.services import may_retry
from doi.status import status_of

register = template.Library()
SHOWN = 20


@register.inclusion_tag("doi/dashboard.html", takes_context=True)
def dashboard_of_dois(context: Context) -> dict[str, Any]:
    """The questions that a person has to answer, and the collections that they work on."""
    principal = context["principal"]
    collections = own_collections(principal).select_related("identifier").defer("text")[:SHOWN]
    return {
        "consents": list(open_consents(principal)[:SHOWN]),
        "collections": [{"collection": one, "state": _words(one)} for one in collections],
    }


@register.inclusion_tag("doi/session.html", takes_context=True)
def doi_of_session(context: Context, uid: UUID) -> dict[str, Any]:
    """How the DOI of an investigation stands, for those who may change the record; empty for everybody else."""
    principal = context["principal"]
    if principal.is_anonymous:
        return {}
    identifier = with_records(Identifier.objects.filter(investigation__uid=uid)).first()
    if identifier is None or not may_retry(identifier, principal):
        return {}
    return {"identifier": identifier, "status": status_of(identifier), "csrf_token": context.get("csrf_token")}


def _words(collection: Any) -> str:
    identifier = getattr(collection, "identifier", None)
    if collection.state == CollectionState.DRAFT and identifier is not None:
        return "draft, DOI reserved" if identifier.state == "draft" else "draft, DOI being reserved"
    if identifier is not None and identifier.problem == "refused":
        return f"{collection.get_state_display()}, refused by DataCite"
    return collection.get_state_display()
