"""Rules on axes: which does forward mix along, and which does backward? They know no layer.

An output is mixed along an axis if entries at other indices of that axis have a part in it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradproof.diagnose.cause_kind import CauseKind
from gradproof.diagnose.evidence import Evidence, Mask
from gradproof.diagnose.rule import Rule
from gradproof.diagnose.sampled_jacobians import SampledJacobian, aligned, counted, linear_jacobians
from gradproof.findings import Cause, Confidence

Pair = tuple[int, int]


ANOTHER_AXIS = CauseKind(
    "GP116",
    "another-axis",
    evidence="forward mixes along {right} of its output, yours along {wrong}",
    likely="d{tensor} is summed over the wrong axis of dout: {wrong}, not {right}",
    advice="sum over {right} of dout",
    teacher_names=("sum over the wrong axis",),
)
AXIS_TOO_MANY = CauseKind(
    "GP116",
    "axis-too-many",
    evidence="yours mixes along {axes}, forward does not",
    likely="d{tensor} mixes the entries along {axes}, which forward keeps apart",
    advice="look for a sum, a mean or an index over that axis in backward",
    teacher_names=("sum over the wrong axis", "a term too many"),
)
NOT_CARRIED_BACK = CauseKind(
    "GP113",
    "not-carried-back",
    evidence="yours takes nothing from later steps along {axes}",
    likely="forward carries {tensor} on from step to step along {axes}; backward does not carry d{tensor} back",
    advice="go through the steps in reverse, adding what the next step hands back",
    teacher_names=("not carried through time",),
)
UNCOUPLED = CauseKind(
    "GP113",
    "uncoupled",
    evidence="forward mixes along {axes}, yours does not",
    likely="a term of d{tensor} is missing: each entry has a share in all outputs along {axes}, not in its own alone",
    advice="differentiate the sum, mean or maximum over {axes} too: it depends on {tensor}",
    teacher_names=("a term missing",),
)
CARRIED_WRONG = CauseKind(
    "GP113",
    "carried-wrong",
    evidence="right within each step along {axes}, wrong from one to another",
    likely="what backward carries from step to step along {axes} is wrong: a factor or a term of it is missing",
    advice="differentiate one step by the state before it: every way from the old state to the new one counts",
    teacher_names=("not carried through time",),
)


def wrong_axis(evidence: Evidence) -> Cause | None:
    """GP116 where backward mixes along an axis along which forward keeps the entries apart."""
    found = linear_jacobians(evidence)
    missing, extra = _missing(found), _extra(found)
    if not extra:
        return None
    support = counted(evidence, found)
    if missing:
        right, wrong = _of_dout(missing), _of_dout(extra)
        if right == wrong:  # of a dout of fewer axes
            return None
        return ANOTHER_AXIS.cause({"right": right, "wrong": wrong}, support=support)
    if len(extra) > 1:  # so does a reshape of the wrong axes
        return None
    # by a sum over the axis, a reshape, a term that is one too many
    return AXIS_TOO_MANY.cause({"axes": _axes(extra)}, support=support, confidence=Confidence.VAGUE)


def uncoupled(evidence: Evidence) -> Cause | None:
    """GP113 where forward mixes along an axis, and backward takes each entry by itself."""
    found = linear_jacobians(evidence)
    missing = _missing(found)
    if not missing or _extra(found):
        return None
    axes, support = _axes(missing), counted(evidence, found)
    if _in_order(found, missing[0]):
        return NOT_CARRIED_BACK.cause({"axes": axes}, support=support)
    return UNCOUPLED.cause({"axes": axes}, support=support, confidence=Confidence.VAGUE)


def carried_wrong(evidence: Evidence) -> Cause | None:
    """GP113 where the derivatives within each step are right, and those carried back from later steps are wrong."""
    found = linear_jacobians(evidence)
    for pair in aligned(found):
        if not (_in_order(found, pair) and any((axes_apart(f, pair) & f.given).any() for f in found)):
            continue
        if all((f.right | axes_apart(f, pair)).all() and not f.right.all() for f in found):
            axes, support = _axes([pair]), counted(evidence, found)
            return CARRIED_WRONG.cause({"axes": axes}, support=support, confidence=Confidence.VAGUE)
    return None


def _axes(pairs: list[Pair]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(a for a, _ in pairs))


def _of_dout(pairs: list[Pair]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(b for _, b in pairs))


def axes_apart(found: SampledJacobian, pair: Pair) -> Mask:
    """Derivatives of outputs in entries at another index of this axis: of the tensor, and of the output."""
    return np.asarray(found.rows(pair[1]) != found.columns(pair[0]), dtype=np.bool_)


def _mixes(found: list[SampledJacobian], pair: Pair, derivatives: Callable[[SampledJacobian], Mask]) -> list[bool]:
    return [bool((derivatives(f) & axes_apart(f, pair)).any()) for f in found]


def _given(found: SampledJacobian) -> Mask:
    return found.given


def _wanted(found: SampledJacobian) -> Mask:
    return found.wanted


def _missing(found: list[SampledJacobian]) -> list[Pair]:
    """Axes along which forward mixes, and backward never does, though it returns something."""
    if not all(f.given.any() for f in found):
        return []
    return [p for p in aligned(found) if any(_mixes(found, p, _wanted)) and not any(_mixes(found, p, _given))]


def mixes_more(found: list[SampledJacobian]) -> bool:
    """Whether backward mixes along an axis along which forward does not."""
    return bool(_extra(found))


def _extra(found: list[SampledJacobian]) -> list[Pair]:
    return [p for p in aligned(found) if any(_mixes(found, p, _given)) and not any(_mixes(found, p, _wanted))]


def _in_order(found: list[SampledJacobian], pair: Pair) -> bool:
    """Say whether an entry has a part in outputs at its own index and at later ones alone, in two of them or more."""
    later = [f.rows(pair[1]) >= f.columns(pair[0]) for f in found]
    steps = max(f.sample.shape[pair[0]] for f in found)
    return (
        steps > 1
        and all(not (f.wanted & ~o).any() for f, o in zip(found, later, strict=True))
        and any(_mixes(found, pair, _wanted))
    )


RULES = (
    Rule(
        wrong_axis,
        330,
        (
            ANOTHER_AXIS,
            AXIS_TOO_MANY,
        ),
    ),
    Rule(
        uncoupled,
        340,
        (
            NOT_CARRIED_BACK,
            UNCOUPLED,
        ),
    ),
    Rule(carried_wrong, 350, (CARRIED_WRONG,)),
)
