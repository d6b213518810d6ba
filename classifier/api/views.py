"""Classification by programs: files are sent or datasets named, and what was found is read, at once or as soon as it is there."""

import threading
import time
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from catalogue.access import SYSTEM, full_datasets, may_register_in
from catalogue.api import openapi
from catalogue.api.answers import JSON, ApiView, read_answer, send, written
from catalogue.api.parsing import UID, Shape, list_of, read_body
from catalogue.errors import InvalidInput, NotFound
from catalogue.models import Dataset
from catalogue.visitors import address_of
from classifier import selectors
from classifier.models import Image
from classifier.record import ImageView
from classifier.selectors import Viewer
from classifier.services.backlog import queue_datasets
from classifier.services.releases import active_release
from classifier.services.submissions import submit_files

MULTIPART = "multipart/form-data"
MOST_DATASETS = 100
MOST_IMAGES = 1000
LONGEST_WAIT = 25
PAUSE = 0.4
# Of a process's threads so many may wait for results; who comes then is answered at once and asks again.
_waiting = threading.BoundedSemaphore(2)

DATASETS = Shape(
    "ClassificationEntry",
    dict,
    {"datasets": list_of(UID, MOST_DATASETS)},
    {"datasets": ["0197a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b"]},
    frozenset({"datasets"}),
)
FILES_SCHEMA = {
    "type": "object",
    "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
    "required": ["files"],
}
WAIT = OpenApiParameter(
    "wait",
    {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT, "default": 0},
    description="Seconds to wait for the last result. Few requests wait at a time: look at `is_done`, and ask again.",
)
OF_DATASETS = OpenApiParameter(
    "dataset",
    {"type": "array", "items": {"type": "string", "format": "uuid"}},
    description="Of which datasets",
)


@dataclass(frozen=True)
class FileRefusal:
    """A file that was not kept, with a stable code."""

    name: str
    code: str
    message: str


@dataclass(frozen=True)
class Classification:
    """Images with what is known of them. `model` is the release in use; `url` is where to ask again."""

    url: str
    is_done: bool
    total: int
    settled: int
    model: str
    is_demonstration: bool
    results: tuple[ImageView, ...]
    refusals: tuple[FileRefusal, ...]


class Classifications(ApiView):
    @extend_schema(
        summary="Read what images of datasets show",
        operation_id="read_what_images_of_datasets_show",
        parameters=[OF_DATASETS, WAIT],
        responses=openapi.answers_of(Classification, 404, 422, 429),
    )
    def get(self, request: Request) -> HttpResponse:
        """Of datasets whose files you may read, by `dataset=<uid>`, once or several times."""
        datasets = _readable(self.viewer, request.query_params.getlist("dataset"))
        images = selectors.visible_images(self.viewer, now=timezone.now()).filter(datafile__dataset__in=datasets)
        address = "&".join(f"dataset={one.uid}" for one in datasets)
        _wait_for(request, images)
        return read_answer(request, _document(f"/api/v1/classifications?{address}", list(_rows(images)), ()))

    @extend_schema(
        summary="Classify images",
        operation_id="classify_images",
        request={MULTIPART: FILES_SCHEMA, JSON: DATASETS.schema},
        examples=[OpenApiExample(DATASETS.name, value=DATASETS.example, request_only=True, media_type=JSON)],
        responses=openapi.answers_of(Classification, 401, 403, 404, 409, 413, 415, 422, 429),
    )
    def post(self, request: Request) -> HttpResponse:
        """Files in a form, in fields named `files`; or JSON with the uids of datasets, whose images are classified if they were
        not yet. The answer says where to ask for results: it does not wait for them."""
        kind = (request.content_type or "").partition(";")[0].strip()
        if kind == MULTIPART:
            return self._classify_files(request)
        if kind == JSON:
            return self._classify_datasets()
        raise UnsupportedMediaType(kind, "Send files as multipart/form-data, or JSON with the uids of datasets.")

    def _classify_files(self, request: Request) -> HttpResponse:
        sent = request._request
        files = sent.FILES.getlist("files") + sent.FILES.getlist("file")
        submission = submit_files(actor=self.principal, files=files, address=address_of(sent))
        address = f"/api/v1/classifications/{submission.uid}"
        document = _document(address, list(_rows(submission.images.all())), submission.refusals)
        return send(written(document, location=address, status=201))

    def _classify_datasets(self) -> HttpResponse:
        uids = [str(uid) for uid in read_body(DATASETS, self.body)["datasets"]]
        datasets = _readable(self.viewer, uids)
        own = [one.uid for one in datasets if may_register_in(one.investigation, self.principal)]
        queue_datasets(actor=SYSTEM, uids=own)
        address = "/api/v1/classifications?" + "&".join(f"dataset={one.uid}" for one in datasets)
        images = selectors.visible_images(self.viewer, now=timezone.now()).filter(datafile__dataset__in=datasets)
        return send(written(_document(address, list(_rows(images)), ()), location=address))

    @property
    def viewer(self) -> Viewer:
        return Viewer(self.principal)


class ClassificationDetail(ApiView):
    @extend_schema(
        summary="Read the results of an upload",
        operation_id="read_the_results_of_an_upload",
        parameters=[WAIT],
        responses=openapi.answers_of(Classification, 404, 422, 429),
    )
    def get(self, request: Request, uid: UUID) -> HttpResponse:
        """Yours only. `is_done` tells whether more is to come; `wait=20` asks to be answered when that is so."""
        submission = selectors.find_submission(Viewer(self.principal), uid, now=timezone.now())
        images = submission.images.all()
        _wait_for(request, images)
        address = f"/api/v1/classifications/{uid}"
        return read_answer(request, _document(address, list(_rows(images)), submission.refusals))


def _readable(viewer: Viewer, texts: list[str]) -> list[Dataset]:
    """The datasets of these uids, which the viewer reads in full; NotFound when one of them is none."""
    uids = set()
    for text in texts[: MOST_DATASETS + 1]:
        try:
            uids.add(UUID(text))
        except ValueError:
            raise InvalidInput(
                "A dataset is named by its uid.", fields={"dataset": [f"{text[:60]} is no uid."]}
            ) from None
    if not 0 < len(uids) <= MOST_DATASETS:
        raise InvalidInput(
            f"Name 1 to {MOST_DATASETS} datasets.", fields={"dataset": [f"Name 1 to {MOST_DATASETS} datasets."]}
        )
    rows = full_datasets(viewer.principal, now=timezone.now()).filter(uid__in=uids)
    found = list(rows.select_related("investigation").order_by("pk"))
    if len(found) < len(uids):
        raise NotFound("Some of these datasets do not exist, or you may not read their files.")
    return found


def _rows(images: QuerySet[Image]) -> QuerySet[Image]:
    return selectors.with_records(images).order_by("pk")[:MOST_IMAGES]


def _wait_for(request: Request, images: QuerySet[Image]) -> None:
    """Until nothing more is to come for `images`, for as long as was asked for, where a place to wait is free."""
    given = request.query_params.get("wait", "0")
    if not given.isdecimal() or int(given[:4]) > LONGEST_WAIT:
        message = f"Wait a whole number of seconds from 0 to {LONGEST_WAIT}."
        raise InvalidInput(message, fields={"wait": [message]})
    if int(given) == 0 or not _waiting.acquire(blocking=False):
        return
    try:
        end = time.monotonic() + int(given)
        while selectors.has_pending(images) and time.monotonic() < end:
            time.sleep(PAUSE)
    finally:
        _waiting.release()


def _document(address: str, images: list[Image], refusals: list[dict[str, str]] | tuple[()]) -> Classification:
    release = active_release()
    views = selectors.views_of(images, release)
    settled = sum(not view.is_pending for view in views)
    return Classification(
        url=settings.SITE_URL + address,
        is_done=settled == len(views),
        total=len(views),
        settled=settled,
        model=release.label if release else "",
        is_demonstration=bool(release and release.is_demonstration),
        results=tuple(views),
        refusals=tuple(FileRefusal(**one) for one in refusals),
    )
