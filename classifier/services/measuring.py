"""How large images are: their metadata and banners read, the scale kept, and what was read told to the catalogue. For workers only."""

import atexit
import logging
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from catalogue.access import SYSTEM, Principal
from catalogue.entries import ParameterEntry
from catalogue.errors import Unavailable
from catalogue.extraction.model import Extraction, RawParameter
from catalogue.extraction.sandbox import extract_in_sandbox
from catalogue.models import Datafile
from catalogue.models.datasets import Source
from catalogue.services.extraction import read_metadata
from catalogue.services.parameters import record_ai_values
from catalogue.units import to_si
from classifier.files import keep_pictures, upload_path
from classifier.models import Image, Scale, Work
from classifier.pipeline.errors import PipelineError
from classifier.pipeline.loading import PictureReader
from classifier.pipeline.reading import Picture
from classifier.pipeline.results import ScaleFinding
from classifier.pipeline.scale import KnownScale, find_scale, parameters_of
from classifier.services import dispatch
from classifier.services.opening import source_of

logger = logging.getLogger(__name__)

SIDECAR = "side-car-read"
MOST_VALUES = 2000

# Its child starts with the first image and ends with this process.
_reader = PictureReader()
atexit.register(_reader.close)


def measure(queue: str, keys: Sequence[int]) -> int:
    """Find out the scale of each image of the work `keys`; how many were done."""
    return sum(_measure(one) for one in dispatch.claim(queue, len(keys), keys))


def _measure(work: Work) -> int:
    """Measure and store; a failure becomes the state of the work, and nothing is raised for it."""
    if not dispatch.renew([work]):
        return 0
    try:
        picture = _picture(work.image)
        if work.image.datafile is None:
            keep_pictures(work.image.uid, picture.pixels)
        extraction = _metadata(work.image)
        finding = find_scale(picture.pixels, known_scale(extraction))
        return store_finding(actor=SYSTEM, work=work, finding=finding, picture=picture, extraction=extraction)
    except PipelineError as error:
        dispatch.settle(work, error)
    except Unavailable as error:
        dispatch.retry([work], error.code, error.message)
    except Exception:
        logger.exception("image %s was not measured", work.image.uid)
        dispatch.retry([work], "unexpected", "Something went wrong here. It is tried again by itself.")
    return 0


def _picture(image: Image) -> Picture:
    return _reader.read(source_of(image), image.name)


def _metadata(image: Image) -> Extraction:
    return read_metadata(image.datafile) if image.datafile else extract_in_sandbox(upload_path(image.uid))


def known_scale(extraction: Extraction) -> KnownScale:
    """What the metadata of a file, or the side-car beside it, say of its scale."""
    values: dict[str, float] = {}
    for one in extraction.parameters:
        if not one.group and isinstance(one.value, int | float) and (si := to_si(float(one.value), one.unit or "")):
            values.setdefault(one.name, si.value)
    is_beside = any(note.code == SIDECAR for note in extraction.notes)
    return KnownScale.from_parameters(values, source="side-car" if is_beside else "metadata")


def store_finding(
    *, actor: Principal, work: Work, finding: ScaleFinding, picture: Picture, extraction: Extraction
) -> int:
    """Keep the scale of an image and what its file says; the first image of a dataset tells the dataset what was read in it.

    Nothing is kept of work that was overtaken; 0 then, else 1.
    """
    image = work.image
    with transaction.atomic():
        if not dispatch.hold([work]):
            return 0
        Scale.objects.update_or_create(image=image, defaults=_columns(finding))
        values: dict[str, Any] = {"width": picture.width, "height": picture.height, "media_type": picture.media_type}
        if image.datafile is None:
            values["metadata"] = [
                _metadata_row(one) for one in extraction.parameters[:MOST_VALUES] if not one.is_personal
            ]
        Image.objects.filter(pk=image.pk).update(**values)
        if image.datafile is not None and _is_first_of_dataset(image.datafile):
            _tell_dataset(actor, image.datafile, finding)
        dispatch.finish([work])
    return 1


def _columns(finding: ScaleFinding) -> dict[str, Any]:
    bar = finding.bar
    return {
        "printed_value": finding.printed_value,
        "bar_left": bar.left if bar else None,
        "bar_row": bar.row if bar else None,
        "bar_length": bar.length if bar else None,
        "pixel_size": finding.pixel_size,
        "field_of_view": finding.field_of_view,
        "source": finding.source,
        "confidence": finding.confidence,
        "disagreements": list(finding.disagreements),
        "fields": [{"name": one.name, "value": one.value, "unit": one.unit} for one in finding.fields],
        "missing": finding.missing[:200],
    }


def _metadata_row(parameter: RawParameter) -> dict[str, Any]:
    value = parameter.value
    if isinstance(value, datetime | date):
        value = value.isoformat()
    elif isinstance(value, tuple):
        value = ", ".join(str(item) for item in value)
    return {"group": parameter.group, "name": parameter.name, "value": value, "unit": parameter.unit or ""}


def _is_first_of_dataset(file: Datafile) -> bool:
    return not Image.objects.filter(datafile__dataset=file.dataset_id, datafile__name__lt=file.name).exists()


def _tell_dataset(actor: Principal, file: Datafile, finding: ScaleFinding) -> None:
    """What only the banner tells becomes metadata of the dataset; metadata that were there stay the only ones."""
    entries = [
        ParameterEntry(name=name, value=value, unit=unit, source=Source.AI)
        for name, value, unit in parameters_of(finding)
        if finding.source == "ocr" or name == "scale_bar"
    ]
    if entries:
        record_ai_values(actor=actor, dataset=file.dataset, parameters=entries)
