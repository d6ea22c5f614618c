"""The rule on products: of x * g(x), backward derives x alone and takes g(x) for a constant; it knows no layer."""

from __future__ import annotations

import numpy as np

from gradproof.compare.lanes import MARGIN
from gradproof.diagnose.cause import Cause
from gradproof.diagnose.evidence import ENOUGH, EPS, Evidence, Sample
from gradproof.diagnose.formulas import upstream

FEW = 0.5  # times the entries: a factor that takes fewer values than that depends on something else
ROUNDINGS = 64  # by which two ways to write one product may differ, in ulp


def first_factor_alone(evidence: Evidence) -> Cause | None:
    """GP113 where yours is dout times the output over x, entry by entry."""
    asked = [sample for sample in evidence.failing if sample.outcome.probe is not None and not sample.located]
    count = sum(int(np.count_nonzero(sample.support)) for sample in asked)
    if count < ENOUGH or not all(_is_so(sample, evidence.tensor) for sample in asked):
        return None
    x = evidence.tensor
    lines = (("everywhere", f"yours = dout * the output / {x}   ({count} of {count} entries)"),)
    likely = f"a term of d{x} is missing: the output is {x} times what depends on {x} too, and {x} alone is derived"
    return Cause("GP113", lines, likely, f"the product rule has two terms: the other one is {x} times a derivative")


def _is_so(sample: Sample, tensor: str) -> bool:
    probe, value = sample.outcome.probe, sample.outcome.example.inputs.get(tensor)
    dout = upstream(sample)
    if probe is None or not probe.elementwise or not isinstance(value, np.ndarray) or not isinstance(dout, np.ndarray):
        return False
    x = np.asarray(value, dtype=np.float64).reshape(-1)[sample.position]
    out = np.asarray(probe.outputs, dtype=np.float64)[sample.position]
    if len(np.unique(np.round(out[x != 0] / x[x != 0], 6))) < FEW * out.size:  # a mask, not a function
        return False
    slack = MARGIN * sample.bound * np.abs(x) + ROUNDINGS * EPS * np.abs(dout * out)
    return bool((np.abs(sample.analytic * x - dout * out) <= slack).all())
