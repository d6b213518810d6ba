"""Our own rules, held over the source itself. Style and import directions are held by ruff and import-linter."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
APPS = ("portal", "classifier", "doi", "search", "catalogue")
LONGEST_FUNCTION = 60
LONGEST_FILE = 400
TEXT_SUFFIXES = {".py", ".md", ".html", ".txt", ".toml", ".css", ".js", ".yaml", ".yml", ".cfg", ".csv", ".svg", ""}
# Where the source was written is nobody's business, and is nowhere else.
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root)/[\w.]|/tmp/bash_jobs")


def sources() -> list[Path]:
    files = (path for app in APPS for path in (ROOT / app).rglob("*.py"))
    return sorted(path for path in files if "migrations" not in path.parts)


def named(paths: list[Path]) -> dict:
    return {"argvalues": paths, "ids": [str(path.relative_to(ROOT)) for path in paths]}


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Each call with the last name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            yield getattr(function, "attr", getattr(function, "id", "")), node


@pytest.mark.parametrize("path", **named(sources()))
def test_a_file_says_what_it_is_for_and_stays_readable(path: Path):
    text = path.read_text()
    tree = ast.parse(text)
    is_formality = path.name in {"apps.py", "wsgi.py"} or not tree.body
    assert is_formality or ast.get_docstring(tree), "a module docstring says what the file is for"
    assert text.count("\n") <= LONGEST_FILE, f"split this file: more than {LONGEST_FILE} lines"
    for function in functions(path):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        assert length <= LONGEST_FUNCTION, f"split {function.name}: {length} lines"


@pytest.mark.parametrize("path", **named([path for path in sources() if "services" in path.parts]))
def test_a_service_that_writes_takes_its_actor_by_keyword(path: Path):
    for function in ast.parse(path.read_text()).body:
        if not isinstance(function, ast.FunctionDef) or function.name.startswith("_"):
            continue
        if {"write_audit", "write_audit_rows", "record_intents"} & {name for name, _ in calls(function)}:
            arguments = {argument.arg for argument in function.args.kwonlyargs}
            assert arguments & {"actor", "principal"}, f"{function.name} needs a keyword-only actor"
            assert not function.args.args, f"{function.name}: all arguments by keyword"


@pytest.mark.parametrize("path", **named([path for path in sources() if "portal" not in path.parts]))
def test_only_the_portal_knows_the_statuses_of_refusals(path: Path):
    tree = ast.parse(path.read_text())
    for name, call in calls(tree):
        for keyword in call.keywords:
            value = keyword.value
            is_refusal = isinstance(value, ast.Constant) and isinstance(value.value, int) and value.value >= 400
            assert not (keyword.arg == "status" and is_refusal), f"{name}(status=...): raise a domain error"
        assert not name.startswith(("HttpResponseForbidden", "HttpResponseBad", "HttpResponseNotFound")), name


@pytest.mark.parametrize("path", **named([path for path in sources() if {"services", "models"} & set(path.parts)]))
def test_services_and_models_send_no_task(path: Path):
    """The outbox records what is to be done; the doorbell of the portal wakes the worker after the commit."""
    for name, _ in calls(ast.parse(path.read_text())):
        assert name not in {"delay", "apply_async", "send_task", "delay_on_commit"}


@pytest.mark.parametrize(
    "path", **named([path for path in sources() if path.name in {"views.py"} or "views" in path.parts])
)
def test_views_write_through_services_only(path: Path):
    written = {"bulk_create", "bulk_update", "get_or_create", "update_or_create", "write_audit"}
    for name, _ in calls(ast.parse(path.read_text())):
        assert name not in written, f"{name}: a view calls a service"


def test_no_test_puts_something_else_in_the_place_of_our_own_code():
    for path in sorted((ROOT / "tests").rglob("*.py")):
        imported = {
            getattr(node, "module", None) or alias.name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert not any(name.startswith(("unittest.mock", "mock")) for name in imported), path


def texts() -> list[Path]:
    folders = (*APPS, "tests", "docs", "templates", "static", "benchmarks", "scripts", ".ci")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    files += [path for path in ROOT.iterdir() if path.is_file()]
    return [path for path in files if path.suffix in TEXT_SUFFIXES and "__pycache__" not in path.parts]


def test_no_file_tells_where_it_was_written():
    told = {
        str(path.relative_to(ROOT)): match.group()
        for path in texts()
        if path != Path(__file__) and (match := MACHINE_PATHS.search(path.read_text(errors="replace")))
    }
    assert not told
