"""An autoencoder: features of many columns brought to a few that tell the same."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HIDDEN = 4


@dataclass(frozen=True)
class Coding:
    """`codes` (N, size) float32; `explained`, the share of the features' variance that is restored from them; `losses` by epoch."""

    codes: NDArray[np.float32]
    explained: float
    losses: tuple[float, ...]


def encode(features: NDArray[np.floating], size: int, *, seed: int, epochs: int = 60) -> Coding:
    """Train an autoencoder with one hidden layer on each side and give the codes of all `features` (N, F).

    Columns are brought to mean 0 and all of them together to deviation 1 first. With `size` >= F the columns themselves are the codes.
    """
    scaled = _standardised(features)
    if size >= scaled.shape[1]:
        return Coding(scaled, 1.0, ())
    import keras

    keras.utils.set_random_seed(seed)
    batch = max(16, min(256, len(scaled) // 16))
    width = scaled.shape[1]
    hidden = max(HIDDEN * size, min(width, 256))
    inputs = keras.Input((width,))
    codes = keras.layers.Dense(size, name="codes")(keras.layers.Dense(hidden, activation="relu")(inputs))
    restored = keras.layers.Dense(width)(keras.layers.Dense(hidden, activation="relu")(codes))
    model = keras.Model(inputs, restored)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
    history = model.fit(scaled, scaled, epochs=epochs, batch_size=batch, verbose=0, shuffle=True)
    encoder = keras.Model(inputs, codes)
    found = encoder.predict(scaled, batch_size=batch, verbose=0).astype(np.float32)
    losses = tuple(float(loss) for loss in history.history["loss"])
    rest = float(model.evaluate(scaled, scaled, batch_size=batch, verbose=0))
    return Coding(found, 1 - rest / max(float(scaled.var()), 1e-12), losses)


def _standardised(features: NDArray[np.floating]) -> NDArray[np.float32]:
    """All columns by the same measure, so that one which hardly changes does not become as loud as the others."""
    centred = features - features.mean(axis=0)
    return (centred / max(float(centred.std()), 1e-12)).astype(np.float32)
