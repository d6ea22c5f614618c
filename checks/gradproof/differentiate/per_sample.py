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


def settled(
    dout: Floats, values: Mapping[str, Floats], claims: Mapping[str, Any], outputs: Outputs
) -> tuple[Floats, str]:
    """The upstream gradient, one entry a sample, of which backward is the gradient: 1 or 1/n each; and a note.

    dout: the likely one, which stays where neither or both fit. values: of the tensors. One slope along one direction
    tells.
    """
    known = {name: value for name, value in values.items() if name in claims}
    known = {name: value for name, value in known.items() if np.shape(claims[name]) == value.shape}
    rng = np.random.default_rng(_SEED)
    along = {name: rng.standard_normal(value.shape) for name, value in known.items()}
    largest = max((float(np.max(np.abs(value), initial=0.0)) for value in known.values()), default=0.0)
    step = _STEP * max(1.0, largest)
    ends = [outputs({n: v + sign * step * along[n] for n, v in known.items()}) for sign in (1.0, -1.0)]
    slope = float(np.sum(ends[0] - ends[1])) / (2 * step)
    claimed = sum(float(np.vdot(np.asarray(claims[name], dtype=np.float64), along[name])) for name in known)
    shares = (1.0, 1.0 / dout.size)
    fitting = [share for share in shares if abs(claimed - share * slope) <= _NEAR * share * abs(slope)]
    share = fitting[0] if len(fitting) == 1 else float(dout[0])
    return np.full_like(dout, share), SUM if share == 1.0 else MEAN
