"""How much one archive holds: known to what makes archives, and to whatever names one."""

MOST_FILES = 50_000
MOST_DATASETS = 10_000


def is_one_archive(*, file_count: int, dataset_count: int = 1) -> bool:
    """Whether there is something to download and all of it goes into one archive."""
    return 0 < file_count <= MOST_FILES and dataset_count <= MOST_DATASETS
