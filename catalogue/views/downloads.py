"""Files, archives, lists of files and thumbnails, as they are downloaded."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_ratelimit.decorators import ratelimit

from catalogue import access, selectors
from catalogue.access import Level, Principal
from catalogue.anonymity import file_name_for
from catalogue.derived import Picture
from catalogue.downloads.headers import content_disposition, repr_digest, safe_media_type
from catalogue.downloads.lists import LISTS, ListedFile, file_url
from catalogue.models import Dataset
from catalogue.services import downloads, zips
from catalogue.services.selections import selected_uids
from catalogue.views.sending import Content, hand_over, protect, send_content, usage_logger
from catalogue.visitors import asker_of

# An archive looks at all of its files before it answers, so that it is the dearest thing to ask for.
zip_limit = ratelimit(group="zip", key="user_or_ip", rate="60/m")


@require_safe
def dataset_file(request: HttpRequest, uid: UUID, name: str) -> HttpResponseBase:
    download = downloads.open_file(principal=asker_of(request), uid=uid, name=name)
    file, entry = download.file, download.entry
    content = Content(
        name=download.name,
        media_type=safe_media_type(file.media_type),
        size=download.size,
        is_open=download.is_open,
        etag=download.etag,
        last_modified=int(entry.modified_at.timestamp()) if entry.modified_at else None,
        open=download.open,
        headers={"Repr-Digest": repr_digest(file.sha256)} if file.sha256 else {},
    )
    log = usage_logger(request, {download.dataset.pk: download.size}, file.name)
    if settings.ACCEL_REDIRECT_PREFIX and download.local_path():
        location = f"{settings.ACCEL_REDIRECT_PREFIX.rstrip('/')}/{file.storage.uid}/{quote(file.path)}"
        return hand_over(request, content, location, log)
    return send_content(request, content, log)


@require_safe
def dataset_picture(request: HttpRequest, uid: UUID, kind: Picture) -> HttpResponseBase:
    picture = downloads.open_picture(principal=asker_of(request), uid=uid, kind=kind)
    content = Content(
        name=f"{uid}.{kind}.webp",
        media_type="image/webp",
        size=len(picture.data),
        is_open=picture.is_open,
        etag=picture.etag,
        open=lambda start, length: closing(_once(picture.data[start : start + length])),
    )
    response = send_content(request, content, lambda: None)
    del response["Content-Disposition"]
    return response


@require_safe
@zip_limit
def dataset_zip(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    names = request.GET.getlist("file")
    form = zips.form_of(request.GET.get("form", ""))
    return _send_zip(request, zips.zip_dataset(principal=asker_of(request), uid=uid, names=names, form=form))


@require_safe
@zip_limit
def investigation_zip(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    form = zips.form_of(request.GET.get("form", ""))
    return _send_zip(request, zips.zip_investigation(principal=asker_of(request), uid=uid, form=form))


@require_safe
@zip_limit
def collection_zip(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    form = zips.form_of(request.GET.get("form", ""))
    return _send_zip(request, zips.zip_collection(principal=asker_of(request), uid=uid, form=form))


@require_safe
@zip_limit
def selection_zip(request: HttpRequest) -> HttpResponseBase:
    asker = asker_of(request)
    uids = selected_uids(actor=asker, session=request.session)
    download = zips.zip_selection(principal=asker, uids=uids, form=zips.form_of(request.GET.get("form", "")))
    return _send_zip(request, replace(download, is_open=False))


def _send_zip(request: HttpRequest, download: zips.ZipDownload) -> HttpResponseBase:
    archive = download.archive
    content = Content(
        name=download.name,
        media_type="application/zip",
        size=archive.size,
        is_open=download.is_open,
        etag=download.etag,
        open=lambda start, length: closing(archive.stream(start, start + length)),
    )
    return send_content(request, content, usage_logger(request, download.sizes))


@require_safe
def dataset_list(request: HttpRequest, uid: UUID, form: str) -> HttpResponseBase:
    now = timezone.now()
    asker = asker_of(request)
    dataset = downloads.find_downloadable(uid, asker, now=now)
    files = _listed_files([dataset], asker, has_folders=False)
    return _send_list(form, files, is_open=access.is_open(dataset, now=now))


@require_safe
def selection_list(request: HttpRequest, form: str) -> HttpResponseBase:
    now, asker = timezone.now(), asker_of(request)
    uids = selected_uids(actor=asker, session=request.session)
    readable = access.full_datasets(asker, now=now).select_related("investigation")
    datasets = readable.filter(uid__in=uids).order_by("uid")
    return _send_list(form, _listed_files(datasets, asker, has_folders=True), is_open=False)


def _listed_files(datasets: Iterable[Dataset], asker: Principal, *, has_folders: bool) -> Iterator[ListedFile]:
    for dataset in datasets:
        folder = f"{zips.folder_of(dataset, asker)}/" if has_folders else ""
        url = f"{settings.SITE_URL}/datasets/{dataset.uid}"
        files = selectors.readable_files(dataset, Level.FULL).values_list("pk", "name", "sha256")
        for key, real_name, sha256 in files.iterator(chunk_size=2000):
            name = file_name_for(real_name, key, asker)
            yield ListedFile(folder + name, file_url(url, name), sha256)


def _send_list(form: str, files: Iterator[ListedFile], *, is_open: bool) -> HttpResponseBase:
    ending = "sha256" if form == "sha256" else f"{form}.txt"
    response = StreamingHttpResponse(LISTS[form](files), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = content_disposition(f"files.{ending}")
    return protect(response, is_open=is_open)


def _once(data: bytes) -> Iterator[bytes]:
    yield data
