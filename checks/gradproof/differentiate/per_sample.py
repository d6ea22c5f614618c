"""Losses of single samples: whether backward is the gradient of their mean or of their sum. It judges no gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradproof.differentiate.differentiate import Floats

MEAN = "forward returns one loss for each sample: judged as the gradient of their mean"
SUM = "forward returns one loss for each sample: judged as the gradient of their sum"

_STEP = 1e-5  # of the values: a third of the digits is enough to tell the mean from the sum
_NEAR = 0.01  # how far the claimed slope may be off, relative to what it would be: mean and sum differ by 2 or more
_SEED = 7

Outputs = Callable[[Mapping[str, Floats]], Floats]  # flat outputs with some of the values replaced


def mean_or_sum(
    dout: Floats, values: Mapping[str, Floats], claims: Mapping[str, Any], outputs: Outputs
) -> tuple[Floats, str]:
    """The upstream gradient, one entry a sample, of which backward is the gradient: 1 or 1/n each; and a note.

    dout: the likely one, which stays where neither or both fit. values: of the tensors. One slope along one direction
    tells.
    """
    known = {name: value for name, value in values.items() if name in claims and _fits(claims[name], value)}
    rng = np.random.default_rng(_SEED)
    along = {name: rng.standard_normal(value.shape) for name, value in known.items()}
    slope = _slope(known, along, outputs)
    claimed = sum(float(np.vdot(np.asarray(claims[name], dtype=np.float64), along[name])) for name in known)
    shares = (1.0, 1.0 / dout.size)
    fitting = [share for share in shares if abs(claimed - share * slope) <= _NEAR * share * abs(slope)]
    share = fitting[0] if len(fitting) == 1 else float(dout[0])
    return np.full_like(dout, share), SUM if share == 1.0 else MEAN


def _fits(claim: Any, value: Floats) -> bool:
    return bool(np.shape(claim) == value.shape)


def _slope(values: Mapping[str, Floats], along: Mapping[str, Floats], outputs: Outputs) -> float:
    """The slope of the sum of all outputs along a direction."""
    largest = max((float(np.max(np.abs(value), initial=0.0)) for value in values.values()), default=0.0)
    step = _STEP * max(1.0, largest)
    above = outputs({name: value + step * along[name] for name, value in values.items()})
    below = outputs({name: value - step * along[name] for name, value in values.items()})
    return float(np.sum(above - below)) / (2 * step)
