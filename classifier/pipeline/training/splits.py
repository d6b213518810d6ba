"""Divides images into training, validation and test so that what belongs together stays on one side.

Near duplicates on two sides make a model look better than it is: of the NFFA-EUROPE set, 23 % of a random test part have
one in the training part (specification of the classifier, section 2).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier.pipeline.training.duplicates import Groups, joined

SHARES = (0.7, 0.15, 0.15)
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """The places of the images of each part, in rising order. A part of too few images can be empty."""

    training: Places
    validation: Places
    test: Places

    def parts(self) -> Places:
        """For each image 0, 1 or 2: in training, validation or test."""
        parts = np.zeros(sum(map(len, (self.training, self.validation, self.test))), np.int64)
        parts[self.validation], parts[self.test] = 1, 2
        return parts


def groups_with_sessions(groups: Groups, sessions: Sequence[str]) -> Groups:
    """Groups joined where images of two of them come from one session; "" is no session."""
    return joined(groups.tolist(), (session or None for session in sessions))


def split_by_group(
    labels: Sequence[str], groups: Groups, *, seed: int, shares: tuple[float, float, float] = SHARES
) -> Split:
    """Parts with about `shares` of each label, no group of `groups` (N,) on two sides. The same seed gives the same parts.

    The largest groups are dealt first, each to the part that lacks most of its labels.
    """
    names, codes = np.unique(np.asarray(labels), return_inverse=True)
    members = _shuffled(groups, np.random.default_rng(seed))
    counts = [np.bincount(codes[group], minlength=len(names)).astype(float) for group in members]
    total = np.bincount(codes, minlength=len(names)).astype(float)
    wanted = np.outer(np.asarray(shares) / sum(shares), total)
    lacking = wanted.copy()
    dealt: list[list[int]] = [[], [], []]
    for group, count in zip(members, counts, strict=True):
        part = int(np.argmax((lacking / np.maximum(wanted, 1e-9)) @ (count / total)))
        lacking[part] -= count
        dealt[part] += group.tolist()
    return Split(*(np.sort(np.asarray(part, dtype=np.int64)) for part in dealt))


def _shuffled(groups: Groups, rng: np.random.Generator) -> list[Places]:
    """The members of each group, large groups first, those of one size in any order."""
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    members = [members[place] for place in rng.permutation(len(members))]
    return sorted(members, key=len, reverse=True)
