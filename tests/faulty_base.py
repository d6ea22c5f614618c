"""What a row of the table of faults is, and the causes that it may claim; it knows no layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

CAUSES = frozenset(
    {
        "sign",
        "constant factor",
        "missing mean over the batch",
        "extra mean over the batch",
        "sum over the wrong axis",
        "not summed",
        "transpose",
        "gradients swapped",
        "ignores dout",
        "ignores the scale of dout",
        "ignores the sign of dout",
        "pre-activation used for post-activation",
        "post-activation used for pre-activation",
        "one row wrong",
        "one column wrong",
        "one channel wrong",
        "one region of values wrong",
        "one shape wrong",
        "entries permuted",
        "layers in the wrong order",
        "duplicate indices overwritten",
        "stale cache",
        "never written",
        "mutates",
        "down-casts",
        "epsilon left out",
        "constant mistyped",
        "a term missing",
        "the forward is the wrong side",
        "crash",
        "wrong form",
        "not a number",
    }
)


@dataclass(frozen=True)
class Fault:
    """A layer wrong on purpose beside the same layer with the slip mended.

    ``tensors`` are all that have a wrong gradient, and the first of them must be accused; empty where the layer crashes
    or returns nothing that could be compared. ``causes`` are those that a teacher would accept. ``specs`` are the
    keywords of a Case, the same for both layers.
    """

    wrong: type
    right: type
    tensors: tuple[str, ...]
    causes: tuple[str, ...]
    specs: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.wrong.__name__

    @property
    def tensor(self) -> str | None:
        """The one that must be accused."""
        return self.tensors[0] if self.tensors else None


def fault(wrong: type, right: type, tensors: str, *causes: str, **specs: Any) -> Fault:
    """``tensors`` separated by spaces."""
    return Fault(wrong, right, tuple(tensors.split()), causes, specs)


class Node:
    """A layer without parameters."""

    def __init__(self):
        self.params, self.grads = [], []


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
