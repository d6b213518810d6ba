"""How landing pages write relations, roles and links of other things: formatting only, nothing is read here."""

import re
from datetime import date

from django import template
from django.conf import settings

from catalogue.identifier_forms import address_of, is_web_address
from catalogue.publication import RelatedIdentifier, normalise_doi

register = template.Library()


@register.filter
def in_words(name: str) -> str:
    """A name of DataCite's lists as people write it: "IsSupplementTo" is "is supplement to"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


@register.filter
def period(value: str) -> str:
    """A day, or a first and a last one as DataCite separates them, in words: "3 May 2029 to 5 May 2029"."""
    days = [date.fromisoformat(part) for part in value.split("/")]
    return " to ".join(f"{day.day} {day:%B %Y}" for day in days)


@register.filter
def web(address: str) -> str:
    """The address where it is one of the web; people write it, and a browser would follow other kinds too."""
    return address if is_web_address(address) else ""


@register.filter
def link(related: RelatedIdentifier) -> str:
    """Where a related thing is found: DOIs of this site at their landing pages, which test DOIs have nowhere else."""
    doi = normalise_doi(related.identifier)
    if related.identifier_type == "DOI" and doi.startswith(f"{settings.DATACITE_PREFIX.lower()}/"):
        return f"/doi/{doi}"
    return address_of(related.identifier_type, related.identifier)
