"""News of the classifier for the apps above, sent after the commit only. The portal wakes workers by it."""

from django.dispatch import Signal

work_recorded = (
    Signal()
)  # queue: str, keys: list[int] of work that is to be begun at once; none: cut the waiting into lists
