"""The documentation names every setting, command and periodic job, and nothing that does not exist."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from portal.celery import app
from portal.schedule import JOBS

ROOT = Path(__file__).resolve().parents[1]
APPS = ("portal", "classifier", "doi", "search", "catalogue")
DOCS = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def variables_that_are_read() -> set[str]:
    """The first argument of every `env.…("NAME")` of the settings."""
    names = set()
    for path in (ROOT / "portal" / "settings").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args
            if is_call and getattr(node.func.value, "id", "") == "env" and isinstance(node.args[0], ast.Constant):
                names.add(node.args[0].value)
    return names


def test_every_variable_is_documented_and_every_documented_one_is_read():
    documented = set(re.findall(r"`([A-Z][A-Z0-9]*_?[A-Z0-9_]*)`(?=[,| ])", SETTINGS)) - {"INFO"}
    read = variables_that_are_read() | {"PROMETHEUS_MULTIPROC_DIR"}
    assert len(read) > 20
    assert read - documented == set(), "not documented in docs/settings.md"
    assert documented - read - {"DJANGO_SETTINGS_MODULE"} == set(), "documented, but nobody reads it"


def test_every_variable_that_production_requires_is_marked_so():
    from ast import literal_eval

    tree = ast.parse((ROOT / "portal" / "settings" / "production.py").read_text())
    required = next(
        literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "REQUIRED"
    )
    for name in required:
        line = next(line for line in SETTINGS.splitlines() if line.startswith(f"| `{name}`"))
        assert "*required*" in line, name


def test_every_command_is_documented_and_every_documented_one_exists():
    ours = {name for name, application in get_commands().items() if application in APPS}
    documented = set(re.findall(r"^\| `([a-z_]+)[ `]", OPERATIONS.split("## Commands")[1].split("##")[0], re.MULTILINE))
    assert documented == ours


def test_every_task_is_documented_and_every_periodic_job_is_in_the_table():
    app.loader.import_default_modules()
    ours = {name.rpartition(".")[2] for name in app.tasks if name.split(".")[0] in APPS}
    assert ours, "tasks were found"
    missing = {name for name in ours if f"`{name}`" not in OPERATIONS}
    assert not missing
    jobs = OPERATIONS.split("## Periodic jobs")[1].split("##")[0]
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", jobs, re.MULTILINE))
    assert documented == {job.task.rpartition(".")[2] for job in JOBS}


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_of_a_page_lead_somewhere(page: Path):
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), target
    for path in re.findall(r"`((?:portal|catalogue|docs|tests|search|doi|classifier|benchmarks)/[\w./-]+\.\w+)`", text):
        assert (ROOT / path).exists(), path
