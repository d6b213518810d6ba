"""What the values of facets are called: techniques with their broader terms, instruments, facilities.

These names are public, few and the same for everybody; they are read once a minute. Nothing here counts, and nothing knows
who asks. Which values somebody means by a name is the business of `choices`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.core.cache import cache

from catalogue.models import Facility, Instrument, Technique
from search.analysis import indexed

KEPT_SECONDS = 60
CACHE_KEY = "search-labels"


@dataclass(frozen=True)
class Names:
    """`techniques`, `other_labels` and `broader` by IRI, the last being the IRIs next above; the others by short name."""

    techniques: Mapping[str, str] = field(default_factory=dict)
    other_labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    broader: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    instruments: Mapping[str, str] = field(default_factory=dict)
    facilities: Mapping[str, str] = field(default_factory=dict)

    def label(self, facet: str, value: str) -> str:
        """What people call `value` of `facet`; the value itself where it has no other name."""
        return self._table(facet).get(value, value)

    def with_word(self, facet: str, text: str) -> tuple[str, ...]:
        """The values of `facet` one of whose names has words that begin with those of `text`."""
        wanted = f" {indexed(text)}"
        return tuple(
            value
            for value in self._table(facet)
            if wanted.strip() and any(wanted in f" {name}" for name in self._folded(facet, value))
        )

    def _table(self, facet: str) -> Mapping[str, str]:
        tables = {"technique": self.techniques, "instrument": self.instruments, "facility": self.facilities}
        return tables.get(facet, {})

    def _folded(self, facet: str, value: str) -> list[str]:
        others = self.other_labels.get(value, ()) if facet == "technique" else (value,)
        return [indexed(name) for name in (self._table(facet)[value], *others)]


def names() -> Names:
    kept: Names | None = cache.get_or_set(CACHE_KEY, read_names, KEPT_SECONDS)
    return kept or read_names()


def read_names() -> Names:
    broader: dict[str, tuple[str, ...]] = {}
    links = Technique.parents.through.objects.order_by("id")
    for narrow, broad in links.values_list("from_technique__iri", "to_technique__iri"):
        broader[narrow] = (*broader.get(narrow, ()), broad)
    techniques = list(Technique.objects.order_by().values_list("iri", "label", "alternative_labels"))
    return Names(
        techniques={iri: label for iri, label, _ in techniques},
        other_labels={iri: tuple(others) for iri, _, others in techniques if others},
        broader=broader,
        instruments=dict(Instrument.objects.order_by().values_list("short_name", "name")),
        facilities=dict(Facility.objects.order_by().values_list("short_name", "name")),
    )
