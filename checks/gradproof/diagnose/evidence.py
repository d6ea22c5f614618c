"""Gathers what a search saw of one tensor into samples that can be compared; it draws no conclusion."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gradproof.compare.directions import MARGIN
from gradproof.findings import Support
from gradproof.values import Outcome, TensorResult, Verdict

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Dims = Mapping[str, int | tuple[int, ...]]

EPS = float(np.finfo(np.float64).eps)
# An entry supports a ratio if its true value exceeds its bound this many times: three digits are then sure.
SUPPORT = 1e3
# One or two entries agree with almost any rule by chance (1 + 1 is also 2 * 1): so many entries must support a cause.
ENOUGH = 3


@dataclass(frozen=True, eq=False)
class Sample:
    """One tensor in one example: three flat float64 arrays of the entries that were measured, and their positions.

    ``position`` holds flat indices into ``shape``. ``located`` says that only wrong entries were looked for: nothing
    may be said of the others. Where it is False, those that are not here could not be measured (at a kink, say).
    """

    outcome: Outcome
    shape: tuple[int, ...]
    position: NDArray[np.intp]
    analytic: Floats
    numeric: Floats
    bound: Floats
    located: bool = False

    def equals(self, expected: Floats, error: Floats | None = None) -> Mask:
        """Say for each entry whether the analytic gradient is ``expected``, of error bound ``error`` (default: bound).

        The margin is that of an accusation: what is not far enough away to be called wrong is called equal.
        """
        bound = self.bound if error is None else np.maximum(error, self.bound)
        # and the round-off of the comparison itself: a few ulp of what is compared
        slack = MARGIN * bound + 8 * EPS * (np.abs(self.analytic) + np.abs(expected))
        return np.asarray(np.abs(self.analytic - expected) <= slack, dtype=np.bool_)

    @property
    def wrong(self) -> Mask:
        """Entries whose analytic gradient is not the numeric one."""
        return ~self.equals(self.numeric)

    @property
    def support(self) -> Mask:
        """Entries whose true value is far enough from zero to carry evidence."""
        largest = float(np.max(np.abs(self.numeric), initial=0.0))
        floor = SUPPORT * np.maximum(self.bound, EPS * largest)
        return np.asarray(np.abs(self.numeric) > floor, dtype=np.bool_)

    @property
    def sizes(self) -> dict[str, int]:
        """The dims of this example, with the size of every starred one under the name ``*name``."""
        return sizes(self.outcome.example.dims)

    def whole(self, values: Floats) -> Floats:
        """Put ``values``, one for each measured entry, into an array of the tensor's shape; NaN where not measured."""
        full = np.full(self.shape, np.nan)
        full.reshape(-1)[self.position] = values
        return full


@dataclass(frozen=True, eq=False)
class Evidence:
    """All samples of one tensor, of failing and of passing examples.

    ``batch`` is the name of the dim that counts the samples of a batch, where it is known.
    """

    tensor: str
    minimal: Outcome
    failing: tuple[Sample, ...]
    passing: tuple[Sample, ...]
    batch: str | None

    @property
    def samples(self) -> tuple[Sample, ...]:
        """Failing and passing samples."""
        return self.failing + self.passing

    @property
    def measured(self) -> int:
        """How many entries of failing examples were measured."""
        return sum(sample.numeric.size for sample in self.failing)

    @property
    def supporting(self) -> int:
        """How many entries of failing examples carry evidence."""
        return sum(int(np.count_nonzero(sample.support)) for sample in self.failing)

    @property
    def support(self) -> Support:
        """How many entries of failing examples show a cause that holds of all."""
        return Support(self.supporting or self.measured, len(self.failing))


def sizes(dims: Dims) -> dict[str, int]:
    """Read each dim as one number: a named dim as it is, a starred one as the product of its axes, named ``*name``."""
    return {name: math.prod(axes) for name, axes in axes_of(dims).items()}


def axes_of(dims: Dims) -> dict[str, tuple[int, ...]]:
    """The axes of each dim: one of a named dim, any number of a starred one, named ``*name``."""
    found: dict[str, tuple[int, ...]] = {}
    for name, value in dims.items():
        if isinstance(value, tuple):
            found[f"*{name}"] = value
        else:
            found[name] = (value,)
    return found


def has_distinct_dims(dims: Dims) -> bool:
    """Whether all sizes are above 1 and differ, so that no axis is taken for another one."""
    values = [size for axes in axes_of(dims).values() for size in axes]
    return len(set(values)) == len(values) and min(values, default=2) > 1


def result_of(outcome: Outcome, tensor: str) -> TensorResult | None:
    """Return what ``outcome`` says of ``tensor``, or None where it says nothing."""
    return next((result for result in outcome.tensors if result.name == tensor), None)


def sample_of(outcome: Outcome, result: TensorResult) -> Sample | None:
    """Turn one tensor's result into a sample, or None where no entry was measured."""
    if result.analytic is None or result.numeric is None or result.bound is None:
        return _located(outcome, result)
    arrays = [np.asarray(a, dtype=np.float64).ravel() for a in (result.analytic, result.numeric, result.bound)]
    finite = np.isfinite(arrays[0]) & np.isfinite(arrays[1]) & np.isfinite(arrays[2])
    position = np.flatnonzero(finite)
    if position.size == 0:
        return None
    analytic, numeric, bound = (array[position] for array in arrays)
    return Sample(outcome, result.shape, position, analytic, numeric, bound)


def _located(outcome: Outcome, result: TensorResult) -> Sample | None:
    entries = [e for e in result.wrong if np.isfinite([e.analytic, e.numeric, e.bound]).all()]
    if not entries:
        return None
    position = [np.ravel_multi_index(e.index, result.shape) if e.index else 0 for e in entries]
    analytic, numeric, bound = np.array([(e.analytic, e.numeric, e.bound) for e in entries], dtype=np.float64).T
    return Sample(outcome, result.shape, np.array(position, dtype=np.intp), analytic, numeric, bound, located=True)


def gather(tensor: str, minimal: Outcome, tried: Sequence[Outcome]) -> Evidence:
    """Collect the samples of ``tensor`` from the smallest failing outcome and from all that were tried."""
    failing: list[Sample] = []
    passing: list[Sample] = []
    for outcome in _distinct([minimal, *tried]):
        result = result_of(outcome, tensor)
        empty = 0 in sizes(outcome.example.dims).values()  # nothing is summed: every rule holds of nothing
        if result is None or result.verdict is Verdict.INCONCLUSIVE or empty:
            continue
        sample = sample_of(outcome, result)
        if sample is not None:
            (failing if result.verdict is Verdict.FAIL else passing).append(sample)
    return Evidence(tensor, minimal, tuple(failing), tuple(passing), _batch([minimal, *tried]))


def _batch(outcomes: Sequence[Outcome]) -> str | None:
    """Return the one dim that leads forward's first array in every example; None for a vector or a scalar."""
    names = list(sizes(outcomes[0].example.dims))
    for outcome in outcomes:
        shape = _first_shape(outcome)
        if len(shape) < 2:
            return None
        axes = axes_of(outcome.example.dims)
        names = [name for name in names if name in axes and shape[: len(axes[name])] == axes[name]]
    return names[0] if len(names) == 1 else None


def _first_shape(outcome: Outcome) -> tuple[int, ...]:
    """The shape of the first array that forward takes; () where it takes none."""
    values = outcome.example.inputs.values()
    return next((value.shape for value in values if isinstance(value, np.ndarray)), ())


def _distinct(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Drop repetitions: the smallest outcome is often one of those tried."""
    return list({id(outcome): outcome for outcome in outcomes}.values())
