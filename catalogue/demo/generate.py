"""Makes the files of the demonstration: the same seed and day give the same bytes.

Calls the writers of microscope and beamline files with what `plan` says; registering the files is a service's business.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.random import Generator

from catalogue.demo import beamline_files, microscope_files
from catalogue.demo.microscope_files import Exposure
from catalogue.demo.pictures import PICTURES, blur, smooth_noise
from catalogue.demo.plan import (
    DATASETS,
    FACILITIES,
    INSTRUMENTS,
    INVESTIGATIONS,
    SYNTHETIC_NOTE,
    DemoDataset,
    DemoInvestigation,
)
from catalogue.vocabularies.techniques import TECHNIQUE_KEYS

DEFAULT_SEED = 20
_MINUTES_BETWEEN_DATASETS = 23


@dataclass(frozen=True)
class DemoFile:
    """One file with what its registration needs; files with the same `dataset` belong together, side-cars last."""

    path: Path
    dataset: str
    investigation: str
    instrument: str
    sample: str
    title: str
    description: str
    kind: str
    derived_from: str
    technique_iris: tuple[str, ...]
    acquired_at: datetime


@dataclass(frozen=True)
class _Job:
    """One dataset to be written: where, at random from where, and when (with zone)."""

    dataset: DemoDataset
    folder: Path
    random: Generator
    acquired_at: datetime

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.dataset.options)

    def path(self, suffix: str) -> Path:
        return self.folder / f"{self.dataset.key}{suffix}"

    def about(self) -> dict[str, Any]:
        return {"title": self.dataset.title, "sample": self.dataset.sample, "started_at": self.acquired_at}


def make_demo_files(folder: Path, *, today: date, seed: int = DEFAULT_SEED) -> list[DemoFile]:
    """Write all files below `folder/<instrument>/<visit>/` (about 40 files, 20 MB, a few seconds) and describe them.

    `today` is the day that the plan counts back from.
    """
    investigations = {investigation.visit_id: investigation for investigation in INVESTIGATIONS}
    files: list[DemoFile] = []
    for number, dataset in enumerate(DATASETS):
        investigation = investigations[dataset.investigation]
        job = _Job(
            dataset=dataset,
            folder=folder / investigation.instrument / investigation.visit_id,
            random=np.random.default_rng([seed, zlib.crc32(dataset.key.encode())]),
            acquired_at=_acquired_at(investigation, number, today),
        )
        job.folder.mkdir(parents=True, exist_ok=True)
        files += [_describe(job, investigation, path) for path in _RECIPES[dataset.recipe](job)]
    return files


def _acquired_at(investigation: DemoInvestigation, number: int, today: date) -> datetime:
    zone = next(
        facility.time_zone
        for facility in FACILITIES
        for instrument in INSTRUMENTS
        if instrument.short_name == investigation.instrument and facility.short_name == instrument.facility
    )
    minutes = 30 + number % 8 * _MINUTES_BETWEEN_DATASETS
    return (investigation.started_at(today) + timedelta(minutes=minutes, seconds=7 * number)).astimezone(ZoneInfo(zone))


def _describe(job: _Job, investigation: DemoInvestigation, path: Path) -> DemoFile:
    dataset = job.dataset
    return DemoFile(
        path=path,
        dataset=dataset.key,
        investigation=dataset.investigation,
        instrument=investigation.instrument,
        sample=dataset.sample,
        title=dataset.title,
        description=SYNTHETIC_NOTE,
        kind="processed" if dataset.derived_from else "raw",
        derived_from=dataset.derived_from,
        technique_iris=tuple(TECHNIQUE_KEYS[key] for key in dataset.techniques),
        acquired_at=job.acquired_at,
    )


def _exposure(job: _Job, *, voltage: float, detector: str) -> Exposure:
    random = job.random
    x, y = random.uniform(-0.02, 0.02, 2)
    return Exposure(
        acquired_at=job.acquired_at.replace(tzinfo=None),
        sample=job.dataset.sample,
        field_of_view=job.options["field_of_view"],
        voltage=voltage,
        working_distance=round(random.uniform(0.0035, 0.0095), 4),
        detector=detector,
        tilt=job.options.get("tilt", 0.0),
        stage=(round(x, 6), round(y, 6), round(random.uniform(0.008, 0.02), 6)),
    )


def _claimed(job: _Job, exposure: Exposure) -> Exposure:
    """What the metadata say, which is the scale of another picture where the plan wants that."""
    return replace(exposure, field_of_view=job.options.get("claimed_field_of_view", exposure.field_of_view))


def _picture(job: _Job, maker: str) -> Any:
    return PICTURES[job.options["picture"]](job.random, microscope_files.SHAPES[maker])


def _zeiss(job: _Job) -> list[Path]:
    path, exposure = job.path(".tif"), _exposure(job, voltage=5000, detector="InLens")
    microscope_files.write_zeiss(path, _picture(job, "zeiss"), exposure, _claimed(job, exposure))
    return [path]


def _fei(job: _Job) -> list[Path]:
    path = job.path(".tif")
    microscope_files.write_fei(path, _picture(job, "fei"), _exposure(job, voltage=2000, detector="TLD"))
    return [path]


def _tescan(job: _Job) -> list[Path]:
    exposure = _exposure(job, voltage=10_000, detector="SE")
    has_sidecar = job.dataset.recipe.endswith("side-car")
    return microscope_files.write_tescan(job.path(".tif"), _picture(job, "tescan"), exposure, has_sidecar=has_sidecar)


def _jeol(job: _Job) -> list[Path]:
    exposure = _exposure(job, voltage=15_000, detector="LED")
    return microscope_files.write_jeol(job.path(".tif"), _picture(job, "jeol"), exposure, _claimed(job, exposure))


def _mrc_picture(job: _Job) -> list[Path]:
    """A noisy micrograph of round shells."""
    random, size = job.random, 512
    picture = smooth_noise(random, (size, size), 90) * 6
    rows, columns = np.ogrid[:size, :size]
    for x, y in random.uniform(20, size - 20, (70, 2)):
        distance = np.hypot(rows - y, columns - x)
        picture -= 16 * np.exp(-(((distance - 11) / 3.2) ** 2))
    counts = 120 + picture + 14 * random.standard_normal((size, size))
    path = job.path(".mrc")
    microscope_files.write_mrc(path, counts.astype(np.int16), voxel_size=5.2e-10, title=job.dataset.title)
    return [path]


def _mrc_volume(job: _Job) -> list[Path]:
    """A hollow shell with eight-fold bumps."""
    z, y, x = np.mgrid[-32:32, -32:32, -32:32].astype(np.float32)
    radius = np.sqrt(x**2 + y**2 + z**2) + 1e-3
    bumps = 1 + 0.25 * np.cos(4 * np.arctan2(y, x)) * (np.hypot(x, y) / radius)
    density = np.exp(-(((radius - 21 * bumps**0.15) / 3.0) ** 2)) * bumps
    noise = np.stack([blur(plane, 0.8) for plane in job.random.normal(0, 0.08, density.shape)])
    path = job.path(".mrc")
    data = (density + noise).astype(np.float32)
    microscope_files.write_mrc(path, data, voxel_size=2.6e-10, title=job.dataset.title)
    return [path]


def _beamline(write: Callable[..., None], suffix: str) -> Callable[[_Job], list[Path]]:
    def make(job: _Job) -> list[Path]:
        path = job.path(suffix)
        write(path, job.random, **job.about(), **job.options)
        return [path]

    return make


_RECIPES: dict[str, Callable[[_Job], list[Path]]] = {
    "zeiss": _zeiss,
    "fei": _fei,
    "tescan": _tescan,
    "tescan with side-car": _tescan,
    "jeol": _jeol,
    "mrc picture": _mrc_picture,
    "mrc volume": _mrc_volume,
    "sas image": _beamline(beamline_files.write_sas_image, ".nxs"),
    "reduced sas": _beamline(beamline_files.write_reduced_sas, ".h5"),
    "tomography": _beamline(beamline_files.write_tomography, ".nxs"),
    "fluorescence map": _beamline(beamline_files.write_fluorescence_map, ".nxs"),
    "crystal frames": _beamline(beamline_files.write_crystal_frames, ".nxs"),
    "spec": _beamline(beamline_files.write_spec, ".spec"),
}
