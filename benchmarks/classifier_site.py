"""From an upload to its result, and from the files of an archive to stored annotations, with the whole site around the model.

    python -m benchmarks.classifier_site [--release FOLDER | --network inception-v3] [--database sqlite|postgresql]
        [--images 1000] [--uploads 30]

Without a release the network has random weights, which take as long; `classifier/demonstration` is a release too. Everything is
made for the run and thrown away. `benchmarks.classifier` measures the parts.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np

from tests.services import Missing, postgres_server

MILLISECONDS = 400.0
SHARE_OF_DECODING = 0.7
IMAGES_A_SECOND = 25.0
WORLD = "classification"
SHAPE = (768, 1024)
DIFFERENT_FILES = 64
LONGEST = 60.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", type=Path, help="the folder of a model release")
    parser.add_argument("--network", default="inception-v3", help="a network with random weights instead")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--images", type=int, default=1000, help="of the archive (default 1000)")
    parser.add_argument("--uploads", type=int, default=30, help="one after the other (default 30); 0: none")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.inside:
        return measure(arguments)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="faircat-bench-"))
        try:
            database = stack.enter_context(postgres_server()) if arguments.database == "postgresql" else ""
        except Missing as missing:
            print(f"There is no PostgreSQL: {missing}")
            return 1
        command = [sys.executable, "-m", "benchmarks.classifier_site", *sys.argv[1:], "--inside", folder]
        return subprocess.run(command, env=environment(folder, database), check=False).returncode


def environment(folder: str, database: str) -> dict[str, str]:
    values = os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings.dev",
        "FAIRCAT_DATA_DIR": folder,
        "FAIRCAT_RATE_WRITE": "1000000/min",
        "FAIRCAT_RATE_READ": "1000000/min",
        "LOG_LEVEL": "ERROR",
    }
    values.pop("DATABASE_URL", None)
    return values | ({"DATABASE_URL": database} if database else {})


def measure(arguments: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    for name in ("messages", "control"):
        (arguments.inside / "broker" / name).mkdir(parents=True)
    call_command("migrate", verbosity=0)
    install(arguments)
    rows = []
    if arguments.uploads:
        rows += [("upload to result, median", median_upload(arguments.uploads), "ms", MILLISECONDS, True)]
    if arguments.images:
        rows += archive_rows(arguments.inside / "archive", arguments.images)
    print(f"{arguments.database}, {len(os.sched_getaffinity(0))} processors, load {os.getloadavg()[0]:.1f}")
    for what, measured, unit, target, is_upper in rows:
        is_met = target is None or (measured <= target if is_upper else measured >= target)
        told = "" if target is None else f"target {target:g}{'' if is_met else ', missed'}"
        print(f"{what:44}{measured:10.2f} {unit:10} {told}")
    return 0


def install(arguments: argparse.Namespace) -> None:
    from benchmarks.classifier import random_release
    from catalogue.access import SYSTEM
    from classifier.services.releases import activate_release, install_release

    folder = arguments.release
    if folder is None:
        made = arguments.inside / "made"
        made.mkdir()
        folder = random_release(made, arguments.network).folder
    activate_release(actor=SYSTEM, release=install_release(actor=SYSTEM, folder=folder.resolve()))


def tiff(seed: int) -> bytes:
    """A picture without compression, as microscopes write it."""
    import io

    import tifffile

    stream = io.BytesIO()
    tifffile.imwrite(stream, np.random.default_rng(seed).integers(0, 256, SHAPE, dtype=np.uint8))
    return stream.getvalue()


def archive_rows(folder: Path, images: int) -> list[tuple]:
    """Files to stored annotations in this process, as a worker for heaps does it, beside decoding alone."""
    from benchmarks.classifier import warm_up
    from classifier.models import ModelRelease, Prediction, Work
    from classifier.pipeline.loading import Decoder, Source
    from classifier.pipeline.runtimes import has_gpu
    from classifier.services import dispatch, results

    paths = register(folder, images)
    side = int(ModelRelease.objects.get(state="active").manifest["input_side"])
    with Decoder(side) as decoder:
        warm_up(decoder, paths[:DIFFERENT_FILES])
        began_at = time.perf_counter()
        decoded = sum(len(batch.decoded) for batch in decoder.decode([Source(p, p) for p in paths], 256))
        decoding = decoded / (time.perf_counter() - began_at)
    first, *_ = dispatch.announce(dispatch.GPU)
    results.STAYS = 0.0
    results.classify(dispatch.GPU, first[:16])  # loads the model and starts the processes
    results.STAYS = 5.0
    before, began_at = Prediction.objects.count(), time.perf_counter()
    keys = first[16:]
    while keys:
        results.classify(dispatch.GPU, keys)
        keys = list(Work.objects.filter(queue=dispatch.GPU, state="waiting").values_list("pk", flat=True)[:64])
    rate = (Prediction.objects.count() - before) / (time.perf_counter() - began_at)
    share = SHARE_OF_DECODING if has_gpu() else None
    return [
        ("decoding alone, all processors", decoding, "images/s", None, False),
        ("files to stored annotations", rate, "images/s", None if has_gpu() else IMAGES_A_SECOND, False),
        ("its share of decoding alone", rate / decoding, "", share, False),
    ]


def register(folder: Path, images: int) -> list[Path]:
    """Datasets with one image each, in the catalogue and queued; a few different files under many names."""
    from catalogue.access import SYSTEM, principal_of
    from catalogue.entries import DatasetEntry, FileEntry
    from catalogue.models import Dataset
    from catalogue.services.registration import register_datasets
    from classifier.services.backlog import queue_datasets
    from tests import factories

    folder.mkdir()
    contents = [folder / f"original_{number}.tif" for number in range(DIFFERENT_FILES)]
    for number, path in enumerate(contents):
        path.write_bytes(tiff(number))
    paths = [folder / f"{number:07}.tif" for number in range(images)]
    for number, path in enumerate(paths):
        os.link(contents[number % DIFFERENT_FILES], path)
    instrument = factories.make_instrument(short_name=WORLD)
    factories.make_storage(folder, name=WORLD, instrument=instrument)
    factories.make_investigation(instrument=instrument, visit_id=WORLD, is_open=True)
    actor = principal_of(factories.make_instrument_account(instrument, WORLD))
    for start in range(0, images, 1000):
        entries = [
            DatasetEntry(
                investigation=WORLD,
                title=f"Image {path.stem}",
                files=(FileEntry(storage=WORLD, path=path.name, size=path.stat().st_size),),
            )
            for path in paths[start : start + 1000]
        ]
        register_datasets(actor=actor, entries=entries)
    uids = list(Dataset.objects.values_list("uid", flat=True))
    queue_datasets(actor=SYSTEM, uids=uids)
    return paths


def median_upload(uploads: int) -> float:
    """Milliseconds from the first byte sent to the answer that holds the category; client, site and worker on this machine."""
    from benchmarks.registration import site
    from catalogue.access import principal_of
    from catalogue.services.tokens import create_token
    from tests import factories

    user = factories.make_user("uploader")
    principal = principal_of(user)
    lifetime = timedelta(days=1)
    token = create_token(actor=principal, owner=user, name="bench", scopes=["read", "register"], lifetime=lifetime)[1]
    with site() as port, worker():
        upload(port, token, tiff(10_000))  # loads the model
        time.sleep(3)
        return statistics.median(upload(port, token, tiff(number)) for number in range(uploads))


@contextmanager
def worker() -> Iterator[None]:
    """One for single images and one for scales, as `make run` has them."""
    command = [sys.executable, "-m", "celery", "--app", "portal", "worker", "--loglevel", "ERROR", "--concurrency", "1"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    queues = (("default,index,cpu", "first@%h"), ("ocr,gpu", "second@%h"))
    processes = [
        subprocess.Popen([*command, "--queues", names, "--hostname", host], stdout=subprocess.DEVNULL)
        for names, host in queues
    ]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def upload(port: int, token: str, content: bytes) -> float:
    boundary = uuid4().hex
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="image.tif"\r\n'
    body = f"{head}Content-Type: image/tiff\r\n\r\n".encode() + content + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Authorization": f"Bearer {token}"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
    began_at = time.perf_counter()
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    connection.request("POST", "/api/v1/classifications", body, headers | kind)
    answer = connection.getresponse()
    address = answer.headers["Location"]
    assert answer.status == 201, answer.read()
    answer.read()
    while time.perf_counter() - began_at < LONGEST:
        connection.request("GET", address, headers=headers)
        (result,) = json.loads(connection.getresponse().read())["results"]
        if result["label"]:
            return 1e3 * (time.perf_counter() - began_at)
        time.sleep(0.02)
    raise AssertionError(f"no result after {LONGEST} s: {result}")


if __name__ == "__main__":
    sys.exit(main())
