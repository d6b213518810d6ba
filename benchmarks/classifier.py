"""How many images the classifier reads, recognises and both, on the processors or on the GPU of this machine.

    python -m benchmarks.classifier [--network inception-v3 | --release FOLDER] [--images 400] [--seconds 10]

Without a release the network has random weights, which take as long. The same script runs on a GPU:

    KERAS_BACKEND=jax python -m benchmarks.classifier --images 20000
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import tifffile

from classifier.pipeline.classifying import Classifier
from classifier.pipeline.feature_space import fit_feature_space
from classifier.pipeline.labels import NAMES
from classifier.pipeline.loading import Decoder, Source
from classifier.pipeline.preparing import prepare
from classifier.pipeline.reading import read_picture
from classifier.pipeline.releases import (
    KERAS_FILE,
    LITERT_FILE,
    SPACE_FILE,
    Manifest,
    Release,
    read_release,
    write_release,
)
from classifier.pipeline.results import Grey
from classifier.pipeline.runtimes import has_gpu, kinds_that_run, load_runtime

BATCHES_A_SECOND_ON_TWO_CORES = 25.0
IMAGES_A_SECOND_ON_AN_H200 = 12_000.0
SHARE_OF_DECODING = 0.7
MILLISECONDS_OF_DECODING = 3.0  # of one core, for a TIFF of 1024 x 768 without compression
DIFFERENT_FILES = 64


@dataclass(frozen=True)
class Row:
    """One line of the table; `target` None: only told. `is_upper` where less is better."""

    what: str
    measured: float
    unit: str
    target: float | None = None
    is_upper: bool = False

    @property
    def is_met(self) -> bool:
        if self.target is None:
            return True
        return self.measured <= self.target if self.is_upper else self.measured >= self.target


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="inception-v3", help="one of classifier/pipeline/networks.py")
    parser.add_argument("--release", type=Path, help="the folder of a model release instead")
    parser.add_argument("--images", type=int, default=400, help="that are decoded (default 400)")
    parser.add_argument("--seconds", type=float, default=10.0, help="for which a model runs (default 10)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        release = (
            read_release(arguments.release) if arguments.release else random_release(Path(folder), arguments.network)
        )
        files = write_tiffs(Path(folder))
        print(f"{len(os.sched_getaffinity(0))} processors, load {os.getloadavg()[0]:.1f}")
        print(f"{'what':70}{'measured':>10} {'unit':10}{'target':>10}{'ratio':>8}", flush=True)
        missed = [row for row in all_rows(release, files, arguments.images, arguments.seconds) if not print_row(row)]
    return 1 if missed else 0


def all_rows(release: Release, files: list[Path], images: int, seconds: float) -> Iterator[Row]:
    yield from model_rows(release, seconds)
    decoding = decoding_rows(files, release.manifest.input_side, images)
    yield from decoding
    yield from end_to_end_rows(release, files, images, decoding[-1].measured)


def print_row(row: Row) -> bool:
    """Whether it meets its target."""
    target, ratio = ("", "") if row.target is None else (f"{row.target:.2f}", f"{row.measured / row.target:.2f}")
    missed = "" if row.is_met else "  missed"
    print(f"{row.what:70}{row.measured:10.2f} {row.unit:10}{target:>10}{ratio:>8}{missed}", flush=True)
    return row.is_met


def random_release(folder: Path, network: str) -> Release:
    """A release of a network with random weights: Keras, and LiteRT in int8 where TensorFlow can convert it."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow" if find_spec("tensorflow") else "jax")
    import keras

    from classifier.pipeline.networks import ARCHITECTURES, build

    side = ARCHITECTURES[network].side
    model = build(network, side, len(NAMES))
    model.save(folder / KERAS_FILE)
    files: dict[str, Path | bytes] = {KERAS_FILE: folder / KERAS_FILE}
    noise = np.random.default_rng(0).integers(0, 256, (20, side, side), dtype=np.uint8)
    if keras.backend.backend() == "tensorflow":
        from classifier.pipeline.conversion import to_litert

        files[LITERT_FILE] = to_litert(model, noise)
    count = int(model.output["features"].shape[-1])
    features = np.random.default_rng(0).normal(1, 0.2, (400, count)).astype(np.float32)
    files[SPACE_FILE] = fit_feature_space(features, np.arange(400) % len(NAMES), features).to_bytes()
    manifest = Manifest(network, "random", network, NAMES, side, count, 1.0, 0.5)
    return write_release(folder / "release", manifest, files)


def write_tiffs(folder: Path) -> list[Path]:
    """Files of 1024 x 768 bytes without compression, which microscopes write."""
    rng = np.random.default_rng(0)
    paths = [folder / f"{number}.tif" for number in range(DIFFERENT_FILES)]
    for path in paths:
        tifffile.imwrite(path, rng.integers(0, 256, (768, 1024), dtype=np.uint8))
    return paths


def model_rows(release: Release, seconds: float) -> Iterator[Row]:
    """Prepared pictures to verdicts, the pictures lying in the memory of the host."""
    side = release.manifest.input_side
    pictures = np.random.default_rng(0).integers(0, 256, (256, side, side), dtype=np.uint8)
    kinds = kinds_that_run(release)
    if "litert" in kinds:
        classifier = Classifier(release, load_runtime(release, kind="litert"))
        measured = Measured.of(lambda: classifier.classify(pictures[:1]), seconds)
        yield Row(f"model alone, one picture, {classifier.runtime.name}", 1e3 * measured.seconds, "ms")
        target = None if has_gpu() else BATCHES_A_SECOND_ON_TWO_CORES
        yield from batch_rows(classifier, pictures, seconds, target)
    if "keras" in kinds:
        target = IMAGES_A_SECOND_ON_AN_H200 if has_gpu() else None
        yield from batch_rows(Classifier(release, load_runtime(release, kind="keras")), pictures, seconds, target)


def batch_rows(classifier: Classifier, pictures: Grey, seconds: float, target: float | None) -> list[Row]:
    """Several batches of the size that the run-time likes best at a time, so that it may work ahead. On processors that others
    use too, the time that they spent here tells what they would do alone."""
    size = classifier.runtime.batch_sizes[-1]
    many = np.concatenate([pictures] * (8 * size // len(pictures))) if size > 64 else pictures[: 2 * size + 6]
    measured = Measured.of(lambda: classifier.classify(many), seconds)
    name = f"model alone, batches of {size}, {classifier.runtime.name}"
    rows = [Row(name, len(many) / measured.seconds, "images/s", target)]
    if not has_gpu():
        count = len(os.sched_getaffinity(0))
        rate = len(many) / measured.processor_seconds * count
        rows.append(Row(f"  were the {count} processors free (by processor time)", rate, "images/s"))
    return rows


def decoding_rows(files: list[Path], side: int, images: int) -> list[Row]:
    """Raw TIFF to prepared picture: processor time in this process, and all that the processes of a decoder reach."""
    started = time.process_time()
    for path in files:
        prepare(read_picture(path).pixels, side)
    milliseconds = 1e3 * (time.process_time() - started) / len(files)
    with Decoder(side) as decoder:
        warm_up(decoder, files)
        started = time.perf_counter()
        count = sum(len(batch.decoded) for batch in decoder.decode(sources(files, images), 64))
        rate = count / (time.perf_counter() - started)
    return [
        Row("decoding one TIFF of 1024 x 768, processor time", milliseconds, "ms", MILLISECONDS_OF_DECODING, True),
        Row(f"decoding on all {len(os.sched_getaffinity(0))} processors", rate, "images/s"),
    ]


def end_to_end_rows(release: Release, files: list[Path], images: int, decoded: float) -> list[Row]:
    """Files to verdicts, decoding ahead of the model. Only with a GPU is decoding what limits it."""
    classifier = Classifier(release, load_runtime(release, prefers="batch"))
    size = max(64, classifier.runtime.batch_sizes[-1])
    with Decoder(release.manifest.input_side) as decoder:
        warm_up(decoder, files)
        classifier.classify(np.zeros((size, release.manifest.input_side, release.manifest.input_side), np.uint8))
        started = time.perf_counter()
        verdicts = [classifier.classify(batch.pictures) for batch in decoder.decode(sources(files, images), size)]
        rate = sum(len(each) for each in verdicts) / (time.perf_counter() - started)
    share = Row("its share of decoding alone", rate / decoded, "", SHARE_OF_DECODING if has_gpu() else None)
    return [Row(f"files to verdicts, {classifier.runtime.name}", rate, "images/s"), share]


def sources(files: list[Path], images: int) -> list[Source]:
    return [Source(number, files[number % len(files)]) for number in range(images)]


def warm_up(decoder: Decoder, files: list[Path]) -> None:
    """Start the processes, and read the files into the memory of the machine."""
    for _ in decoder.decode(sources(files, 4 * len(files)), 64):
        pass


@dataclass(frozen=True)
class Measured:
    """Medians of one call: time passed, and time of processors used."""

    seconds: float
    processor_seconds: float

    @staticmethod
    def of(work: Callable[[], object], seconds: float) -> "Measured":
        work()
        times: list[tuple[float, float]] = []
        stops_at = time.perf_counter() + seconds
        while len(times) < 3 or time.perf_counter() < stops_at:
            started, used = time.perf_counter(), time.process_time()
            work()
            times.append((time.perf_counter() - started, time.process_time() - used))
        return Measured(*(statistics.median(column) for column in zip(*times, strict=True)))


if __name__ == "__main__":
    sys.exit(main())
