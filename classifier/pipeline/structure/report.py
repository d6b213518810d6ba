"""The report of a study as one HTML file with its plots inside, and as JSON."""

import html
import json
from pathlib import Path

from classifier.pipeline.structure.plots import draw_all
from classifier.pipeline.structure.study import Study

TITLES = {
    "dimension": "Intrinsic dimension",
    "losses": "Training of the autoencoder",
    "distances": "Distances",
    "agreement": "Agreement with the labels",
}
EXPLAINED = {
    "dimension": "Where the curve is level over several sizes the points tell their dimension and not their noise.",
    "losses": "The codes are taken after the last epoch.",
    "distances": "Clusters are dark squares on the diagonal.",
    "agreement": "“Good”: clusters of one category each, in proportion to its size. “Uniform”: images dealt at random.",
}


def write_report(folder: Path, study: Study, *, title: str, about: str) -> list[Path]:
    """Write `study.json` and `report.html` into `folder`, which is made; whole files only."""
    folder.mkdir(parents=True, exist_ok=True)
    summary = json.dumps(study.summary() | {"title": title, "about": about}, ensure_ascii=False, indent=1)
    return [_write(folder / "study.json", summary), _write(folder / "report.html", _page(study, title, about))]


def _write(path: Path, text: str) -> Path:
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
    return path


def _page(study: Study, title: str, about: str) -> str:
    summary = study.summary()
    plots = draw_all(study)
    sections = "\n".join(
        f"<h2>{TITLES[name]}</h2><p>{EXPLAINED[name]}</p>{svg[svg.index('<svg') :]}" for name, svg in plots.items()
    )
    best = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{one['agreement']:.3f}</td><td>{one['clusters']}</td></tr>"
        for name, one in summary["best"].items()
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title></head><body>
<h1>{html.escape(title)}</h1><p>{html.escape(about)}</p>
<p>{summary["images"]} images; dimension {summary["dimension"]:.1f}; {summary["coding_size"]} codes, which restore
{summary["explained"]:.0%} of the variance of the features.</p>
<table><caption>Best agreement with the labels</caption><tr><th>Method</th><th>NMI</th><th>Clusters</th></tr>{best}</table>
{sections}
</body></html>
"""
