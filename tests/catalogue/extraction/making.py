"""Small instrument files with the makers' own tags, written by the tests themselves."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from catalogue.extraction import Extraction, RawParameter

ZEISS_ENTRIES = {
    "AP_ACTUALKV": "EHT = 15.00 kV",
    "AP_MANUALKV": "EHT Target = 20.00 kV",
    "AP_WD": "WD = 5.1 mm",
    "AP_MAG": "Mag = 50.00 K X",
    "AP_IMAGE_PIXEL_SIZE": "Image Pixel Size = 5.820 nm",
    "AP_IPROBE": "I Probe = 159 pA",
    "AP_BEAM_CURRENT": "Beam Current = 80.0 µA",
    "AP_CHAMBER_PRESSURE": "Chamber = 0.00e+000 Pa",
    "AP_SYSTEM_VAC": "System Vacuum = 3.46e-006 mbar",
    "AP_DATE": "Date :18 Jul 2019",
    "AP_TIME": "Time :13:05:59",
    "AP_STAGE_AT_T": "Stage at T = 54.0 °",
    "DP_DETECTOR_CHANNEL": "Signal A = InLens",
    "DP_DETECTOR_TYPE": "Detector = SE2",
    "DP_SEM": "Sem = Supra 40",
    "SV_USER_NAME": "User Name = MUELLER",
    "SV_IMAGE_PATH": "Images = C:\\Users\\Mueller\\secret project\\",
    "SV_SERIAL_NUMBER": "Serial No. = 1234-56-78",
    "SV_SAMPLE_ID": "Sample ID = Au on Si 7",
}
ZEISS_BLOCK = (0, 0, 0, 5.82e-9, 50000.0, 6, 15000.0, 2.35, 1.59e-10, 0.0051)


def write_zeiss(
    path: Path, entries: Mapping[str, str] = ZEISS_ENTRIES, block: tuple[float, ...] = ZEISS_BLOCK, width: int = 1024
) -> Path:
    lines = [str(number) for number in block]
    for key, line in entries.items():
        lines += [key, line]
    content = "\r\n".join(lines).encode("cp1252")
    ramp = np.tile(np.arange(256, dtype=np.uint16) * 257, (3, 1))
    tifffile.imwrite(
        path, gradient(width * 3 // 4, width), photometric="palette", colormap=ramp,
        extratags=[(34118, "s", len(content), content, True)], metadata=None,
    )  # fmt: skip
    return path


FEI_TEXT = """[User]
Date=08/18/2020
Time=01:40:03 PM
User=Erika Mustermann
UserText=for Dr. Sommer

[System]
Dnumber=D8439
SystemType=Quanta FEG
DisplayWidth=0.32

[Beam]
HV=30000
Beam=EBeam
Scan=EScan
ScanRotation=0.5

[EBeam]
HFW=1.024e-006
VFW=0.768e-006
WD=0,00625552
BeamCurrent=

[Scan]
PixelWidth=1e-009
PixelHeight=1e-009
HorFieldsize=1.024e-006
Dwelltime=3e-005

[Stage]
StageX=-0.00155644
StageT=0.0184572

[Vacuum]
ChPressure=0.000703102
UserMode=High vacuum

[Detectors]
Name=ETD

[PrivateFei]
DatabarHeight=59
TimeOfCreation=03.09.2020 13:40:03
"""


def write_fei(path: Path, text: str = FEI_TEXT, width: int = 1024, dtype: str = "uint16") -> Path:
    content = text.replace("\n", "\r\n").encode()
    pixels = gradient(64, width).astype(dtype) * 100
    tifffile.imwrite(path, pixels, extratags=[(34682, "s", len(content), content, True)], metadata=None)
    return path


TESCAN_TEXT = """[MAIN]
Date=2024-02-07
Time=11:22:33
Device=TESCAN MIRA3
Magnification=1000
PixelSizeX=5e-08
PixelSizeY=5e-08
SerialNumber=116-0123
UserName=hoffmann

[SEM]
HV=5000
WD=0.0049
ViewField=1.28e-05
StageTilt=10.5
PredictedBeamCurrent=2.6e-10
Detector=SE
"""


def write_tescan(path: Path, text: str = TESCAN_TEXT, width: int = 256) -> Path:
    content = b"\x00\x01binary\x00" + text.replace("\n", "\r\n").encode()
    tag = (50431, "B", len(content), content, True)
    tifffile.imwrite(path, gradient(64, width), extratags=[tag], metadata=None)
    return path


JEOL_TEXT = """$SEM_DATA_VERSION 1
$CM_ACCEL_VOLT 10.00
$$SM_WD 10.60
$CM_MAG 1000
$CM_STAGE_POS 22.2094 11.2108 10.7760 1 2 0
$$SM_PROBE_CURRENT 4.76e-008
$$SM_SCAN_ROTATION 0.00
$CM_DATE 2020/09/16
$CM_TIME 18:51:40
$CM_OPERATOR UMNUser
$CM_INSTRUMENT 8530F
$$SM_MICRON_BAR 106
$$SM_MICRON_MARKER 10um
$CM_TITLE grain 7
$CM_FULL_SIZE 1280 960
"""

HITACHI_TEXT = """[SemImageFile]
InstructName=SU8000
SerialNumber=HI-9132-0006
AcceleratingVoltage=15000 Volt
WorkingDistance=8100 um
Magnification=2000
PixelSize=49.609375
DataSize=1280x960
SignalName=SE(U)
EmissionCurrent=10200 nA
StagePositionX=55000000
StagePositionT=0
Date=12/24/2021
Time=14:05:06
"""


def write_picture(path: Path, width: int, height: int) -> Path:
    Image.fromarray(gradient(height, width)).save(path)
    return path


def gradient(height: int, width: int) -> np.ndarray:
    return np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1))


def standard(found: Extraction, name: str) -> tuple[Any, str | None]:
    """(value, unit) of a standard parameter, (None, None) when it is missing."""
    for parameter in found.parameters:
        if parameter.name == name and not parameter.group:
            return parameter.value, parameter.unit
    return None, None


def vendor(found: Extraction, name: str) -> RawParameter | None:
    return next((p for p in found.parameters if p.name == name and p.group), None)


def codes(found: Extraction) -> set[str]:
    return {note.code for note in found.notes}


def public_text(found: Extraction) -> str:
    """All that may be shown to anyone, in one string."""
    shown = [f"{p.name} {p.value}" for p in found.parameters if not p.is_personal]
    return " ".join([*shown, found.title_hint or "", found.sample_hint or "", found.instrument_model or ""])


def pixels(found: Extraction) -> np.ndarray:
    assert found.thumbnail is not None, found.notes
    return np.asarray(Image.open(io.BytesIO(found.thumbnail)).convert("L"))
