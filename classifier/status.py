"""How the classifier stands, for the status page and for metrics: what waits, what failed, and which programs are at hand."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec

from django.db.models import Count, Min
from django.utils import timezone

from classifier.models import Work
from classifier.pipeline.scale import is_tesseract_available
from classifier.services.dispatch import HAS_FAILED, IS_UNDONE
from classifier.services.releases import active_release

RECENT = timedelta(days=1)
# What runs models, by the module that is looked for and never imported.
RUNTIMES = (("ai_edge_litert", "LiteRT"), ("tensorflow", "TensorFlow"), ("jax", "JAX"))


@dataclass(frozen=True)
class Status:
    is_up: bool
    text: str


@dataclass(frozen=True)
class QueueState:
    """`waiting` pieces of work, those at work included, and since when the first of them does."""

    name: str
    waiting: int
    since: datetime


def queue_states() -> list[QueueState]:
    rows = Work.objects.filter(IS_UNDONE).order_by("queue").values("queue")
    counted = rows.annotate(waiting=Count("pk"), since=Min("updated_at"))
    return [QueueState(row["queue"], row["waiting"], row["since"]) for row in counted]


def failed_lately() -> int:
    """Pieces of work that failed within a day."""
    return Work.objects.filter(HAS_FAILED, updated_at__gt=timezone.now() - RECENT).count()


def runtimes_here() -> list[str]:
    """What this installation runs models with; workers elsewhere may have others."""
    return [name for module, name in RUNTIMES if find_spec(module) is not None]


def classifier_status() -> Status:
    """In words that anybody may read."""
    release, runtimes = active_release(), runtimes_here()
    told = [f"uses {release}" if release else "has no model yet"]
    if release and release.is_demonstration:
        told[0] += ", a demonstration trained on synthetic images"
    told.append(f"runs models with {' and '.join(runtimes)}" if runtimes else "nothing here runs models")
    if not is_tesseract_available():
        told.append("banners are not read, as Tesseract is not installed")
    waiting = sum(queue.waiting for queue in queue_states())
    told.append(f"{waiting:,} pieces of work wait, {failed_lately():,} failed within a day")
    return Status(bool(runtimes) or release is None, "; ".join(told))
