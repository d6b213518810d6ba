"""A small real archive in the database and a real engine in a folder, for tests of indexing. No assertion belongs here."""

from collections.abc import Iterable

from catalogue.models import Dataset, DatasetRevision
from search.backends.base import Engine, Index, Request
from search.clauses import Clause, Everything, Term
from search.indexing.check import differences
from search.indexing.rebuild import rebuild_index
from tests import factories


def silent(text: str) -> None:
    """A build that tells nobody how far it is."""


def built(engine: Engine) -> Engine:
    """With an index of what is in the database."""
    rebuild_index(engine, tell=silent)
    return engine


def make_datasets(count: int, *, is_open: bool = True, **fields) -> list[Dataset]:
    investigation = fields.pop("investigation", None) or factories.make_investigation(is_open=is_open)
    return [factories.make_dataset(investigation, **fields) for _ in range(count)]


def found(index: Index, clause: Clause, *, document: str = "full") -> set[int]:
    """The datasets whose documents of this form meet `clause`, whoever may read them."""
    request = Request(access=Term("document", document), filters=(("one", clause),), limit=1_000)
    return {hit.dataset for hit in index.search(request).hits}


def held(index: Index) -> dict[int, int]:
    return dict(index.versions())


def everything(index: Index) -> set[int]:
    return found(index, Everything())


def wanted() -> dict[int, int]:
    """The version of each dataset that is shown."""
    active = DatasetRevision.objects.filter(dataset__state="active", dataset__investigation__state="active")
    return dict(active.values_list("dataset_id", "number"))


def drift(index: Index) -> list:
    return list(differences(index))


def keys(datasets: Iterable[Dataset]) -> set[int]:
    return {dataset.pk for dataset in datasets}
