"""From prepared pictures to verdicts: batches of few fixed sizes, calibrated probabilities, strangeness. Nothing is stored here."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from classifier.pipeline.calibration import softmax
from classifier.pipeline.errors import ModelRefused, OutOfMemory
from classifier.pipeline.releases import Release
from classifier.pipeline.results import Floats, Grey, Outputs, Verdict
from classifier.pipeline.runtimes.base import Runtime


class Classifier:
    """A release with the run-time that runs it. Not to be used by two threads at once."""

    def __init__(self, release: Release, runtime: Runtime) -> None:
        self.manifest = release.manifest
        self.runtime = runtime
        self._space = release.read_space()
        self._sizes = runtime.batch_sizes
        if self._space.centre.shape != (self.manifest.feature_count,):
            raise ModelRefused("model-unfit", "The statistics of the release are not for its number of features.")

    def classify(self, pictures: Grey | Sequence[Grey]) -> list[Verdict]:
        """A verdict for each of the pictures (N, side, side), in their order. A batch for which the device has no memory is
        halved, then and later; raises `OutOfMemory` when there is none for a single picture."""
        return [verdict for outputs in self._run(np.asarray(pictures, np.uint8)) for verdict in self._judge(outputs)]

    def explain(self, picture: Grey) -> tuple[Verdict, Floats]:
        """The verdict on one picture (side, side), and its maps (rows, columns, C): see `saliency.py`."""
        outputs = self.runtime.run(_padded(picture[np.newaxis], self._sizes[0]), with_maps=True)
        assert outputs.maps is not None
        return self._judge(_first(outputs, 1))[0], outputs.maps[0]

    def cell_of(self, features: Floats) -> int:
        """The number of the release's cell in which features (F,) lie."""
        return int(self._space.cells_of(features[np.newaxis])[0])

    def cells_of(self, verdicts: Sequence[Verdict]) -> list[int]:
        """The number of the release's cell in which each of the verdicts lies."""
        return self._space.cells_of(np.stack([verdict.features for verdict in verdicts])).tolist()

    def _judge(self, outputs: Outputs) -> list[Verdict]:
        probabilities = softmax(outputs.logits, self.manifest.temperature)
        strangeness = self._space.strangeness(outputs.features)
        return [
            Verdict(
                labels=self.manifest.labels,
                probabilities=row,
                features=features,
                is_uncertain=float(row.max()) < self.manifest.abstain_below,
                strangeness=float(strange),
                is_strange=float(strange) > 1.0,
            )
            for row, features, strange in zip(probabilities, outputs.features, strangeness, strict=True)
        ]

    def _run(self, pictures: Grey) -> Iterator[Outputs]:
        """The outputs in order, one batch being ahead on the device while the last one is fetched."""
        begun: tuple[Grey, Callable[[], Outputs]] | None = None
        start = 0
        while start < len(pictures) or begun:
            following = None
            if start < len(pictures):
                part = pictures[start : start + self._sizes[-1]]
                start += len(part)
                following = (part, self._begin(part))
            if begun:
                yield from self._finish(*begun)
            begun = following

    def _begin(self, part: Grey) -> Callable[[], Outputs]:
        size = next((size for size in self._sizes if size >= len(part)), self._sizes[-1])
        try:
            return self.runtime.begin(_padded(part, size))
        except OutOfMemory as error:
            return _raises(error)

    def _finish(self, part: Grey, wait: Callable[[], Outputs]) -> Iterator[Outputs]:
        try:
            yield _first(wait(), len(part))
        except OutOfMemory:
            if len(part) == 1:
                raise
            self._halve(len(part))
            for half in np.array_split(part, 2):
                yield from self._finish(half, self._begin(half))

    def _halve(self, size: int) -> None:
        """Never ask again for batches as large as one that did not fit."""
        padded = next((each for each in self._sizes if each >= size), self._sizes[-1])
        smaller = tuple(each for each in self._sizes if each < padded)
        self._sizes = tuple(sorted({*smaller, (padded + 1) // 2}))


def _raises(error: OutOfMemory) -> Callable[[], Outputs]:
    def wait() -> Outputs:
        raise error

    return wait


def _padded(part: Grey, size: int) -> Grey:
    """Repeats the last picture, so that the device sees one of few shapes."""
    return part if len(part) >= size else np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])


def _first(outputs: Outputs, count: int) -> Outputs:
    maps = None if outputs.maps is None else outputs.maps[:count]
    return Outputs(outputs.logits[:count], outputs.features[:count], maps)
