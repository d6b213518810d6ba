"""The documentation names every setting, command and periodic job, and nothing that does not exist."""

import ast
import json
import os
import re
import shutil
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands

from catalogue.models import Dataset, OutboxEntry
from catalogue.outbox import deliver_due
from portal.celery import app
from portal.schedule import JOBS

ROOT = Path(__file__).resolve().parents[1]
APPS = ("portal", "classifier", "doi", "search", "catalogue")
DOCS = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
README = (ROOT / "README.md").read_text()


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


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_sections_that_a_page_links_to_exist(page: Path):
    for target, section in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", page.read_text()):
        headings = re.findall(r"^#+ (.+)$", ((page.parent / target) if target else page).read_text(), re.MULTILINE)
        assert section in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}, section


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_exist(page: Path):
    text = page.read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^ {4})make ([a-z]+)", text, re.MULTILINE)) <= targets
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())
    for module in re.findall(r"python -m ((?:benchmarks|tests)\.[a-z_]+)", text):
        assert (ROOT / f"{module.replace('.', '/')}.py").exists(), module


def test_every_page_can_be_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached:
            reached.add(page)
            linked = re.findall(r"\]\(([^):#\s]+\.md)", page.read_text())
            waiting += [(page.parent / target).resolve() for target in linked]
    lost = {str(page.relative_to(ROOT)) for page in set(DOCS) - reached}
    assert not lost, "link these pages from the README, or from a page that it leads to"


def test_the_readme_is_short_and_its_picture_light():
    assert len(README.splitlines()) <= 120
    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert pictures
    assert {path.name for path in pictures if path.stat().st_size > 150_000} == set()


def test_every_note_that_a_reader_may_leave_is_documented():
    sources = "".join(path.read_text() for path in (ROOT / "catalogue" / "extraction").glob("*.py"))
    codes = set(re.findall(r'(?:[Nn]ote|fail|UnreadableFile)\(\s*"([a-z0-9]+(?:-[a-z0-9]+)+)"', sources))
    assert len(codes) > 20
    documented = set(re.findall(r"`([a-z0-9-]+)`", (ROOT / "docs" / "concerns" / "extraction.md").read_text()))
    assert codes - documented == set()


def test_decisions_are_numbered_without_a_gap_and_say_why():
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        headings = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], page.name


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_the_example_of_the_readme_registers_a_dataset_on_the_demonstration(live_server, settings, tmp_path: Path):
    """The lines of the README as they stand, with this test's address, folder and database in place of those of `make run`."""
    settings.DATA_DIR, settings.DERIVED_DIR, settings.IS_DEMO = tmp_path, tmp_path / "derived", True
    call_command("load_vocabulary", stdout=StringIO())
    call_command("make_demo", stdout=StringIO())
    token_line, *lines = re.search(r"```bash\n(.+?)```", README, re.DOTALL)[1].splitlines()
    command, instrument = re.search(r"manage\.py (\w+) ([\w-]+)\)$", token_line).groups()
    token = StringIO()
    call_command(command, instrument, stdout=token)
    script = "\n".join(lines).replace("http://127.0.0.1:8000", live_server.url).replace("var/demo", str(tmp_path))
    environment = os.environ | {"token": token.getvalue().strip()}
    script = f"set -e\n{script}"
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    answer = json.loads(done.stdout)
    assert answer["status"] == "registered"
    OutboxEntry.objects.exclude(key=answer["uid"]).delete()  # the demonstration's own files need not be read here
    assert deliver_due() == 2
    dataset = Dataset.objects.get(uid=answer["uid"])
    assert dataset.has_thumbnail
    assert {"accelerating_voltage", "spot_size"} <= set(dataset.parameters.values_list("name", flat=True))
    assert dataset.files.get().sha256
