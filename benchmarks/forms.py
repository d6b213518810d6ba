"""What each form of a record costs, in processor time: written again and again from a description that is there already.

    python -m benchmarks.forms [--rounds 400]

The record is a usual one: an open dataset with five authors, five techniques, twenty values and three files. Every form of the
registry is measured, and what is made of records beside those. Targets are those of exports, and for harvests those of a share
of what one worker process gives in a second.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.test")

EXPORT_MILLISECONDS = 20.0
# 8,000 records a second in oai_dc and 4,000 in oai_datacite, half of the time of each for writing.
TARGETS = {"dc.xml": 0.0625, "datacite.xml": 0.12, "oai_datacite": 0.12, "publication": 0.05, "FAIR checks": 0.5}
BATCHES = 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=400, help="at most; a slow form is written less often")
    arguments = parser.parse_args()

    import django

    django.setup()
    missed = 0
    print(f"{'form':16}{'bytes':>10}{'ms':>10}{'target':>10}{'ratio':>8}")
    for name, work in _works().items():
        size, milliseconds = len(work()), _milliseconds(work, arguments.rounds)
        target = TARGETS.get(name, EXPORT_MILLISECONDS)
        missed += milliseconds > target
        mark = "  missed" if milliseconds > target else ""
        print(f"{name:16}{size:10,}{milliseconds:10.3f}{target:10.3f}{milliseconds / target:8.2f}{mark}")
    return int(missed > 0)


def _works() -> dict[str, Callable[[], bytes]]:
    from catalogue.interop import pidinst
    from catalogue.interop.datacite_xml import oai_datacite_of
    from catalogue.interop.fair import assess
    from catalogue.interop.forms import forms_of
    from catalogue.interop.publications import publication_of
    from tests import described

    description = _usual()
    record, site, publication = description.record, description.site, description.publication
    works: dict[str, Callable[[], bytes]] = {
        form.suffix: (lambda write=form.write: write(description)) for form in forms_of(description)
    }
    works["oai_datacite"] = lambda: oai_datacite_of(publication, repository="EXAMPLE.ARCHIVE")
    works["pidinst.json"] = lambda: pidinst.json_of(described.instrument_record(), site=site)
    works["publication"] = lambda: publication_of(record, site=site).doi.encode()
    works |= _biggest(description)
    works["FAIR checks"] = lambda: str(assess(description)).encode()
    return works


def _biggest(description):  # type: ignore[no-untyped-def]
    """The documents that grow with what they list, at the bounds of a description: files of a dataset, labelled images."""
    import json
    from dataclasses import replace

    from catalogue.interop.croissant import croissant
    from catalogue.interop.description import MOST_FILES, MOST_IMAGES
    from catalogue.interop.ro_crate import crate
    from catalogue.record import LabelledImage
    from tests import described

    files = tuple(described.a_file(f"scan_{number:05}.tif") for number in range(MOST_FILES))
    images = tuple(
        LabelledImage(
            f"wires-0/scan_{number:05}.tif", f"/scan_{number:05}.tif", "image/tiff", "ab" * 32, "Wires", 0.9, False
        )
        for number in range(MOST_IMAGES)
    )
    with_files, with_images = replace(description, files=files), replace(description, images=images)
    return {
        "crate, 1000": lambda: json.dumps(crate(with_files)).encode(),
        "croissant, 2000": lambda: json.dumps(croissant(with_images)).encode(),
    }


def _usual():  # type: ignore[no-untyped-def]
    from dataclasses import replace

    from catalogue.record import TermRef
    from tests import described

    people = tuple(
        replace(described.PEOPLE[0], given_name=f"Ana {number}", family_name=f"García-{number}") for number in range(5)
    )
    panet = "http://purl.org/pan-science/PaNET/PaNET"
    techniques = tuple(TermRef(f"{panet}0118{number}", f"technique of number {number}") for number in range(5))
    values = tuple(described.number(f"value_{number}", float(number), "nm") for number in range(20))
    abstract = "We grew <nanowires> & measured them, one after the other. " * 12
    return described.describe(
        described.dataset_record(people=people, techniques=techniques, parameters=values, description=abstract)
    )


def _milliseconds(work: Callable[[], bytes], rounds: int) -> float:
    """Of the processor for one record: the median of some batches, after a first one that fills caches and loads modules."""
    started = time.process_time()
    work()
    count = max(1, min(rounds, int(0.2 / max(time.process_time() - started, 1e-6))))
    times = []
    for _ in range(BATCHES):
        started = time.process_time()
        for _ in range(count):
            work()
        times.append((time.process_time() - started) * 1000 / count)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
