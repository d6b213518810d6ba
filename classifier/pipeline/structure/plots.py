"""The plots of a study as SVG: dimension over subset size, distances as heat maps, agreement over the number of clusters."""

import io
from collections.abc import Callable

from matplotlib.figure import Figure
from scipy.cluster import hierarchy
from scipy.spatial.distance import cdist

from classifier.pipeline.structure.study import Study

HEAT_MAP_ROWS = 400
REFERENCES = {"good": "--", "uniform": ":"}


def draw_all(study: Study) -> dict[str, str]:
    """SVG by name: "dimension", "losses", "distances", and "agreement" where there are labels."""
    plots: dict[str, Callable[[Study, Figure], None]] = {"dimension": _dimension, "distances": _distances}
    if study.coding.losses:
        plots["losses"] = _losses
    if study.curves:
        plots["agreement"] = _agreement
    return {name: _svg(study, draw) for name, draw in plots.items()}


def _svg(study: Study, draw: Callable[[Study, Figure], None]) -> str:
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    draw(study, figure)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _dimension(study: Study, figure: Figure) -> None:
    axes = figure.subplots()
    sizes = [one.size for one in study.dimensions]
    axes.errorbar(sizes, [one.mean for one in study.dimensions], [one.deviation for one in study.dimensions], fmt="o-")
    axes.set(xscale="log", xlabel="images in a subset", ylabel="intrinsic dimension (2-NN)", ylim=(0, None))


def _losses(study: Study, figure: Figure) -> None:
    axes = figure.subplots()
    axes.plot(range(1, len(study.coding.losses) + 1), study.coding.losses)
    axes.set(yscale="log", xlabel="epoch", ylabel="mean square error of the autoencoder")


def _distances(study: Study, figure: Figure) -> None:
    """Images in the order of the tree: clusters are dark squares on the diagonal."""
    order = hierarchy.leaves_list(study.trees[study.settings.method])
    order = order[:: max(1, len(order) // HEAT_MAP_ROWS)]
    codes = study.coding.codes[order]
    axes = figure.subplots()
    image = axes.imshow(cdist(codes, codes), cmap="viridis", interpolation="nearest", aspect="equal")
    axes.set(xticks=[], yticks=[], title=f"distances in the order of the {study.settings.method} tree")
    figure.colorbar(image, ax=axes, label="distance")


def _agreement(study: Study, figure: Figure) -> None:
    axes = figure.subplots()
    for curve in study.curves:
        style = REFERENCES.get(curve.name)
        label = f"{curve.name} scenario" if style else curve.name
        axes.plot(curve.counts, curve.values, style or "-", color="black" if style else None, label=label)
    axes.set(xscale="log", xlabel="clusters", ylabel="normalised mutual information", ylim=(0, 1))
    axes.legend(fontsize="small", ncols=2)
    axes.grid(visible=True, alpha=0.3)
