"""What workers do for the classifier: thin tasks over services, each safe to repeat. Schedule: `portal/schedule.py`."""

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from catalogue.access import SYSTEM
from classifier.services import backlog, dispatch, images, measuring, results

# Seconds after which a worker that hangs is killed and its images given back.
LONGEST = 900


@shared_task(time_limit=LONGEST)
def classify_images(keys: list[int], queue: str) -> int:
    """Find out what the images of the work `keys` show."""
    count = results.classify(queue, keys)
    send_lists(queue)
    return count


@shared_task(time_limit=LONGEST)
def measure_scales(keys: list[int], queue: str = dispatch.OCR) -> int:
    """Find out how large the images of the work `keys` are."""
    count = measuring.measure(queue, keys)
    send_lists(queue)
    return count


@shared_task
def dispatch_waiting(queue: str = "") -> int:
    """Cut what waits into lists and send these to the workers of `queue`, or of every queue; how many lists."""
    return sum(send_lists(name) for name in ([queue] if queue else dispatch.QUEUES))


def send_lists(queue: str) -> int:
    lists = dispatch.announce(queue)
    for keys in lists:
        send_list(queue, keys)
    return len(lists)


def send_list(queue: str, keys: list[int]) -> None:
    task = measure_scales if queue == dispatch.OCR else classify_images
    task.apply_async([keys, queue], queue=queue)


@shared_task
def queue_changed(uids: list[str]) -> int:
    """Queue the new images of many datasets."""
    return backlog.queue_datasets(actor=SYSTEM, uids=[UUID(uid) for uid in uids])


@shared_task
def queue_forgotten() -> int:
    """Queue the images of the catalogue that no news told of."""
    return max((walked.queued for walked in backlog.walk_backlog(actor=SYSTEM)), default=0)


@shared_task
def remove_expired_images() -> int:
    """Remove uploads whose time is over, with their files."""
    return images.remove_expired(actor=SYSTEM, now=timezone.now())
