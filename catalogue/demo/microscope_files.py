"""Writes electron microscope files with the tag layouts of Zeiss, FEI, TESCAN, JEOL and Hitachi, and MRC maps.

Layouts follow real files: Zeiss tag 34118 (unnamed block of numbers, then name and value in two lines), FEI tag 34682
(INI), TESCAN tag 50431 or a .hdr side-car (INI), JEOL and Hitachi .txt side-cars. Every file says that it is synthetic in
its ImageDescription and in the banner below the picture. `write_...` draws the banner, `save_...` takes an image with one
and the (height, width) of the picture in it. Metadata say what is `claimed`, where that is not what the banner shows.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import mrcfile
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from catalogue.demo.pictures import Picture
from catalogue.units import format_quantity

SYNTHETIC = "SYNTHETIC demonstration data, computed by Faircat, no real measurement"
SHAPES = {"zeiss": (700, 1024), "fei": (884, 1024), "tescan": (768, 768), "jeol": (480, 640)}  # without the banner
_BANNER_HEIGHTS = {"zeiss": 68, "fei": 59, "tescan": 64, "jeol": 32}
_NICE_STEPS = (1.0, 2.0, 5.0)

Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Exposure:
    """How a picture was taken; SI units, degrees for the tilt, local time without zone as microscopes write it."""

    acquired_at: datetime
    sample: str
    field_of_view: float
    voltage: float
    working_distance: float
    detector: str
    beam_current: float = 1.6e-10
    tilt: float = 0.0
    stage: tuple[float, float, float] = (0.0125, -0.0082, 0.0101)


def write_zeiss(path: Path, picture: Picture, exposure: Exposure, claimed: Exposure | None = None) -> None:
    """A Zeiss file, of 1024 x 768 for a picture of `SHAPES`."""
    save_zeiss(path, with_banner(picture, exposure, "zeiss"), claimed or exposure, picture.shape)


def save_zeiss(path: Path, image: Grey, exposure: Exposure, shape: tuple[int, ...]) -> None:
    """A palette TIFF with tag 34118, in the layout of SmartSEM 6."""
    pixel_size = exposure.field_of_view / shape[1]
    magnification = 0.2894 / exposure.field_of_view
    block = [pixel_size, magnification, 6, exposure.voltage, 2.35, exposure.beam_current, exposure.working_distance]
    numbers = ["0", "0"] + [text for channel in range(4) for text in (str(channel), *(f"{n:.6e}" for n in block))]
    entries = _zeiss_entries(exposure, shape, image.shape, magnification)
    text = "\r\n".join([*numbers, str(len(entries)), *(f"{key}\r\n{value}" for key, value in entries), "\0"])
    ramp = np.arange(256, dtype=np.uint16) * 257
    tifffile.imwrite(
        path,
        image,
        photometric="palette",
        colormap=np.stack([ramp, ramp, ramp]),
        description=SYNTHETIC,
        metadata=None,
        software="",
        extratags=[(34118, "s", 0, text.encode("latin-1"), True)],
    )


def _zeiss_entries(
    exposure: Exposure, shape: tuple[int, ...], stored: tuple[int, ...], magnification: float
) -> list[tuple[str, str]]:
    pixel_size = exposure.field_of_view / shape[1]
    height = pixel_size * shape[0]
    x, y, z = (position * 1e3 for position in exposure.stage)
    return [
        ("DP_DETECTOR_CHANNEL", f"Signal A = {exposure.detector}"),
        ("DP_DETECTOR_TYPE", f"Detector = {exposure.detector}"),
        ("DP_SEM", "Sem = Supra 40"),
        ("DP_IMAGE_STORE", f"Store resolution = {stored[1]} * {stored[0]}"),
        ("DP_DWELL_TIME", "Dwell Time = 100 ns"),
        ("DP_SCANRATE", "Scan Speed = 9"),
        ("DP_NOISE_REDUCTION", "Noise Reduction = Pixel Avg."),
        ("AP_ACTUALKV", f"EHT = {exposure.voltage / 1e3:.2f} kV"),
        ("AP_MANUALKV", f"EHT Target = {exposure.voltage / 1e3:.2f} kV"),
        ("AP_WD", f"WD = {exposure.working_distance * 1e3:.1f} mm"),
        ("AP_MAG", f"Mag = {_zeiss_magnification(magnification)}"),
        ("AP_IMAGE_PIXEL_SIZE", f"Image Pixel Size = {_metres(pixel_size)}"),
        ("AP_PIXEL_SIZE", f"Pixel Size = {_metres(pixel_size)}"),
        ("AP_WIDTH", f"Width = {_metres(exposure.field_of_view)}"),
        ("AP_HEIGHT", f"Height = {_metres(height)}"),
        ("AP_STAGE_AT_X", f"Stage at X = {x:.4f} mm"),
        ("AP_STAGE_AT_Y", f"Stage at Y = {y:.4f} mm"),
        ("AP_STAGE_AT_Z", f"Stage at Z = {z:.3f} mm"),
        ("AP_STAGE_AT_T", f"Stage at T = {exposure.tilt:.1f} °"),
        ("AP_STAGE_AT_R", "Stage at R = 4.3 °"),
        ("AP_SCANROTATION", "Scan Rotation = 0.0 °"),
        ("AP_IPROBE", f"I Probe = {exposure.beam_current * 1e12:.0f} pA"),
        ("AP_BEAM_CURRENT", "Beam Current = 80.0 µA"),
        ("AP_SYSTEM_VAC", "System Vacuum = 3.46e-06 mbar"),
        ("AP_BRIGHTNESS", "Brightness = 49.8 %"),
        ("AP_CONTRAST", "Contrast = 32.1 %"),
        ("AP_DATE", f"Date :{exposure.acquired_at:%d %b %Y}"),
        ("AP_TIME", f"Time :{exposure.acquired_at:%H:%M:%S}"),
        ("SV_VERSION", "Version = V06.00.00.00 : 09-Jun-16"),
        ("SV_SAMPLE_ID", f"Sample ID = {exposure.sample}"),
        ("SV_USER_TEXT", "User Text = SYNTHETIC"),
        ("SV_USER_NAME", "User Name = EXAMPLE"),
        ("SV_IMAGE_PATH", "Images = D:\\EXAMPLE\\synthetic\\"),
        ("SV_SERIAL_NUMBER", "Serial No. = 0000-00-00"),
    ]


def write_fei(path: Path, picture: Picture, exposure: Exposure) -> None:
    """A FEI file, of 1024 x 943 for a picture of `SHAPES`; the lowest 59 rows are the banner."""
    save_fei(path, with_banner(picture, exposure, "fei"), exposure, picture.shape)


def save_fei(path: Path, image: Grey, exposure: Exposure, shape: tuple[int, ...]) -> None:
    """A TIFF with tag 34682 in the layout of a FEI dual beam."""
    sections = _fei_sections(exposure, shape, banner_height=image.shape[0] - shape[0])
    lines = [f"[{name}]\r\n" + "".join(f"{k}={v}\r\n" for k, v in values.items()) for name, values in sections.items()]
    tifffile.imwrite(
        path,
        image,
        photometric="minisblack",
        description=SYNTHETIC,
        metadata=None,
        software="",
        extratags=[(34682, "s", 0, "\r\n".join(lines), True)],
    )


def _fei_sections(exposure: Exposure, shape: tuple[int, ...], banner_height: int) -> dict[str, dict[str, object]]:
    rows, columns = shape
    width = exposure.field_of_view
    height, pixel = width * rows / columns, width / columns
    x, y, z = exposure.stage
    tilt = np.radians(exposure.tilt)
    taken = exposure.acquired_at
    field = {"PixelWidth": f"{pixel:.6g}", "PixelHeight": f"{pixel:.6g}", "HorFieldsize": f"{width:.6g}"}
    return {
        "User": {"Date": f"{taken:%m/%d/%Y}", "Time": f"{taken:%I:%M:%S %p}", "User": "example", "UserText": "SYNTHETIC"},
        "System": {"Type": "DualBeam", "Dnumber": "D0000", "Software": "14.5.1.432", "Source": "FEG",
                   "Stage": "110 x 110", "Scan": "PIA 3.0", "SystemType": "Helios NanoLab 650",
                   "DisplayWidth": 0.518, "DisplayHeight": 0.324},
        "Beam": {"HV": exposure.voltage, "Spot": 1, "ScanRotation": 0, "ImageMode": "Normal", "Beam": "EBeam",
                 "Scan": "EScan"},
        "EBeam": {"HV": exposure.voltage, "HFW": f"{width:.6g}", "VFW": f"{height:.6g}",
                  "WD": exposure.working_distance, "BeamCurrent": exposure.beam_current, "ScanRotation": 0,
                  "StageX": x, "StageY": y, "StageZ": z, "StageR": 0.0524, "StageTa": f"{tilt:.6g}", "StageTb": 0,
                  "EmissionCurrent": "", "ApertureDiameter": ""},
        "Scan": {"InternalScan": "true", "Dwelltime": 3e-06, **field, "Average": 0, "Integrate": 4},
        "EScan": {"Scan": "PIA 3.0", "InternalScan": "true", "Dwell": 3e-06, **field, "FrameTime": 2.96},
        "Stage": {"StageX": x, "StageY": y, "StageZ": z, "StageR": 0.0524, "StageT": f"{tilt:.6g}", "StageTb": 0,
                  "WorkingDistance": exposure.working_distance},
        "Image": {"DigitalContrast": 1, "DigitalBrightness": 0, "ResolutionX": columns, "ResolutionY": rows,
                  "DriftCorrected": "On"},
        "Vacuum": {"ChPressure": 0.000703, "Gas": "", "UserMode": "High vacuum", "Humidity": ""},
        "Specimen": {"Temperature": ""},
        "Detectors": {"Number": 1, "Name": exposure.detector, "Mode": "SE"},
        exposure.detector: {"Contrast": 64.57, "Brightness": 39.67, "Signal": "SE", "Grid": 250},
        "PrivateFei": {"BitShift": 0, "DataBarSelected": "DateTime HV HFW WD det Label MicronBar",
                       "TimeOfCreation": f"{taken:%d.%m.%Y %H:%M:%S}", "DatabarHeight": banner_height},
    }  # fmt: skip


def write_tescan(path: Path, picture: Picture, exposure: Exposure, *, has_sidecar: bool) -> list[Path]:
    """A TIFF with tag 50431 or, as an export, a plain TIFF with a .hdr side-car; returns the files written."""
    text = _tescan_text(exposure, picture.shape)
    tifffile.imwrite(
        path,
        with_banner(picture, exposure, "tescan"),
        photometric="minisblack",
        description=SYNTHETIC,
        metadata=None,
        software="",
        extratags=[] if has_sidecar else [(50431, "B", len(text), text.encode(), True)],
    )
    if not has_sidecar:
        return [path]
    sidecar = path.with_name(f"{path.stem}-tif.hdr")
    sidecar.write_bytes(text.encode())
    return [path, sidecar]


def _tescan_text(exposure: Exposure, shape: tuple[int, ...]) -> str:
    x, y, z = exposure.stage
    pixel = exposure.field_of_view / shape[1]
    main = {
        "AccFrames": 1, "Company": "Example NanoLab", "Date": f"{exposure.acquired_at:%Y-%m-%d}",
        "Description": SYNTHETIC, "Device": "TESCAN MIRA3", "DeviceModel": "S8000", "FullUserName": "Example",
        "ImageStripSize": _BANNER_HEIGHTS["tescan"], "Magnification": f"{0.1155 / exposure.field_of_view:.1f}",
        "Note": exposure.sample, "PixelSizeX": f"{pixel:.6e}", "PixelSizeY": f"{pixel:.6e}", "SerialNumber": "000-0000",
        "Sign": "SYNTHETIC", "SoftwareVersion": "4.2.27.0", "Time": f"{exposure.acquired_at:%H:%M:%S}",
        "UserName": "example", "ViewFieldsCountX": 1,
    }  # fmt: skip
    beam = {
        "AcceleratorVoltage": f"{exposure.voltage:.1f}", "ChamberPressure": "0.0145", "Detector": exposure.detector,
        "DwellTime": "0.0000032", "EmissionCurrent": "0.000112", "HV": f"{exposure.voltage:.1f}",
        "PredictedBeamCurrent": f"{exposure.beam_current:.6e}", "ScanRotation": "0.0", "SpotSize": "4.5e-9",
        "StageRotation": "12.0", "StageTilt": f"{exposure.tilt:.1f}", "StageX": f"{x:.6f}", "StageY": f"{y:.6f}",
        "StageZ": f"{z:.6f}", "WD": f"{exposure.working_distance:.7f}",
    }  # fmt: skip
    lines = ["[MAIN]", *(f"{k}={v}" for k, v in main.items()), "", "[SEM]", *(f"{k}={v}" for k, v in beam.items()), ""]
    return "\r\n".join(lines)


def write_jeol(path: Path, picture: Picture, exposure: Exposure, claimed: Exposure | None = None) -> list[Path]:
    """A plain TIFF of 640 x 512 and its .txt side-car; returns both."""
    image = with_banner(picture, exposure, "jeol")
    told = claimed or exposure
    return save_jeol(path, image, told, picture.shape, bar=nice_length(told.field_of_view))


def save_jeol(path: Path, image: Grey, exposure: Exposure, shape: tuple[int, ...], *, bar: float) -> list[Path]:
    """A plain TIFF and its .txt side-car, which tells how many pixels the scale bar of `bar` metres has; returns both."""
    _save_plain(path, image)
    rows, columns = shape
    x, y, z = (position * 1e3 for position in exposure.stage)
    lines = [
        "$SEM_DATA_VERSION 1",
        f"$CM_SIGNAL_NAME {exposure.detector}",
        f"$CM_ACCEL_VOLT {exposure.voltage / 1e3:.2f}",
        f"$$SM_WD {exposure.working_distance * 1e3:.2f}",
        f"$CM_MAG {0.12 / exposure.field_of_view:.0f}",
        "$$SM_SCAN_ROTATION 0.00",
        f"$CM_SIGNAL {exposure.detector}",
        f"$CM_DETECTOR {exposure.detector}",
        f"$CM_STAGE_POS {x:.4f} {y:.4f} {z:.4f} 0 {exposure.tilt:.1f} 0",
        "$SM_EMI_CURRENT 60.20",
        f"$$SM_PROBE_CURRENT {exposure.beam_current:.2e}",
        "$SM_PRESSURE_AT_LOW_VACUUM 0.000",
        "$CM_FORMAT JEOL-SEM",
        "$CM_VERSION 3",
        f"$CM_COMMENT {SYNTHETIC}",
        f"$CM_DATE {exposure.acquired_at:%Y/%m/%d}",
        f"$CM_TIME {exposure.acquired_at:%H:%M:%S}",
        "$CM_OPERATOR EXAMPLE",
        "$CM_INSTRUMENT JSM-7800F",
        f"$$SM_MICRON_BAR {bar / exposure.field_of_view * columns:.0f}",
        f"$$SM_MICRON_MARKER {_metres(bar, digits=0).replace(' ', '').replace('µ', 'u')}",
        f"$CM_TITLE {exposure.sample}",
        "$CM_LABEL SYNTHETIC",
        f"$CM_FULL_SIZE {columns} {rows}",
    ]
    return [path, _save_sidecar(path, lines)]


def save_hitachi(path: Path, image: Grey, exposure: Exposure, shape: tuple[int, ...]) -> list[Path]:
    """A plain TIFF and its .txt side-car with a section [SemImageFile], lengths in nm and µm; returns both."""
    _save_plain(path, image)
    rows, columns = shape
    x, y, z = (position * 1e9 for position in exposure.stage)
    lines = [
        "[SemImageFile]",
        "InstructName=S-4800",
        "SerialNumber=000000-00",
        f"DataSize={columns}x{rows}",
        f"PixelSize={exposure.field_of_view / columns * 1e9:.6g}",
        f"SignalName={exposure.detector}",
        f"AcceleratingVoltage={exposure.voltage:.0f} Volt",
        f"WorkingDistance={exposure.working_distance * 1e6:.0f} um",
        f"Magnification={0.127 / exposure.field_of_view:.0f}",
        "EmissionCurrent=9800 nA",
        f"StagePositionX={x:.0f}",
        f"StagePositionY={y:.0f}",
        f"StagePositionZ={z:.0f}",
        f"Date={exposure.acquired_at:%m/%d/%Y}",
        f"Time={exposure.acquired_at:%H:%M:%S}",
        f"SampleName={exposure.sample}",
        f"Comment={SYNTHETIC}",
    ]
    return [path, _save_sidecar(path, lines)]


def _save_plain(path: Path, image: Grey) -> None:
    tifffile.imwrite(path, image, photometric="minisblack", description=SYNTHETIC, metadata=None, software="")


def _save_sidecar(path: Path, lines: list[str]) -> Path:
    sidecar = path.with_suffix(".txt")
    sidecar.write_bytes("\r\n".join([*lines, ""]).encode("ascii", errors="replace"))
    return sidecar


def write_mrc(path: Path, data: NDArray[np.generic], *, voxel_size: float, title: str) -> None:
    """An MRC2014 file: one picture (2-D) or one volume (3-D); `voxel_size` in metres."""
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(data)
        mrc.voxel_size = voxel_size * 1e10
        if data.ndim == 3:
            mrc.set_volume()
        mrc.header.label[:] = b""
        mrc.header.label[0] = f"SYNTHETIC by Faircat, no real measurement: {title}"[:80].encode(
            "ascii", errors="replace"
        )
        mrc.header.nlabl = 1


def with_banner(picture: Picture, exposure: Exposure, maker: str) -> Grey:
    """The picture in 8 bits with a data banner and a scale bar below it."""
    rows, columns = picture.shape
    banner_height = _BANNER_HEIGHTS[maker]
    banner = Image.new("L", (columns, banner_height), 0)
    draw = ImageDraw.Draw(banner)
    font = ImageFont.load_default(size=max(banner_height * 0.27, 12))
    bar = nice_length(exposure.field_of_view)
    bar_pixels = round(bar / exposure.field_of_view * columns)
    left, middle = columns // 60, banner_height // 2
    draw.rectangle((left, middle + 4, left + bar_pixels - 1, middle + 4 + banner_height // 10), fill=255)
    draw.text((left + bar_pixels // 2, middle), _for_banner(bar, "m"), fill=255, font=font, anchor="mb")
    first = (
        f"HV {_for_banner(exposure.voltage, 'V')}   WD {_for_banner(exposure.working_distance, 'm')}   "
        f"HFW {_for_banner(exposure.field_of_view, 'm')}   {exposure.detector}"
    )
    second = f"{exposure.acquired_at:%Y-%m-%d %H:%M}   SYNTHETIC · Faircat demo"
    start = max(left + bar_pixels + columns // 30, round(columns * 0.34))
    draw.text((start, middle - 1), first, fill=255, font=font, anchor="ls")
    draw.text((start, middle + 3), second, fill=255, font=font, anchor="la")
    return np.vstack([np.round(picture * 255).astype(np.uint8), np.asarray(banner)])


def nice_length(field_of_view: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is at most a quarter of the field of view."""
    limit = field_of_view / 4
    power = 10.0 ** np.floor(np.log10(limit))
    return float(max(step * power for step in _NICE_STEPS if step * power <= limit * (1 + 1e-9)))


def _for_banner(value: float, unit: str) -> str:
    """As microscopes write it: with plain spaces, and u for micro."""
    return format_quantity(value, unit, digits=3).replace("\N{NO-BREAK SPACE}", " ").replace("µ", "u")


def _metres(value: float, digits: int = 4) -> str:
    """A length in pm, nm, µm or mm, as Zeiss writes it."""
    for factor, unit in ((1e-3, "mm"), (1e-6, "µm"), (1e-9, "nm"), (1e-12, "pm")):
        if value >= factor * 0.9999999:
            return f"{value / factor:.{digits}g} {unit}" if digits else f"{value / factor:.0f} {unit}"
    return f"{value / 1e-12:.3g} pm"


def _zeiss_magnification(magnification: float) -> str:
    return f"{magnification / 1e3:.2f} K X" if magnification >= 1000 else f"{magnification:.0f} X"
