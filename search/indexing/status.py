"""How search stands, for the status page and for metrics: whether the engine answers, what waits, what drifted."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min
from django.utils import timezone

from catalogue.models import DatasetRevision, Statistic
from search.backends.base import Engine, EngineUnavailable
from search.indexing.check import DRIFT
from search.indexing.sync import NoIndex, live_index
from search.models import IndexBuild

# An indexer at work needs seconds; a rebuild or a large import minutes.
IS_LATE_AFTER = timedelta(minutes=5)


@dataclass(frozen=True)
class Backlog:
    """How many datasets wait for the indexer, and since when the first of them does."""

    count: int
    since: datetime | None

    @property
    def age(self) -> timedelta:
        return timezone.now() - self.since if self.since else timedelta()


@dataclass(frozen=True)
class Status:
    is_up: bool
    text: str


def backlog() -> Backlog:
    waiting = DatasetRevision.objects.filter(is_pending=True).aggregate(count=Count("pk"), since=Min("changed_at"))
    return Backlog(waiting["count"], waiting["since"])


def index_status(engine: Engine) -> Status:
    """In words that name no host and no path, as anybody may read them."""
    waiting = backlog()
    wait = f"{waiting.count:,} datasets wait to be indexed"
    try:
        live_index(engine)
    except NoIndex:
        return Status(False, f"has no index yet{_progress()}")
    except EngineUnavailable:
        return Status(False, f"does not answer; {wait}")
    if waiting.age > IS_LATE_AFTER:
        wait += f", the first since {waiting.since:%Y-%m-%d %H:%M} UTC"
    return Status(waiting.age <= IS_LATE_AFTER, f"answers; {wait}{_drift()}{_progress()}")


def _drift() -> str:
    found = Statistic.objects.filter(name=DRIFT).first()
    if found is None:
        return ""
    drift = f"{found.value:,} differ" if found.value else "nothing differs"
    return f"; {drift} from the database ({found.measured_at:%Y-%m-%d %H:%M} UTC)"


def _progress() -> str:
    build = IndexBuild.objects.filter(state=IndexBuild.State.BUILDING).first()
    return f"; a new index is being built, {build.written:,} of {build.expected:,} datasets" if build else ""
