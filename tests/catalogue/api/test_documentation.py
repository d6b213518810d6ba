"""The API's own description: true to what is accepted, valid, and shown without any foreign or inline script."""

import ast
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from catalogue import errors
from catalogue.api import bodies
from catalogue.api.error_codes import ERROR_CODES
from catalogue.api.parsing import Shape
from catalogue.models import Dataset
from tests.catalogue.api.conftest import Api

ROOT = Path(__file__).parents[3]
APPS = ("catalogue", "search", "doi", "classifier", "portal")


@pytest.fixture(scope="module")
def schema() -> dict:
    return SchemaGenerator().get_schema(request=None, public=True)


def test_the_description_is_valid_openapi(schema: dict) -> None:
    validate_schema(schema)


def test_every_operation_says_what_it_does_and_every_body_has_an_example(schema: dict) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (path, method)
            assert operation["responses"], (path, method)
            if "requestBody" in operation:
                assert operation["requestBody"]["content"]["application/json"]["examples"], (path, method)


def test_every_reference_in_the_description_leads_somewhere(schema: dict) -> None:
    names = set(re.findall(r"#/components/schemas/(\w+)", str(schema)))
    assert names <= set(schema["components"]["schemas"])
    assert {"DatasetRecord", "DatasetEntry", "Problem"} <= names


@pytest.mark.parametrize("shape", bodies.SHAPES, ids=lambda shape: shape.name)
def test_the_example_of_each_body_is_accepted_by_its_reader(shape: Shape) -> None:
    assert shape.read(shape.example) is not None
    assert set(shape.example) <= set(shape.members)


@pytest.mark.django_db
def test_the_documented_examples_register_an_investigation_and_its_dataset(
    schema: dict, machine: Api, pi: Api, lab: SimpleNamespace
) -> None:
    def example(path: str, method: str = "post") -> dict:
        content = schema["paths"][path][method]["requestBody"]["content"]["application/json"]
        return next(iter(content["examples"].values()))["value"]

    lab.investigation.visit_id = "another"
    lab.investigation.save()
    assert machine.post("investigations", example("/api/v1/investigations")).status_code == 201
    answer = machine.post("datasets", example("/api/v1/datasets"))
    assert answer.status_code == 201
    assert machine.post("datasets/bulk", example("/api/v1/datasets/bulk")).json()["existing"] == 1
    path = f"datasets/{Dataset.objects.get().uid}"
    changes = example("/api/v1/datasets/{uid}", "patch")
    assert machine("PATCH", path, changes, If_Match=answer["ETag"]).status_code == 200
    assert machine.post(f"{path}/files", example("/api/v1/datasets/{uid}/files")).status_code == 201
    parameters = example("/api/v1/datasets/{uid}/parameters", "put")
    assert machine("PUT", f"{path}/parameters", parameters, If_Match='"3"').status_code == 200


def test_every_code_of_a_refusal_is_explained() -> None:
    used = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "code")}
    for app in APPS:
        for file in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant):
                    used.add(node.value.value)
    unknown = {code for code in used if isinstance(code, str)} - set(ERROR_CODES) - {"error"}
    assert not unknown


@pytest.mark.django_db
def test_the_codes_are_a_page_for_people_and_json_for_machines() -> None:
    page = Client().get("/api/errors", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert 'id="stale-version"' in page.content.decode()
    assert Client().get("/api/errors", headers={"Accept": "application/json"}).json()["invalid"]["meaning"]


@pytest.mark.django_db
def test_the_documentation_has_no_inline_script_or_style() -> None:
    page = Client().get("/api/docs")
    text = page.content.decode()
    assert page.status_code == 200
    assert "<style" not in text
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert not re.search(r"""(src|href)="(https?:)?//""", text)
    script = Client().get(re.findall(r'<script src="([^"]*docs[^"]*)"', text)[0].replace("&amp;", "&"))
    assert script["Content-Type"].startswith("application/javascript")
    assert "/api/schema" in script.content.decode()


@pytest.mark.django_db
def test_the_schema_is_served_to_everyone() -> None:
    assert b"/api/v1/datasets/bulk" in Client().get("/api/schema").content
