"""Writes files as synchrotron beamlines do: NeXus/HDF5 (NXsas, NXcanSAS, NXtomo, NXfluo, NXmx) and SPEC.

Structures follow the application definitions of the NeXus manual, small enough for a demonstration. Every file says in
its title and in an attribute of its root that it is synthetic.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import h5py
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from catalogue.demo.microscope_files import SYNTHETIC

_SOURCE = {"name": "Example Light Source", "type": "Synchrotron X-ray Source", "probe": "x-ray"}
_COMPRESSED = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
_HC = 12.398419843320026  # keV Å


def write_sas_image(
    path: Path,
    rng: Generator,
    *,
    title: str,
    sample: str,
    started_at: datetime,
    radius: float,
    temperature: float,
) -> None:
    """NXsas: a 2-D scattering pattern with beam stop, of spheres of a radius in nm, at a temperature in °C."""
    shape, distance, pixel, energy = (487, 619), 3.218, 172e-6, 12.4
    centre = (243.4, 302.8)
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    angle = np.arctan(np.hypot(rows - centre[0], columns - centre[1]) * pixel / distance)
    q = 4 * np.pi * np.sin(angle / 2) / (_HC / energy / 10)
    counts = rng.poisson(1.5 + 4e4 * _sphere_intensity(q, radius)).astype(np.int32)
    counts[np.hypot(rows - centre[0], columns - centre[1]) < 11] = 0
    counts[:, 303:306] = -1
    with h5py.File(path, "w") as file:
        entry = _entry(file, title, "NXsas", started_at, timedelta(seconds=60))
        instrument = _instrument(entry, "BL04 small angle scattering", energy)
        detector = _group(instrument, "detector", "NXdetector")
        detector.create_dataset("data", data=counts, **_COMPRESSED)
        _fields(detector, distance=(distance, "m"), x_pixel_size=(pixel, "m"), y_pixel_size=(pixel, "m"))
        _fields(
            detector, beam_center_x=(centre[1], "pixel"), beam_center_y=(centre[0], "pixel"), count_time=(60.0, "s")
        )
        detector["description"] = "Example photon counting detector"
        collimator = _group(instrument, "collimator", "NXcollimator")
        geometry = _group(_group(collimator, "geometry", "NXgeometry"), "shape", "NXshape")
        geometry["shape"] = "nxslit"
        _fields(geometry, size=([0.0004, 0.0004], "m"))
        _sample(entry, sample, thickness=(1.0, "mm"), temperature=(temperature, "degC"))
        _default_plot(entry, "data", signal=detector["data"])


def write_reduced_sas(
    path: Path,
    rng: Generator,
    *,
    title: str,
    sample: str,
    started_at: datetime,
    radius: float,
    temperature: float,
) -> None:
    """NXcanSAS: intensity versus scattering vector, with uncertainties, of the same spheres."""
    q = np.geomspace(0.05, 3.2, 240)
    intensity = 120 * _sphere_intensity(q, radius) + 0.02
    deviation = 0.02 * intensity + 0.002
    with h5py.File(path, "w") as file:
        entry = _entry(file, title, "NXcanSAS", started_at, timedelta(seconds=60))
        entry.attrs.update({"canSAS_class": "SASentry", "version": "1.1", "default": "sasdata01"})
        entry["run"] = path.stem
        data = _group(entry, "sasdata01", "NXdata")
        data.attrs.update({"canSAS_class": "SASdata", "signal": "I", "I_axes": "Q", "axes": "Q", "Q_indices": 0})
        _fields(data, Q=(q / 10, "1/angstrom"), Idev=(deviation, "1/cm"))
        _fields(data, I=(intensity + rng.normal(0, deviation), "1/cm"))
        data["I"].attrs["uncertainties"] = "Idev"
        node = _group(entry, "sassample", "NXsample")
        node.attrs["canSAS_class"] = "SASsample"
        node["name"] = sample
        _fields(node, thickness=(1.0, "mm"), temperature=(temperature + 273.15, "K"))
        process = _group(entry, "sasprocess", "NXprocess")
        process.attrs["canSAS_class"] = "SASprocess"
        process["name"] = "azimuthal average"
        process["description"] = SYNTHETIC
        _instrument(entry, "BL04 small angle scattering", 12.4)


def write_tomography(path: Path, rng: Generator, *, title: str, sample: str, started_at: datetime) -> None:
    """NXtomo: flat and dark fields and 60 projections of a porous cylinder."""
    size, height, count = 128, 96, 60
    flats, darks = 3, 3
    volume = _bone(rng, size, height)
    angles = np.linspace(0, 180, count, endpoint=False)
    frames = np.empty((flats + darks + count, height, size), np.uint16)
    flat = 42_000 * (1 - 0.15 * np.linspace(-1, 1, size) ** 2)
    frames[:flats] = rng.poisson(np.broadcast_to(flat, (flats, height, size)))
    frames[flats : flats + darks] = rng.poisson(110, (darks, height, size))
    for index, angle in enumerate(angles):
        path_length = _rotated(volume, angle).sum(axis=1) * 0.018
        frames[flats + darks + index] = rng.poisson(110 + flat * np.exp(-path_length))
    keys = [1] * flats + [2] * darks + [0] * count
    with h5py.File(path, "w") as file:
        entry = _entry(file, title, "NXtomo", started_at, timedelta(minutes=9))
        instrument = _instrument(entry, "BL07 imaging", 25.0)
        detector = _group(instrument, "detector", "NXdetector")
        detector.create_dataset("data", data=frames, chunks=(1, height, size), **_COMPRESSED)
        detector["image_key"] = np.array(keys, np.int32)
        _fields(
            detector, distance=(0.12, "m"), x_pixel_size=(6.5, "um"), y_pixel_size=(6.5, "um"), count_time=(0.15, "s")
        )
        node = _sample(entry, sample)
        _fields(node, rotation_angle=(np.concatenate([np.zeros(flats + darks), angles]), "degree"))
        _default_plot(entry, "data", signal=detector["data"], image_key=detector["image_key"])


def write_fluorescence_map(path: Path, rng: Generator, *, title: str, sample: str, started_at: datetime) -> None:
    """NXfluo: a map of 40 x 48 points with a spectrum of 512 channels each, and the map of one element."""
    rows, columns, channels = 40, 48, 512
    energy = np.arange(channels) * 0.025
    y, x = np.mgrid[0:rows, 0:columns]
    calcium = (
        60 * np.exp(-(((x - 24) / 15) ** 2 + ((y - 20) / 12) ** 2)) * (1 + 0.3 * np.sin(x / 2.2) * np.cos(y / 2.6))
    )
    zinc = 25 * np.exp(-((np.hypot(x - 24, y - 20) - 14) ** 2) / 12)
    spectra = np.full((rows, columns, channels), 0.15)
    for weight, line in ((calcium, 3.69), (0.14 * calcium, 4.01), (zinc, 8.64), (0.15 * zinc, 9.57)):
        spectra += weight[..., None] * np.exp(-((energy - line) ** 2) / (2 * 0.065**2)) / 4
    spectra += 5 * np.exp(-((energy - 11.8) ** 2) / (2 * 0.12**2))
    with h5py.File(path, "w") as file:
        entry = _entry(file, title, "NXfluo", started_at, timedelta(minutes=32))
        instrument = _instrument(entry, "BL07 imaging", 12.0)
        detector = _group(instrument, "fluorescence", "NXdetector")
        counts = rng.poisson(spectra).astype(np.uint16)
        detector.create_dataset("data", data=counts, chunks=(4, columns, channels), **_COMPRESSED)
        _fields(detector, energy=(energy, "keV"), count_time=(1.0, "s"))
        _sample(entry, sample, thickness=(0.1, "mm"))
        data = _group(entry, "data", "NXdata")
        data.attrs.update({"signal": "Ca_K", "axes": ["y", "x"]})
        _fields(data, Ca_K=(calcium.astype(np.float32), "counts"), Zn_K=(zinc.astype(np.float32), "counts"))
        _fields(data, x=(np.arange(columns) * 5.0, "um"), y=(np.arange(rows) * 5.0, "um"))
        monitor = _group(entry, "monitor", "NXmonitor")
        _fields(monitor, data=(rng.normal(1e6, 4e3, (rows, columns)).astype(np.float32), "counts"))


def write_crystal_frames(path: Path, rng: Generator, *, title: str, sample: str, started_at: datetime) -> None:
    """NXmx: four rotation frames with Bragg spots, and the geometry that processing programs look for."""
    shape, count, centre, pixel = (514, 515), 4, (261.5, 254.2), 75e-6
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    radius = np.hypot(rows - centre[1], columns - centre[0])
    background = 3 + 6 * np.exp(-(((radius - 130) / 60) ** 2))
    frames = rng.poisson(np.broadcast_to(background, (count, *shape))).astype(np.uint16)
    for frame in frames:
        _add_bragg_spots(rng, frame, centre)
    with h5py.File(path, "w") as file:
        entry = _entry(file, title, "NXmx", started_at, timedelta(seconds=2))
        instrument = _instrument(entry, "BL11 macromolecular crystallography", 12.7)
        detector = _group(instrument, "detector", "NXdetector")
        detector["description"] = "Example hybrid pixel detector"
        detector["sensor_material"] = "Si"
        _fields(
            detector, distance=(0.14, "m"), x_pixel_size=(pixel, "m"), y_pixel_size=(pixel, "m"), count_time=(0.01, "s")
        )
        _fields(
            detector,
            beam_center_x=(centre[0], "pixel"),
            beam_center_y=(centre[1], "pixel"),
            sensor_thickness=(450e-6, "m"),
        )
        _fields(detector, threshold_energy=(6.35, "keV"), saturation_value=(65534, ""))
        node = _sample(entry, sample, temperature=(100.0, "K"))
        node["unit_cell"] = np.array([79.1, 79.1, 37.9, 90.0, 90.0, 90.0])
        node["space_group"] = "P 43 21 2"
        transformations = _group(node, "transformations", "NXtransformations")
        _fields(transformations, omega=(np.arange(count) * 0.1, "deg"))
        transformations["omega"].attrs.update(
            {"transformation_type": "rotation", "vector": [1.0, 0.0, 0.0], "depends_on": "."}
        )
        node["depends_on"] = "/entry/sample/transformations/omega"
        data = _group(entry, "data", "NXdata")
        data.attrs["signal"] = "data"
        data.create_dataset("data", data=frames, chunks=(1, *shape), **_COMPRESSED)


def write_spec(path: Path, rng: Generator, *, title: str, sample: str, started_at: datetime) -> None:
    """A SPEC data file with an alignment scan, an energy scan and a time scan."""
    stamp = f"{started_at:%a %b %d %H:%M:%S %Y}"
    lines = [
        f"#F {path.name}",
        f"#E {int(started_at.timestamp())}",
        f"#D {stamp}",
        f"#C SYNTHETIC: {title}  Sample = {sample}",
        f"#C {SYNTHETIC}",
        "#O0 Energy  Sample X  Sample Y  Attenuator",
        "#o0 en sx sy att",
        "",
    ]
    x = np.linspace(-1, 1, 41)
    lines += _spec_scan(
        rng, 1, started_at, "ascan  sx -1 1 40 0.5", "Sample X", x, 9e4 * np.exp(-((x / 0.35) ** 2)), 0.5
    )
    energy = np.linspace(8.95, 9.10, 61)
    edge = 1 / (1 + np.exp(-(energy - 8.984) / 0.0015)) * (1 + 0.25 * np.exp(-(((energy - 8.997) / 0.004) ** 2)))
    later = started_at + timedelta(minutes=3)
    lines += _spec_scan(rng, 2, later, "ascan  en 8.95 9.1 60 1", "Energy", energy, 4e4 * edge, 1.0)
    later += timedelta(minutes=4)
    time = np.arange(0, 30.0)
    lines += _spec_scan(rng, 3, later, "timescan 1 0", "Time", time, 7e4 * np.exp(-time / 18) + 9e3, 1.0)
    path.write_text("\n".join([*lines, ""]), encoding="ascii")


def _spec_scan(
    rng: Generator,
    number: int,
    started_at: datetime,
    command: str,
    axis: str,
    positions: NDArray[np.float64],
    signal: NDArray[np.float64],
    seconds: float,
) -> list[str]:
    monitor = rng.poisson(200_000, len(positions))
    counts = rng.poisson(np.clip(signal, 0, None) + 12)
    columns = [axis, "Epoch", "Seconds", "Monitor", "Detector"]
    rows = [
        f"{position:.6g} {index * (seconds + 0.4):.3f} {seconds:g} {monitor[index]} {counts[index]}"
        for index, position in enumerate(positions)
    ]
    return [
        f"#S {number}  {command}",
        f"#D {started_at:%a %b %d %H:%M:%S %Y}",
        f"#T {seconds:g}  (Seconds)",
        "#P0 9.0 0.012 -0.4 0",
        f"#N {len(columns)}",
        f"#L {'  '.join(columns)}",
        *rows,
        "",
    ]


def _entry(file: h5py.File, title: str, definition: str, started_at: datetime, duration: timedelta) -> h5py.Group:
    file.attrs.update({"default": "entry", "creator": "Faircat demo generator", "synthetic": SYNTHETIC})
    entry = _group(file, "entry", "NXentry")
    entry["title"] = f"SYNTHETIC: {title}"
    entry["definition"] = definition
    entry["start_time"] = started_at.astimezone(UTC).isoformat()
    entry["end_time"] = (started_at + duration).astimezone(UTC).isoformat()
    _fields(entry, duration=(duration.total_seconds(), "s"))
    return entry


def _instrument(entry: h5py.Group, name: str, energy: float) -> h5py.Group:
    """The instrument with its source and the beam of a photon energy in keV."""
    instrument = _group(entry, "instrument", "NXinstrument")
    instrument["name"] = name
    source = _group(instrument, "source", "NXsource")
    for key, text in _SOURCE.items():
        source[key] = text
    _fields(source, current=(299.4, "mA"), energy=(3.0, "GeV"))
    monochromator = _group(instrument, "monochromator", "NXmonochromator")
    _fields(monochromator, energy=(energy, "keV"), wavelength=(_HC / energy, "angstrom"))
    beam = _group(instrument, "beam", "NXbeam")
    _fields(beam, incident_energy=(energy, "keV"), incident_wavelength=(_HC / energy, "angstrom"))
    return instrument


def _sample(entry: h5py.Group, name: str, **fields: tuple[object, str]) -> h5py.Group:
    sample = _group(entry, "sample", "NXsample")
    sample["name"] = name
    _fields(sample, **fields)
    return sample


def _group(parent: h5py.Group, name: str, nx_class: str) -> h5py.Group:
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    return group


def _fields(group: h5py.Group, **fields: tuple[object, str]) -> None:
    """Write name=(value, unit); no units attribute where the unit is empty."""
    for name, (value, unit) in fields.items():
        group[name] = value
        if unit:
            group[name].attrs["units"] = unit


def _default_plot(entry: h5py.Group, signal_name: str, *, signal: h5py.Dataset, **others: h5py.Dataset) -> None:
    entry.attrs["default"] = "data"
    data = _group(entry, "data", "NXdata")
    data.attrs["signal"] = signal_name
    for name, dataset in {signal_name: signal, **others}.items():
        data[name] = dataset


def _sphere_intensity(q: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Form factor of slightly polydisperse spheres (Rayleigh 1911), 1 at q = 0; q in 1/nm, radius in nm."""
    total = np.zeros_like(q)
    for size in radius * np.linspace(0.9, 1.1, 7):
        x = np.maximum(q * size, 1e-3)
        total += (3 * (np.sin(x) - x * np.cos(x)) / x**3) ** 2
    return total / 7


def _bone(rng: Generator, size: int, height: int) -> NDArray[np.float32]:
    """A porous cylinder as density from 0 to 1, (height, depth, width)."""
    noise = rng.standard_normal((height, size, size)).astype(np.float32)
    frequencies = np.meshgrid(*(np.fft.fftfreq(n) for n in (height, size)), np.fft.rfftfreq(size), indexing="ij")
    window = np.exp(-2 * (np.pi * 4.5) ** 2 * sum(axis**2 for axis in frequencies))
    smooth = np.fft.irfftn(np.fft.rfftn(noise) * window, s=noise.shape, axes=(0, 1, 2))
    rows, columns = np.ogrid[:size, :size]
    radius = np.hypot(rows - size / 2, columns - size / 2)
    solid = (np.abs(smooth) < 0.55 * smooth.std()) | (radius > size * 0.4)
    return (solid & (radius < size * 0.45)).astype(np.float32)


def _rotated(volume: NDArray[np.float32], angle: float) -> NDArray[np.float32]:
    """The volume turned about its first axis by degrees, nearest neighbours."""
    size = volume.shape[1]
    rows, columns = np.mgrid[:size, :size] - (size - 1) / 2
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    source_rows = np.rint(cosine * rows - sine * columns + (size - 1) / 2).astype(int).clip(0, size - 1)
    source_columns = np.rint(sine * rows + cosine * columns + (size - 1) / 2).astype(int).clip(0, size - 1)
    return volume[:, source_rows, source_columns]


def _add_bragg_spots(rng: Generator, frame: NDArray[np.uint16], centre: tuple[float, float]) -> None:
    turn = rng.uniform(0, 0.1)
    for h in range(-11, 12):
        for k in range(-11, 12):
            x = centre[0] + 23.7 * (h * np.cos(turn) - k * np.sin(turn))
            y = centre[1] + 23.7 * (h * np.sin(turn) + k * np.cos(turn))
            column, row = int(x), int(y)
            is_inside = 3 < row < frame.shape[0] - 4 and 3 < column < frame.shape[1] - 4
            if is_inside and np.hypot(h, k) > 1 and rng.uniform() < 0.45:
                height = rng.exponential(900) * np.exp(-(h**2 + k**2) / 120)
                spot = np.exp(-(np.hypot(*np.mgrid[-2:3, -2:3]) ** 2) / 1.6)
                frame[row - 2 : row + 3, column - 2 : column + 3] += rng.poisson(height * spot).astype(np.uint16)
