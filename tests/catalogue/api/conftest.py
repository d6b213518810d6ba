"""A facility with an instrument that registers by token, people with tokens, and a client that speaks JSON."""

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from catalogue.access import principal_of
from catalogue.models import ApiToken, Technique, User
from catalogue.services.tokens import create_token
from tests import factories


class Api:
    """A client of the API with a token, or none."""

    def __init__(self, token: str = ""):
        self.client = Client(headers={"Authorization": f"Bearer {token}"} if token else {})

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.generic(method, f"/api/v1/{path}", content, "application/json", headers=named)

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> HttpResponse:
        return self("POST", path, body, **headers)


def api_of(user: User, *scopes: str) -> Api:
    owner = principal_of(user)
    if user.instrument_id:
        owner = principal_of(factories.make_user(is_superuser=True))
    _, text = create_token(
        actor=owner, owner=user, name="test", scopes=scopes or ("read", "register"), lifetime=timedelta(days=1)
    )
    ApiToken.objects.update(last_used_at=timezone.now())
    return Api(text)


@pytest.fixture
def visitor(db: None) -> Api:
    return Api()


@pytest.fixture
def lab(db: None, tmp_path: Path) -> SimpleNamespace:
    """An instrument with its storage and a closed investigation, and those who act: instrument, PI, stranger, curator."""
    instrument = factories.make_instrument(short_name="microscope-1")
    storage = factories.make_storage(tmp_path, name="sem-disk", instrument=instrument, member_folder="{visit_id}")
    pi = factories.make_user("pi")
    investigation = factories.make_investigation(instrument=instrument, visit_id="visit-2026-17", pi=pi)
    sem = Technique.objects.create(iri="https://example.org/SEM", label="SEM", source="ours")
    return SimpleNamespace(
        instrument=instrument,
        storage=storage,
        investigation=investigation,
        technique=sem,
        account=factories.make_instrument_account(instrument),
        pi=pi,
        stranger=factories.make_user("stranger"),
        curator=factories.make_curator("curator"),
    )


@pytest.fixture
def machine(lab: SimpleNamespace) -> Api:
    return api_of(lab.account)


@pytest.fixture
def pi(lab: SimpleNamespace) -> Api:
    return api_of(lab.pi)


@pytest.fixture
def stranger(lab: SimpleNamespace) -> Api:
    return api_of(lab.stranger)


@pytest.fixture
def curator(lab: SimpleNamespace) -> Api:
    return api_of(lab.curator)


def dataset_body(number: int = 1, **changes: Any) -> dict[str, Any]:
    body = {
        "investigation": "visit-2026-17",
        "title": f"Grains {number}",
        "registration_key": f"run/{number}",
        "files": [{"storage": "sem-disk", "path": f"visit-2026-17/{number}/grain.tif", "size": 1000}],
        "parameters": [{"name": "acceleration_voltage", "value": 15, "unit": "kV"}],
    }
    return body | changes
