"""How many images a second fine tuning takes, with batches from disk, augmentation and all: the target is 2,000 on an H200.

    python -m benchmarks.classifier_training [--architecture inception-v3] [--side 299] [--batch 128] [--steps 40]
        [--free-after BLOCK] [--precision mixed_bfloat16]

Random pictures and weights take as long as real ones. The backend is that of Keras: `KERAS_BACKEND=jax` on a GPU. Steps of compilation
are left out. Without a GPU a few steps of a small batch show that it works; the target is that of a GPU then.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

from classifier.pipeline import networks
from classifier.pipeline.runtimes import has_gpu
from classifier.pipeline.training.fitting import Batches, Part, compile_for
from classifier.pipeline.training.recipes import Mode, make_recipe

GPU_IMAGES_A_SECOND = 2000.0
CLASSES = 10
WARM_STEPS = 3


class Clock(keras.callbacks.Callback):
    """Notes when each step ended; the outputs of a step are there when its loss is."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        float((logs or {})["loss"])
        self.ends.append(time.perf_counter())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", choices=list(networks.ARCHITECTURES), default="inception-v3")
    parser.add_argument("--side", type=int)
    parser.add_argument("--batch", type=int, default=128 if has_gpu() else 16)
    parser.add_argument("--steps", type=int, default=60 if has_gpu() else 8)
    parser.add_argument("--free-after", default="")
    parser.add_argument("--precision", default="mixed_bfloat16" if has_gpu() else "float32")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rate = images_a_second(options, Path(folder))
    print(f"{'what':60}{'images/s':>10}{'target':>10}")
    freed = f"after {options.free_after}" if options.free_after else "all layers"
    what = f"{options.architecture}, {freed}, batch {options.batch}, {options.precision}, {keras.backend.backend()}"
    print(f"{what:60}{rate:10.1f}{GPU_IMAGES_A_SECOND:10.0f}")
    return 0 if rate >= GPU_IMAGES_A_SECOND or not has_gpu() else 1


def images_a_second(options: argparse.Namespace, folder: Path) -> float:
    side = options.side or networks.ARCHITECTURES[options.architecture].side
    recipe = make_recipe(
        options.architecture, Mode.SCRATCH, side, epochs=1, batch=options.batch, precision=options.precision
    )
    count = options.batch * (options.steps + WARM_STEPS)
    pictures = np.lib.format.open_memmap(folder / "pictures.npy", mode="w+", dtype=np.uint8, shape=(count, side, side))
    rng = np.random.default_rng(0)
    for row in range(count):
        pictures[row] = rng.integers(0, 256, (side, side), dtype=np.uint8)
    keras.config.set_dtype_policy(options.precision)
    model = networks.build(options.architecture, side, CLASSES)
    networks.freeze_until(model, options.free_after)
    trained = keras.Model(model.input, model.output["logits"])
    part = Part(pictures, rng.integers(0, CLASSES, count), np.arange(count))
    batches = Batches(part, recipe, np.ones(CLASSES, np.float32))
    compile_for(trained, recipe, len(batches))
    clock = Clock()
    trained.fit(batches, epochs=1, callbacks=[clock], verbose=0)
    ends = clock.ends[WARM_STEPS - 1 :]
    return options.batch * (len(ends) - 1) / (ends[-1] - ends[0])


if __name__ == "__main__":
    sys.exit(main())
