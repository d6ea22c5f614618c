"""What a row of the table of faults is, and the causes that it may claim; it knows no layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gradproof import Case
from gradproof.findings import Finding

CAUSES = frozenset(
    {
        # a factor
        "sign",
        "constant factor",
        "a dim as factor",
        "missing mean over the batch",
        "extra mean over the batch",
        "a factor left out",
        "derivative left out",
        "a factor too many",
        "wrong power",
        # a sum
        "sum over the wrong axis",
        "not summed",
        "not broadcast back",
        "a term missing",
        "a term too many",
        "overwritten, not added",
        # the right numbers in the wrong places, or of something else
        "transpose",
        "entries permuted",
        "gradients swapped",
        "the wrong operand",
        "pre-activation used for post-activation",
        "post-activation used for pre-activation",
        # dout
        "ignores dout",
        "ignores the scale of dout",
        "ignores the sign of dout",
        "not linear in dout",
        # a part
        "one row wrong",
        "one column wrong",
        "one channel wrong",
        "one entry wrong",
        "one region of values wrong",
        "one shape wrong",
        # from call to call
        "stale cache",
        "accumulates",
        "never written",
        "list rebound",
        "lists out of step",
        "mutates",
        # constants and precision
        "down-casts",
        "epsilon left out",
        "constant mistyped",
        # a chain, in a net or over time
        "layers in the wrong order",
        "a layer skipped",
        "one layer wrong",
        "a branch dropped",
        "shared gradients not added",
        "not carried through time",
        # the other side, and what is no gradient at all
        "the forward is the wrong side",
        "crash",
        "wrong form",
        "not a number",
    }
)

FORM = ("GP2", "GP3", "GP5")  # codes of a wrong form, of a crash, of a broken promise


class Pair(NamedTuple):
    """Two functions with a cache, as CS231n writes them, in the place of a class."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]


@dataclass(frozen=True)
class Fault:
    """A layer wrong on purpose beside the same layer with the slip mended.

    ``tensors`` are all that have a wrong gradient, and the first of them must be accused; empty where the layer crashes
    or returns nothing that could be compared, or where the numbers of a first call are right and the promise to do the
    same again is broken. ``causes`` are those that a teacher would accept. ``specs`` are the keywords of a Case, the
    same for both layers.
    """

    wrong: type | Pair
    right: type | Pair
    tensors: tuple[str, ...]
    causes: tuple[str, ...]
    specs: Mapping[str, Any]

    @property
    def name(self) -> str:
        return name_of(self.wrong)

    @property
    def tensor(self) -> str | None:
        """The one that must be accused."""
        return self.tensors[0] if self.tensors else None

    def case(self, layer: type | Pair) -> Case:
        """The Case of the wrong layer or of the right one."""
        return Case(*layer, **self.specs) if isinstance(layer, Pair) else Case(layer, **self.specs)

    def accused_by(self, finding: Finding) -> bool:
        """Whether the finding names the wrong tensor, or the crash or the form where nothing could be compared."""
        if self.tensors and self.tensor in (finding.tensor, *finding.also):
            return True
        without_numbers = not self.tensors or "crash" in self.causes
        return without_numbers and finding.code.startswith(FORM)


def name_of(layer: type | Pair) -> str:
    """A pair has the name of its backward."""
    return layer.backward.__name__ if isinstance(layer, Pair) else layer.__name__


def module_of(layer: type | Pair) -> str:
    """The module that defines the class, or the pair's backward."""
    return (layer.backward if isinstance(layer, Pair) else layer).__module__


def fault(wrong: type | Pair, right: type | Pair, tensors: str, /, *causes: str, **specs: Any) -> Fault:
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
