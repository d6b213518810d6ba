"""The report of a training as one page of HTML with its pictures in it, without scripts and without anything from elsewhere."""

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from typing import Any

from classifier.pipeline.releases import Manifest
from classifier.pipeline.training.card import IS_DEMONSTRATION

Pictures = Mapping[str, bytes]

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; border-top: 1px solid #d5d9df; padding-top: 1rem; }
.warning { border-left: 6px solid #d1495b; background: #fdf1f2; padding: .7rem 1rem; font-weight: 600; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; } caption { text-align: left; padding: .4rem 0; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #e3e6ea; text-align: left; } td.number { text-align: right; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: 1rem; }
dt { color: #5a6472; } dd { margin: 0; font-size: 1.5rem; } img { max-width: 100%; height: auto; }
"""


def write_report(manifest: Manifest, pictures: Pictures) -> str:
    """The page for a release; `pictures` are SVG files by their names in `plots.py`."""
    metrics = manifest.metrics
    title = f"{manifest.name} {manifest.release}"
    parts = [
        f"<h1>{escape(title)}</h1><p>Report of its training: {escape(manifest.architecture)}.</p>",
        f'<p class="warning" role="note">{escape(IS_DEMONSTRATION)}</p>' if manifest.is_demonstration else "",
        _in_short(metrics),
        _classes(metrics["scores"], pictures),
        _confidences(metrics, pictures),
        _banner(metrics),
        _strange(metrics),
        _conversion(metrics.get("conversion")),
        _data(manifest.data),
        _training(manifest.training, pictures),
    ]
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(part for part in parts if part) + "\n</body>\n</html>\n"
    )


def _in_short(metrics: dict[str, Any]) -> str:
    scores, abstention = metrics["scores"], metrics["abstention"]
    low, high = scores["accuracy_interval"]
    weakest = min((each for each in scores["classes"] if each["count"]), key=lambda each: each["recall"])
    facts = {
        "Macro-F1": f"{scores['macro_f1']:.3f}",
        "Accuracy": f"{scores['accuracy']:.3f}",
        "95 % interval": f"{low:.3f} to {high:.3f}",
        "Test pictures": f"{scores['count']}",
        "Weakest category": f"{weakest['label']}, recall {weakest['recall']:.2f}",
        "Labelled at the threshold": f"{abstention['coverage']:.1%}, {abstention['accuracy']:.1%} right",
    }
    listed = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items())
    return f"<h2>In short</h2><dl>{listed}</dl>"


def _classes(scores: dict[str, Any], pictures: Pictures) -> str:
    rows = [
        [each["label"], each["count"], each["recall"], each["precision"], each["f1"],
         f"{each['mistaken_for']} ({each['mistakes']})" if each["mistakes"] else ""]
        for each in scores["classes"]
    ]  # fmt: skip
    table = _table(["Category", "Pictures", "Recall", "Precision", "F1", "Most often taken for"], rows)
    names = [each["label"] for each in scores["classes"]]
    confusion = _table(["It is", *names], [[name, *row] for name, row in zip(names, scores["confusion"], strict=True)])
    return (
        "<h2>Each category</h2><p>Recall is the share of the pictures of a category that were found. Look at the weakest "
        "first: with few pictures in some categories accuracy alone hides them.</p>"
        + table
        + _picture("confusion.svg", pictures, "Confusion of the categories; the table below holds the same numbers.")
        + f"<details><summary>The confusion as a table</summary>{confusion}</details>"
    )


def _confidences(metrics: dict[str, Any], pictures: Pictures) -> str:
    calibration, abstention = metrics["calibration"], metrics["abstention"]
    said = (
        f"Expected calibration error {calibration['error_before']:.3f} before and {calibration['error_after']:.3f} after "
        f"temperature scaling with {calibration['temperature']:.2f}. Points on the line are honest: of the pictures with a "
        "confidence of 0.8, eight in ten are right. Large points stand for many pictures."
    )
    kept = (
        f"Below a confidence of {abstention['threshold']:.3f} the model abstains. It then labels {abstention['coverage']:.1%} "
        f"of the pictures, {abstention['accuracy']:.1%} of them rightly, and holds back {abstention['mistakes_held_back']:.0%} "
        "of its mistakes for people."
    )
    return (
        f"<h2>Confidences</h2><p>{said}</p>{_picture('reliability.svg', pictures, 'Reliability before and after scaling.')}"
        f"<h2>When it abstains</h2><p>{kept}</p>{_picture('coverage.svg', pictures, 'Accuracy over the share labelled.')}"
    )


def _banner(metrics: dict[str, Any]) -> str:
    banner = metrics.get("banner")
    if not banner:
        return ""
    cut = metrics["scores"]
    table = _table(
        ["The same test pictures", "Accuracy", "Macro-F1"],
        [
            ["banner cut, as in use", cut["accuracy"], cut["macro_f1"]],
            ["banner left in", banner["accuracy"], banner["macro_f1"]],
        ],
    )
    return (
        "<h2>Without and with the banner</h2><p>The banner is cut before training and in use, so that the model cannot learn which "
        f"microscope took which category. Leaving it in should not help.</p>{table}"
    )


def _strange(metrics: dict[str, Any]) -> str:
    strange = metrics.get("strangeness")
    if not strange:
        return ""
    return (
        f"<h2>Strange pictures</h2><p>{strange['test']:.1%} of the test pictures are called strange, wrongly; the limit was set "
        f"for 2 % of the validation pictures. Of {strange['count']} pictures of no sample (plain, noise, gradients, checks, "
        f"text) {strange['others']:.0%} are called strange or uncertain.</p>"
    )


def _conversion(conversion: dict[str, Any] | None) -> str:
    if not conversion:
        return "<h2>Conversion</h2><p>There is no LiteRT model: it needs TensorFlow, where this was trained without it.</p>"
    return (
        f"<h2>Conversion</h2><p>The int8 model for processors names the same category for {conversion['labels']:.2%} of "
        f"{conversion['count']} pictures that were not trained on; logits differ by {conversion['mean_difference']:.3f} on average.</p>"
    )


def _data(data: dict[str, Any]) -> str:
    rows = [[each["label"], each["training"], each["validation"], each["test"]] for each in data["counts"]]
    return (
        f"<h2>Data</h2><p>{escape(data['name'])}. Reference: {escape(data['reference'] or 'none')}. SHA-256 of the list of its "
        f"files: <code>{escape(data['sha256'])}</code>.</p><p>{escape(data['notes'])}</p>"
        + _table(["Category", "Training", "Validation", "Test"], rows)
        + _near_duplicates(data["summary"])
    )


def _near_duplicates(summary: dict[str, Any]) -> str:
    shared = summary["near_duplicates_across_random_parts"]
    facts = {
        "Images found": summary["found"],
        "Used": summary["used"],
        "Exact duplicates left out": summary["duplicates"],
        "Equal pictures with different labels, left out": summary["contradictions"],
        "Name and folder contradict each other, left out": summary["mismatched"],
        "Unreadable, left out": summary["unreadable"],
        "Groups of near duplicates": summary["near_duplicate_groups"],
        "Images in such groups": summary["images_in_near_duplicate_groups"],
        "Images in the largest group": summary["largest_near_duplicate_group"],
        "Test pictures with a near duplicate in training, had they been divided at random": f"{shared:.1%}",
        "Sessions, each in one part": summary["sessions"],
    }
    return _table(["What was found in the data", "Number"], [[name, value] for name, value in facts.items()])


def _training(training: dict[str, Any], pictures: Pictures) -> str:
    rows = [[name, str(value)] for name, value in {**training["recipe"], **training["versions"]}.items() if value != ""]
    return (
        f"<h2>Training</h2><p><code>{escape(training['command'])}</code></p>"
        + _picture("course.svg", pictures, "Loss and accuracy over the epochs, of training and validation part.")
        + _table(["Setting", "Value"], rows)
    )


def _picture(name: str, pictures: Pictures, described: str) -> str:
    if name not in pictures:
        return ""
    return (
        f'<p><img src="data:image/svg+xml;base64,{b64encode(pictures[name]).decode()}" alt="{escape(described)}"></p>'
    )


def _table(head: list[str], rows: list[list[Any]]) -> str:
    cells = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join("<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f'<td class="number">{value:.3f}</td>'
    return f'<td class="number">{value}</td>' if isinstance(value, int) else f"<td>{escape(str(value))}</td>"
