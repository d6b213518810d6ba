"""News of the classifier for the apps above, sent after the commit only. The portal wakes workers by it."""

from django.dispatch import Signal

work_recorded = Signal()  # queue: str, keys: list[int] of work to be begun at once; none: cut what waits into lists
many_changed = Signal()  # uids: list[UUID] of datasets, too many for the request that changed them
