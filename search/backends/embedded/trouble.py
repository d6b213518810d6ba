"""What Tantivy raises, in words that a page can show. Nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

from search.backends.base import EngineUnavailable


@contextmanager
def told(trouble: str) -> Iterator[None]:
    """Raise EngineUnavailable with the words of `trouble` where Tantivy, the disk or a broken index fails.

    A panic of Tantivy's (a file cut short, bytes that make no sense) is no Exception to Python: it is known by its name.
    """
    try:
        yield
    except (ValueError, OSError, RuntimeError) as error:
        is_busy = "LockBusy" in str(error)
        raise EngineUnavailable("Another process is writing the search index." if is_busy else trouble) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise EngineUnavailable(trouble) from error
