"""Inner joins that few datasets meet are looked up first, so that nothing else need be walked through to find them.

A database that walks the datasets in their order is quick where many have what is asked for, and slow where few have; one
that begins with the values of a parameter is the other way round. One short look tells which it is.
"""

from dataclasses import replace

from django.db.models import QuerySet

from search.panosc import pids
from search.panosc.conditions import Filter, Include, Test
from search.panosc.schema import MODELS
from search.panosc.tables import PARAMETER, Asker
from search.panosc.translate import condition_q, tagged_datasets

MOST_NARROW = 2_000
MOST_LOOKS = 2


def narrowed(filter: Filter, model: str, asker: Asker) -> Filter:
    """The filter of a list of `model` with the keys of the datasets at the inner joins that few of them meet; two queries at most."""
    return _Narrowing(asker).filter(filter, model)


class _Narrowing:
    def __init__(self, asker: Asker) -> None:
        self.asker, self.looks = asker, 0

    def filter(self, filter: Filter, model: str) -> Filter:
        return replace(filter, includes=tuple(self._include(one, model) for one in filter.includes))

    def _include(self, include: Include, model: str) -> Include:
        """The keys are those of datasets: what other models include is not looked up so."""
        keys = self._keys(include) if model == "Dataset" else None
        if keys is not None and self.looks < MOST_LOOKS:
            self.looks += 1
            found = list(keys[: MOST_NARROW + 1])
            return replace(include, among=frozenset(found)) if len(found) <= MOST_NARROW else include
        return replace(include, filter=self.filter(include.filter, MODELS[model].relations[include.relation]))

    def _keys(self, include: Include) -> QuerySet | None:
        """The datasets that meet an include of theirs, where an index leads to them."""
        where = include.filter.where
        if not include.is_required:
            return None
        if include.relation == "parameters":
            own = PARAMETER.rows(self.asker).filter(~pids.IS_STATED_BY_DOCUMENT)
            rows = own.filter(condition_q(where, PARAMETER, self.asker))
            return rows.values_list("dataset_id", flat=True)
        if include.relation == "techniques" and isinstance(where, Test):
            return tagged_datasets(where, self.asker).values_list("dataset_id", flat=True)
        return None
