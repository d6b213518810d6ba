"""Crates as `rocrate_validator` judges them, without the internet.

Its profiles are part of the package. The JSON-LD context, which it would fetch, lies beside this file (the official one of
RO-Crate 1.2.0, CC0) and is put into the validator's cache. What stays out is whether addresses on the web answer.
"""

import io
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import requests
import requests_cache
import urllib3
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationResult, ValidationSettings

from catalogue.interop.ro_crate_graph import CONTEXT

CONTEXT_FILE = Path(__file__).with_name("ro-crate-1.2-context.json")


def problems_of_document(document: dict[str, Any]) -> list[str]:
    """What is wrong with a detached crate."""
    settings = _settings(packaging_mode="detached", rocrate_uri=None)
    with _old_rdflib_words():
        return _messages(services.validate_metadata_as_dict(document, settings))


def problems_of_folder(folder: Path) -> list[str]:
    """What is wrong with a crate that was unpacked to `folder`."""
    with _old_rdflib_words():
        return _messages(services.validate(_settings(packaging_mode="attached", rocrate_uri=str(folder))))


def entities_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entity["@id"]: entity for entity in document["@graph"]}


def _settings(**values: Any) -> ValidationSettings:
    return ValidationSettings(
        profile_identifier="ro-crate-1.2",
        requirement_severity=Severity.REQUIRED,
        skip_availability_check=True,
        offline=True,
        cache_path=_filled_cache(),
        **values,
    )


@cache
def _filled_cache() -> Path:
    place = Path(tempfile.mkdtemp(prefix="faircat-crates-")) / "http"
    response = requests.Response()
    response.status_code, response.url = 200, CONTEXT
    response.request = requests.Request("GET", CONTEXT).prepare()
    response.headers["Content-Type"] = "application/ld+json"
    response.raw = urllib3.HTTPResponse(
        io.BytesIO(CONTEXT_FILE.read_bytes()),
        status=200,
        headers=response.headers,
        preload_content=False,
        request_url=CONTEXT,
    )
    with requests_cache.CachedSession(str(place), backend="sqlite") as session:
        session.cache.save_response(response)
    return place


def _messages(result: ValidationResult) -> list[str]:
    return [f"{issue.check.identifier}: {issue.message}" for issue in result.get_issues()]


@contextmanager
def _old_rdflib_words() -> Iterator[None]:
    """The validator calls rdflib by names that rdflib deprecates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
