"""A small catalogue to look at, and browsers of visitors and signed-in people to look with."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from PIL import Image

from catalogue.derived import keep_pictures
from catalogue.models import Dataset, Parameter, RegistrationDraft, User
from catalogue.models.investigations import RecordState
from tests import factories


@dataclass
class Catalogue:
    """An open, a closed and a withdrawn dataset, the team's principal investigator, and a curator."""

    open: Dataset
    closed: Dataset
    withdrawn: Dataset
    draft: RegistrationDraft
    pi: User
    curator: User


@pytest.fixture
def catalogue(transactional_db, tmp_path) -> Catalogue:
    storage = factories.make_storage(tmp_path)
    pi, curator = factories.make_user("regina"), factories.make_curator("carla")
    opened = factories.make_investigation(is_open=True, pi=pi, title="Growth of silicon nanowires")
    closed = factories.make_investigation(pi=pi, title="A battery cathode, cut in slices")
    files = {"wires.tif": b"II*\x00" * 300, "logs/scan log.txt": b"slow"}
    sample = factories.make_sample(opened, name="SiNW-14b", formula="Si")
    first = factories.make_dataset(opened, storage=storage, files=files, title="Silicon nanowires", sample=sample)
    add_parameters(first)
    add_picture(first)
    second = factories.make_dataset(closed, storage=storage, files={"secret-name.tif": b"II*\x00"}, title="Slice 001")
    third = factories.make_dataset(opened, title="Mislabelled", state=RecordState.WITHDRAWN, withdrawal_reason="Wrong")
    description = {"title": "Later", "investigation": str(opened.uid)}
    draft = RegistrationDraft.objects.create(owner=pi, content={"has_files": True, "description": description})
    return Catalogue(open=first, closed=second, withdrawn=third, draft=draft, pi=pi, curator=curator)


def add_parameters(dataset: Dataset) -> None:
    def number(name: str, text: str, unit: str, value_si: float, unit_si: str, **fields: Any) -> Parameter:
        values = {"source": "instrument", "kind": "number", "value": float(text)} | fields
        return Parameter(dataset=dataset, name=name, text=text, unit=unit, value_si=value_si, unit_si=unit_si, **values)

    Parameter.objects.bulk_create(
        [
            number("working_distance", "0.0081", "m", 0.0081, "m"),
            number("pixel_size_x", "5", "nm", 5e-9, "m"),
            number("image_width", "1024", "px", 1024.0, "px"),
            number("dwell_time", "100", "ns", 1e-7, "s"),
            number("dwell_time", "200", "ns", 2e-7, "s", source="person"),
            Parameter(dataset=dataset, group="Zeiss", name="AP_LONG_NAME_OF_A_VENDOR", text="x", source="instrument"),
        ]
    )


def add_picture(dataset: Dataset) -> None:
    picture = io.BytesIO()
    Image.linear_gradient("L").resize((512, 384)).save(picture, "WEBP")
    keep_pictures(dataset.uid, picture.getvalue())
    Dataset.objects.filter(pk=dataset.pk).update(has_thumbnail=True)


@pytest.fixture
def open_page(browser, live_server) -> Iterator[Callable[..., Any]]:
    """A function that opens a page of a new browser: `open_page("/search", user=pi, width=390, theme="dark")`."""
    contexts = []

    def open_page(path: str, *, user: User | None = None, width: int = 1280, theme: str = "light", script: bool = True):
        size = {"width": width, "height": 844 if width < 600 else 900}
        context = browser.new_context(
            viewport=size, color_scheme=theme, reduced_motion="reduce", java_script_enabled=script
        )
        contexts.append(context)
        if user is not None:
            context.add_cookies([session_cookie(user, live_server.url)])
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.goto(live_server.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()


def session_cookie(user: User, url: str) -> dict[str, str]:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "url": url,
    }


@pytest.fixture
def many_datasets(catalogue) -> None:
    """Enough open datasets for a second page of results."""
    for number in range(30):
        factories.make_dataset(
            catalogue.open.investigation, title=f"Series {number}", acquired_at=timezone.now() - timedelta(days=number)
        )
