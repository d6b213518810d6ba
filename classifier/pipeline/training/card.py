"""The model card (Mitchell et al. 2019) as Markdown: what a model is for, what it learnt from, where it fails, how it is run."""

from typing import Any

from classifier.pipeline.releases import Manifest

IS_DEMONSTRATION = (
    "This is a demonstration, trained on synthetic images that a program drew. It shows that the software works. "
    "None of its figures is an accuracy on images of a microscope; do not use it for research."
)


def write_card(manifest: Manifest) -> str:
    """The card of a release, from its manifest."""
    metrics, data = manifest.metrics, manifest.data
    parts = [
        f"# {manifest.name} {manifest.release}",
        f"> **{IS_DEMONSTRATION}**" if manifest.is_demonstration else "",
        _purpose(manifest),
        _about_data(data),
        _about_training(manifest.training),
        _about_figures(metrics),
        _confusion(metrics),
        _limits(manifest),
        f"## Licence\n\n{manifest.licence or 'Not stated: ask who made this release before you pass it on.'}",
        _how_to_run(manifest),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _purpose(manifest: Manifest) -> str:
    return (
        "## What it is for\n\n"
        f"It sorts pictures of scanning electron microscopes into {len(manifest.labels)} categories "
        f"({', '.join(manifest.labels)}), so that they can be found. It proposes; people decide. It is not for measurements, "
        f"not for quality control, and not for pictures of other instruments.\n\nArchitecture: {manifest.architecture}, "
        f"input {manifest.input_side} x {manifest.input_side} grey values without the banner."
    )


def _about_data(data: dict[str, Any]) -> str:
    rows = "\n".join(
        f"| {each['label']} | {each['training']} | {each['validation']} | {each['test']} |" for each in data["counts"]
    )
    return (
        f"## Data\n\n{data['name']}. Reference: {data['reference'] or 'none'}. SHA-256 of the list of its files: "
        f"`{data['sha256']}`.\n\n| category | training | validation | test |\n|---|---|---|---|\n{rows}\n\n{data['notes']}"
    )


def _about_training(training: dict[str, Any]) -> str:
    recipe = ", ".join(f"{name} {value}" for name, value in training["recipe"].items() if value not in ("", None))
    versions = ", ".join(f"{name} {value}" for name, value in training["versions"].items())
    return f"## Training\n\n`{training['command']}`\n\n{recipe}. {versions}.\n\nPictures come as: {training['preprocessing']}."


def _about_figures(metrics: dict[str, Any]) -> str:
    scores, calibration, abstention = metrics["scores"], metrics["calibration"], metrics["abstention"]
    low, high = scores["accuracy_interval"]
    rows = "\n".join(
        f"| {each['label']} | {each['count']} | {each['recall']:.3f} | {each['precision']:.3f} | {each['f1']:.3f} "
        f"| {each['mistaken_for']} |"
        for each in scores["classes"]
    )
    return (
        f"## Figures, on {scores['count']} pictures of the test part\n\n"
        f"Macro-F1 {scores['macro_f1']:.3f}, accuracy {scores['accuracy']:.3f} (95 % interval {low:.3f} to {high:.3f}). "
        f"Expected calibration error {calibration['error_before']:.3f} before and {calibration['error_after']:.3f} after "
        f"temperature scaling. Below a confidence of {abstention['threshold']:.2f} it abstains: it labels "
        f"{abstention['coverage']:.1%} of the pictures, {abstention['accuracy']:.1%} of them rightly.\n\n"
        f"| category | pictures | recall | precision | F1 | most often taken for |\n|---|---|---|---|---|---|\n{rows}"
    )


def _confusion(metrics: dict[str, Any]) -> str:
    scores = metrics["scores"]
    names = [each["label"] for each in scores["classes"]]
    head = "| what it is | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1)
    rows = "\n".join(
        f"| {name} | " + " | ".join(map(str, row)) + " |" for name, row in zip(names, scores["confusion"], strict=True)
    )
    return f"Confusion; the columns are what the model says.\n\n{head}\n{rows}"


def _limits(manifest: Manifest) -> str:
    classes = manifest.metrics["scores"]["classes"]
    weak = [each for each in classes if each["count"] and each["recall"] < 0.9]
    few = [each["label"] for each in classes if each["count"] < 30]
    sentences = [
        "It knows the categories above only; a picture of anything else gets one of them, unless it is marked as strange.",
        "Confidences hold for pictures like those it was trained on, and are less honest the further pictures are from them.",
        "Pictures that show several things have one label here.",
    ]
    if weak:
        told = "; ".join(
            f"{each['label']} (recall {each['recall']:.2f}"
            + (f", taken for {each['mistaken_for']})" if each["mistaken_for"] else ")")
            for each in weak
        )
        sentences.append(f"Weak categories: {told}.")
    if few:
        sentences.append(f"Fewer than 30 test pictures, so that their figures say little: {', '.join(few)}.")
    if manifest.is_demonstration:
        sentences.append("It never saw a real image.")
    return "## Limits\n\n" + "\n".join(f"- {sentence}" for sentence in sentences)


def _how_to_run(manifest: Manifest) -> str:
    if manifest.is_demonstration:
        first = "It comes with the software and is in use until another release is."
    else:
        first = "`manage.py classifier_release install FOLDER`, then `activate`, puts it into use."
    return (
        f"## How to run it\n\n{first} In a program:\n\n```python\nfrom pathlib import Path\n\n"
        "from classifier.pipeline.classifying import Classifier\nfrom classifier.pipeline.preparing import prepare\n"
        "from classifier.pipeline.reading import read_picture\nfrom classifier.pipeline.releases import read_release\n"
        "from classifier.pipeline.runtimes import load_runtime\n\n"
        'release = read_release(Path("FOLDER"))\nclassifier = Classifier(release, load_runtime(release))\n'
        'pixels = read_picture(Path("image.tif")).pixels\n'
        "(verdict,) = classifier.classify([prepare(pixels, release.manifest.input_side)])\n"
        "print(verdict.label, verdict.confidence, verdict.is_uncertain, verdict.is_strange)\n```"
    )
