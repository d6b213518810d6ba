"""Reads model releases as their cards show them: use, data, figures for each class, files. A candidate is shown to curators only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.urls import reverse

from catalogue.access import Principal
from catalogue.errors import NotFound
from classifier.models import ModelRelease, ReleaseState
from classifier.pipeline.releases import CARD_FILE
from classifier.services.releases import folder_of

LARGEST_CARD = 200_000
SHOWN_FROM_MANIFEST = ("Figures", "Training")


@dataclass(frozen=True)
class ClassFigures:
    """One category in the test data: how many images, and the shares found and right, None where there is no image of it."""

    label: str
    count: int
    recall: float | None
    precision: float | None
    mistaken_for: str


@dataclass(frozen=True)
class ModelFile:
    name: str
    sha256: str
    size: int
    url: str


@dataclass(frozen=True)
class Block:
    """A part of the card's text: kind is heading, list, table, code or text. A table has `rows`, the first of them its head."""

    kind: str
    lines: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Card:
    """What a card shows. `confusion` has a row for each true category; `facts` are pairs of words and values."""

    facts: Sequence[tuple[str, Any]]
    figures: Sequence[tuple[str, str]]
    classes: Sequence[ClassFigures]
    confusion: Sequence[tuple[str, Sequence[int]]]
    data: Sequence[tuple[str, Any]]
    training: Sequence[tuple[str, Any]]
    files: Sequence[ModelFile]
    text: Sequence[Block] = field(default=())


def shown_releases(principal: Principal) -> list[ModelRelease]:
    """The one in use first, then the newest."""
    rows = ModelRelease.objects.order_by("-pk")
    rows = rows if principal.sees_everything else rows.exclude(state=ReleaseState.CANDIDATE)
    return sorted(rows[:200], key=lambda row: row.state != ReleaseState.ACTIVE)


def find_release(principal: Principal, name: str, release: str) -> ModelRelease:
    found = next((row for row in shown_releases(principal) if (row.name, row.release) == (name, release)), None)
    if found is None:
        raise NotFound("There is no such model release.")
    return found


def release_file(row: ModelRelease, name: str) -> tuple[Path, str]:
    """Where a file of the release lies, and its SHA-256. Only what the manifest names can be asked for."""
    sha256 = row.manifest.get("files", {}).get(name)
    path = folder_of(row) / name
    if sha256 is None or not path.is_file():
        raise NotFound("This release has no such file.")
    return path, sha256


def card_of(row: ModelRelease) -> Card:
    manifest, scores = row.manifest, _table(row.manifest.get("metrics", {}), "scores")
    calibration = _table(manifest.get("metrics", {}), "calibration")
    abstention = _table(manifest.get("metrics", {}), "abstention")
    labels = row.labels
    return Card(
        facts=_facts(row),
        figures=_figures(scores, calibration, abstention),
        classes=[_class_figures(one) for one in scores.get("classes", ())],
        confusion=list(zip(labels, scores.get("confusion", ()), strict=False)),
        data=_pairs(manifest.get("data", {})),
        training=_pairs(manifest.get("training", {})),
        files=_files(row),
        text=_blocks(row),
    )


def _table(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name)
    return found if isinstance(found, Mapping) else {}


def _facts(row: ModelRelease) -> list[tuple[str, Any]]:
    manifest = row.manifest
    facts = [
        ("Architecture", manifest.get("architecture", "")),
        ("State", row.get_state_display()),
        ("Categories", len(row.labels)),
        ("Input", f"{manifest.get('input_side', '?')} pixels square, in grey, without the banner"),
        ("Uncertain below", _percent(manifest.get("abstain_below"))),
        ("Licence", manifest.get("licence", "")),
        ("SHA-256 of the manifest", row.digest),
    ]
    return [(name, value) for name, value in facts if value]


def _figures(
    scores: Mapping[str, Any], calibration: Mapping[str, Any], abstention: Mapping[str, Any]
) -> list[tuple[str, str]]:
    low, high = scores.get("accuracy_interval") or (None, None)
    between = f" (95 % interval {_percent(low)} to {_percent(high)})" if low is not None else ""
    figures = [
        ("Test images", str(scores.get("count", ""))),
        ("Accuracy", f"{_percent(scores.get('accuracy'))}{between}"),
        ("Macro-F1", _number(scores.get("macro_f1"))),
        ("Calibration error before temperature scaling", _number(calibration.get("error_before"))),
        ("Calibration error after temperature scaling", _number(calibration.get("error_after"))),
        ("Share of images on which it does not abstain", _percent(abstention.get("coverage"))),
        ("Accuracy on these", _percent(abstention.get("accuracy"))),
    ]
    return [(name, text) for name, text in figures if text]


def _class_figures(one: Mapping[str, Any]) -> ClassFigures:
    count = int(one.get("count", 0))
    return ClassFigures(
        label=str(one.get("label", "")),
        count=count,
        recall=one.get("recall") if count else None,
        precision=one.get("precision") if count else None,
        mistaken_for=str(one.get("mistaken_for", "")),
    )


def _percent(share: Any) -> str:
    return f"{share * 100:.1f} %" if isinstance(share, int | float) else ""


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else ""


def _pairs(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Plain values of a table of the manifest, in words; tables within it are left to the files."""
    plain = [(name, value) for name, value in values.items() if isinstance(value, str | int | float) and value != ""]
    return [(name.replace("_", " ").capitalize(), value) for name, value in plain]


def _files(row: ModelRelease) -> list[ModelFile]:
    folder = folder_of(row)
    found = []
    for name, sha256 in sorted(row.manifest.get("files", {}).items()):
        path = folder / name
        if path.is_file():
            url = reverse("model-file", args=[row.name, row.release, name])
            found.append(ModelFile(name, sha256, path.stat().st_size, url))
    return found


def _blocks(row: ModelRelease) -> list[Block]:
    """The card's text without what the page shows from the manifest: its head, and the sections of figures and training."""
    path = folder_of(row) / CARD_FILE
    if CARD_FILE not in row.manifest.get("files", {}) or not path.is_file():
        return []
    text = path.read_text(encoding="utf-8", errors="replace")[:LARGEST_CARD]
    sections = ("\n" + text.replace("\r", "")).split("\n## ")[1:]
    shown = [section for section in sections if not section.startswith(SHOWN_FROM_MANIFEST)]
    return [block for section in shown for block in _section(section)]


def _section(text: str) -> list[Block]:
    """Headings, lists, tables, code and paragraphs; nothing else of Markdown is understood."""
    title, _, rest = text.partition("\n")
    blocks = [Block("heading", (title.strip(),))]
    for place, part in enumerate(rest.split("```")):
        if place % 2:
            blocks.append(Block("code", (part.partition("\n")[2].rstrip(),)))
        else:
            blocks += [_block(one.strip().splitlines()) for one in part.split("\n\n") if one.strip()]
    return blocks


def _block(lines: list[str]) -> Block:
    if lines[0].startswith("- "):
        items = " ".join(line.strip() if not line.startswith("- ") else f"\x00{line[2:]}" for line in lines).split(
            "\x00"
        )
        return Block("list", tuple(_plain(item) for item in items if item.strip()))
    if lines[0].startswith("|"):
        cells = (tuple(_plain(cell) for cell in line.strip("| ").split("|")) for line in lines)
        return Block("table", rows=tuple(row for row in cells if any(set(cell) - set("-:") for cell in row)))
    return Block("text", (_plain(" ".join(lines)),))


def _plain(text: str) -> str:
    return text.replace("**", "").replace("`", "").strip()


def versions_of(principal: Principal, row: ModelRelease) -> list[ModelRelease]:
    return [one for one in shown_releases(principal) if one.name == row.name]


def schema_org(row: ModelRelease, address: str, site_url: str) -> dict[str, Any]:
    """The release as schema.org describes a piece of software that can be downloaded."""
    purpose = (
        "synthetic images, for demonstration" if row.is_demonstration else "images of scanning electron microscopes"
    )
    return {
        "@context": "https://schema.org",
        "@type": "SoftwareApplication",
        "@id": address,
        "url": address,
        "name": row.label,
        "softwareVersion": row.release,
        "applicationCategory": "Image classification model",
        "description": f"Sorts {purpose} into {len(row.labels)} categories: {', '.join(row.labels)}.",
        "license": row.manifest.get("licence", ""),
        "dateCreated": row.created_at.date().isoformat(),
        "hasPart": [
            {"@type": "MediaObject", "name": file.name, "contentUrl": site_url + file.url, "sha256": file.sha256}
            for file in _files(row)
        ],
    }
