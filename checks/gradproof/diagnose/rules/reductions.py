"""The rule on reductions: forward takes the mean where backward is right for the maximum, or the like; no layers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradproof.diagnose.cause_kind import CauseKind, Words
from gradproof.diagnose.evidence import ENOUGH, Evidence, Floats
from gradproof.diagnose.rule import Rule
from gradproof.diagnose.sampled_jacobians import SampledJacobian, counted, linear_jacobians
from gradproof.findings import Cause

FORWARD = frozenset({"mean", "sum", "maximum", "minimum"})


def _of_reduction(words: Words) -> str:
    share = {"mean": "dout divided by their number", "sum": "dout"}.get(words["forward"])
    of_one = "the entry that is the {forward} gets all of dout, the others nothing".format_map(words)
    gets = of_one if share is None else f"each entry that an output sees gets {share}"
    return f"where forward takes the {words['forward']}, {gets}"


DOUT_TO_ONE_ENTRY = CauseKind(
    "GP107",
    "dout-to-one-entry",
    evidence="forward takes the {forward} of several entries, yours gives all of dout to the {yours}",
    likely="dout is not broadcast back: all of it goes to the {yours} of the entries that each output sees",
    advice=_of_reduction,
    teacher_names=("not broadcast back",),
)
DOUT_TO_EVERY_ENTRY = CauseKind(
    "GP117",
    "dout-to-every-entry",
    evidence="forward takes the {forward} of several entries, yours is right for the sum",
    likely="the derivative of the {forward} is missing: dout goes to every entry, not to the one that forward takes",
    advice=_of_reduction,
    teacher_names=("a factor left out", "wrong power", "derivative left out"),
)
ANOTHER_REDUCTION = CauseKind(
    "GP110",
    "another-reduction",
    evidence="forward takes the {forward} of several entries, yours is right for the {yours}",
    likely="your backward is right for the {yours} of what each output sees, but your forward takes the {forward}",
    advice=_of_reduction,
    teacher_names=("the forward is the wrong side",),
)


def wrong_reduction(evidence: Evidence) -> Cause | None:
    """GP110 where the derivatives of each output are those of one reduction, and those claimed are of another."""
    if any(min(sample.shape, default=1) > 1 for sample in evidence.passing):
        return None  # right where there is something to choose from
    found = linear_jacobians(evidence)
    windows = [_windows(jacobian) for jacobian in found]
    if not all(windows) or sum(windows) < ENOUGH:
        return None
    exchanged = _exchanged(found)
    if exchanged is None:
        return None
    yours, forward = exchanged
    about, support = {"yours": yours, "forward": forward}, counted(evidence, found)
    if yours not in FORWARD:
        return DOUT_TO_ONE_ENTRY.cause(about, support=support)
    if yours == "sum":  # dout as it is: no step towards the entry that was chosen
        return DOUT_TO_EVERY_ENTRY.cause(about, support=support)
    return ANOTHER_REDUCTION.cause(about, support=support)


def _exchanged(found: list[SampledJacobian]) -> tuple[str, str] | None:
    """The reduction that backward is right for, and the one that forward makes; None where either may be several."""
    mine = _common(found, claimed=True)
    true = [name for name in _common(found, claimed=False) if name in FORWARD]
    if len(mine) != 1 or len(true) != 1:
        return None
    yours, forward = mine[0], true[0]
    chooses = yours not in ("mean", "sum")
    if chooses and max(_largest(jacobian) for jacobian in found) < 3:
        return None  # of two entries, the other one is both the least and the last
    is_factor = {yours, forward} == {"mean", "sum"}  # and its rule says which dim
    return None if yours == forward or is_factor else (yours, forward)


def _largest(jacobian: SampledJacobian) -> int:
    """How many entries an output sees at most."""
    return int((jacobian.wanted | jacobian.given).sum(axis=1).max())


def _windows(jacobian: SampledJacobian) -> int:
    """How many outputs see several entries; 0 where some see more than others, as near ties do."""
    sizes = (jacobian.wanted | jacobian.given).sum(axis=1)
    return int(sizes.size) if sizes.min() == sizes.max() > 1 else 0


def _common(found: list[SampledJacobian], *, claimed: bool) -> list[str]:
    """The reductions whose derivatives every example has."""
    kinds = [_fitting(jacobian, claimed=claimed) for jacobian in found]
    return sorted(set.intersection(*kinds)) if kinds else []


def _fitting(jacobian: SampledJacobian, *, claimed: bool) -> set[str]:
    """The reductions that have the derivatives of one example, as claimed or in truth."""
    held = jacobian.claimed if claimed else jacobian.true
    return {name for name, derivatives in _derivatives_of(jacobian) if jacobian.equal(held, derivatives).all()}


def _derivatives_of(jacobian: SampledJacobian) -> Iterator[tuple[str, Floats]]:
    """The derivatives that each reduction has in the entries that an output sees, by its name."""
    value = jacobian.sample.outcome.example.inputs.get(jacobian.tensor)
    if not isinstance(value, np.ndarray) or value.size != jacobian.true.shape[1]:
        return
    x, window = np.asarray(value, dtype=np.float64).reshape(1, -1), jacobian.wanted | jacobian.given
    count = np.maximum(window.sum(axis=1, keepdims=True), 1)
    places = np.arange(x.size).reshape(1, -1)
    yield "mean", window / count
    yield "sum", window.astype(np.float64)
    for name, order in (("maximum", x), ("minimum", -x), ("first", -places), ("last", places)):
        best = np.argmax(np.where(window, order, -np.inf), axis=1)
        derivatives = np.zeros(window.shape)
        derivatives[np.arange(len(best)), best] = window.any(axis=1)
        yield name, derivatives


RULES = (
    Rule(
        wrong_reduction,
        220,
        (
            DOUT_TO_ONE_ENTRY,
            DOUT_TO_EVERY_ENTRY,
            ANOTHER_REDUCTION,
        ),
    ),
)
