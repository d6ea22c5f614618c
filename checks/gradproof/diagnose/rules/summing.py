"""Rules on what is left out of a sum: outputs whose dout is not used, or derivatives that overwrite each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gradproof.diagnose import regions
from gradproof.diagnose.cause_kind import CauseKind, FactKind, Words
from gradproof.diagnose.evidence import ENOUGH, Evidence, Mask
from gradproof.diagnose.rule import Rule
from gradproof.diagnose.sampled_jacobians import SampledJacobian, counted, linear_jacobians
from gradproof.findings import Cause, Confidence, Fact, Parameters

WHOLE_OUTPUTS = FactKind("outputs", lambda w: f"output {' and '.join(map(str, w['raw']['numbers']))}")
ONE_INDEX = FactKind("index", "index {index} along axis {axis}")
SOME_ENTRIES = FactKind("some-entries", "{count} of {of} entries")  # of the outputs, which no row or slice describes


_EVERY_OUTPUT = "every output's gradient counts: add what each of them brings"


def _shares(words: Words) -> str:
    kept = "some of its shares alone" if words["kept"] == "some" else f"the {words['kept']} of its shares alone"
    return f"an entry of {words['tensor']} used several times gets {kept}, each of them right"


def _teacher_names(about: Parameters) -> tuple[str, ...]:
    where = about["where"]
    is_whole = isinstance(where, Fact) and where.kind == WHOLE_OUTPUTS.name
    return ("a branch dropped",) if is_whole else ("not summed", "a term missing")


OUTPUT_UNUSED = CauseKind(
    "GP114",
    "output-unused",
    evidence="yours is right but for {where} of dout: left out",
    likely="d{tensor} takes nothing from {where} of dout",
    advice=_EVERY_OUTPUT,
    teacher_names=_teacher_names,
)
ENTRIES_UNUSED = CauseKind(
    "GP114",
    "entries-unused",
    evidence="yours is right but for {where} of dout: left out",
    likely="d{tensor} takes nothing from {where} of dout: the terms that these bring are missing",
    advice="go through what forward does with each entry: each way counts",
    teacher_names=("a term missing", "not summed"),
)
PART_UNUSED = CauseKind(
    "GP114",
    "part-unused",
    evidence="yours is right but for {where} of dout: left out",
    likely="d{tensor} takes nothing from {where} of dout: it is not summed over all of it",
    advice="sum over that axis instead of taking a part",
    teacher_names=("not summed", "a term missing"),
)
OUTPUT_UNUSED_BY_SOME = CauseKind(
    "GP114",
    "output-unused-by-some",
    evidence="some entries of {tensor} get nothing from output {output} of dout",
    likely="d{tensor} takes nothing from output {output} of dout, for some of its entries",
    advice=_EVERY_OUTPUT,
    teacher_names=("a branch dropped",),
)
FIRST_SHARE_ALONE = CauseKind(
    "GP114",
    "first-share-alone",
    evidence="an entry of {tensor} used several times gets the first of its shares alone, each of them right",
    likely="d{tensor} takes the first of several shares alone: it is not summed over all of them",
    advice="sum over the uses instead of taking the first one",
    teacher_names=("not summed", "a term missing"),
)
OVERWRITTEN = CauseKind(
    "GP115",
    "overwritten",
    evidence=_shares,
    likely="d{tensor} is assigned where it should be added up: entries used several times are overwritten",
    advice="use += (np.add.at for an array of indices, which += would count once)",
    teacher_names=("overwritten, not added",),
)


def dout_unused(evidence: Evidence) -> Cause | None:
    """GP114 where some outputs have no part in the gradient, and the derivatives of all others are right."""
    found = linear_jacobians(evidence)
    unused = _unused_in_all(found)
    if not unused or (_single_derivatives(found) and not _of_whole_outputs(found, unused)):
        return None
    where = _where(found, unused)
    shapes = {jacobian.sample.shape + jacobian.shapes[0] for jacobian in found}
    if len(shapes) < 2 or _total([jacobian.lost for jacobian in found]) < ENOUGH:
        return None
    about, support = {"where": where}, counted(evidence, found)
    if len(found[0].shapes) > 1:
        return OUTPUT_UNUSED.cause(about, support=support, confidence=Confidence.VAGUE)
    if where.kind == SOME_ENTRIES.name:
        return ENTRIES_UNUSED.cause(about, support=support, confidence=Confidence.VAGUE)
    return PART_UNUSED.cause(about, support=support)


def _total(masks: Sequence[Mask]) -> int:
    """How many entries of all examples a mask selects."""
    return sum(int(np.count_nonzero(mask)) for mask in masks)


def overwritten(evidence: Evidence) -> Cause | None:
    """GP115 where an entry with derivatives in several outputs gets some of them, each of them right, not their sum."""
    found = linear_jacobians(evidence)
    if not found or not all(_only_lost(jacobian) for jacobian in found) or not _is_shown(found):
        return None
    support = counted(evidence, found)
    outputs = _outputs_of_lost(found)
    if len(found[0].shapes) > 1 and len(outputs) == 1:
        about = {"output": min(outputs)}
        return OUTPUT_UNUSED_BY_SOME.cause(about, support=support, confidence=Confidence.VAGUE)
    which = _which(found)
    if which == "first":  # what is overwritten keeps the last
        return FIRST_SHARE_ALONE.cause(support=support)
    # of several that are kept, some may have been left out rather than overwritten
    confidence = Confidence.VAGUE if which is None else Confidence.NAMED
    return OVERWRITTEN.cause(evidence={"kept": which or "some"}, support=support, confidence=confidence)


def _is_shown(found: list[SampledJacobian]) -> bool:
    """Whether enough entries get some of their derivatives alone, and enough of what they get is right."""
    right = _total([jacobian.right & jacobian.wanted for jacobian in found])
    return _total([_short(jacobian) for jacobian in found]) >= 2 and right >= ENOUGH


def _unused_in_all(found: list[SampledJacobian]) -> list[Mask]:
    """Which outputs are unused in each example; [] where one of the examples has none."""
    unused: list[Mask] = []
    for jacobian in found:
        rows = _unused(jacobian)
        if rows is None:
            return []
        unused.append(rows)
    return unused


def _unused(jacobian: SampledJacobian) -> Mask | None:
    """Outputs without any claimed derivative; None where that does not explain all, or takes nothing from any sum."""
    counts = jacobian.wanted.any(axis=1)
    unused = counts & ~jacobian.given.any(axis=1)
    explained = jacobian.right.all(axis=1) | unused
    summed = (jacobian.lost.any(axis=0) & (jacobian.wanted & jacobian.given).any(axis=0)).any()
    return np.asarray(unused, dtype=np.bool_) if unused.any() and summed and explained.all() else None


def _where(found: list[SampledJacobian], unused: list[Mask]) -> Fact:
    """Name the outputs that have no part: by their number, by a slice, or by their count."""
    where = _numbers(found, unused) or _pattern(found, unused) or _index(found, unused)
    return where or SOME_ENTRIES.fact({"count": int(np.count_nonzero(unused[0])), "of": unused[0].size})


def _numbers(found: list[SampledJacobian], unused: list[Mask]) -> Fact | None:
    """Of several outputs, the numbers of those whose entries are unused, where they are the same in every example."""
    if len(found[0].shapes) < 2:
        return None
    outputs = [_outputs_of(jacobian, np.flatnonzero(rows)) for jacobian, rows in zip(found, unused, strict=True)]
    is_same = all(numbers == outputs[0] for numbers in outputs)
    return WHOLE_OUTPUTS.fact({"numbers": tuple(sorted(outputs[0]))}) if is_same else None


def _outputs_of(jacobian: SampledJacobian, entries: NDArray[np.intp]) -> set[int]:
    """The numbers of the outputs to which these entries of all outputs belong."""
    return {_number(jacobian, int(entry)) for entry in entries}


def _pattern(found: list[SampledJacobian], unused: list[Mask]) -> Fact | None:
    """The region of the one output that holds all unused entries and no other one."""
    if len(found[0].shapes) != 1:
        return None
    for where, pattern in regions.patterns([shape for jacobian in found for shape in jacobian.shapes]):
        if all(_covers(a, pattern(a.shapes[0]).ravel(), rows) for a, rows in zip(found, unused, strict=True)):
            return where
    return None


def _index(found: list[SampledJacobian], unused: list[Mask]) -> Fact | None:
    """The one index along an axis of the one output at which every unused entry stands, where that axis has others."""
    if len(found[0].shapes) != 1:
        return None
    for axis in range(len(found[0].shapes[0])):
        indices: set[int] = set()
        for jacobian, rows in zip(found, unused, strict=True):
            indices.update(jacobian.rows(axis)[rows, 0].tolist())
        if len(indices) == 1 and all(jacobian.rows(axis).any() for jacobian in found):
            return ONE_INDEX.fact({"index": indices.pop(), "axis": axis})
    return None


def _of_whole_outputs(found: list[SampledJacobian], unused: list[Mask]) -> bool:
    """Whether forward has several outputs, and all of what some of them bring is left out: nothing overwrites that."""
    if len(found[0].shapes) < 2:
        return False
    for jacobian, rows in zip(found, unused, strict=True):
        counts = jacobian.wanted.any(axis=1)
        lost = _outputs_of(jacobian, np.flatnonzero(counts & rows))
        kept = _outputs_of(jacobian, np.flatnonzero(counts & ~rows))
        if lost & kept:
            return False
    return True


def _outputs_of_lost(found: list[SampledJacobian]) -> set[int]:
    """The numbers of the outputs that have a derivative that is left out."""
    lost = (_outputs_of(jacobian, np.flatnonzero(jacobian.lost.any(axis=1))) for jacobian in found)
    return set[int]().union(*lost)


def _covers(jacobian: SampledJacobian, inside: Mask, unused: Mask) -> bool:
    counts = jacobian.wanted.any(axis=1)
    return bool((inside[counts] == unused[counts]).all())


def _number(jacobian: SampledJacobian, output: int) -> int:
    ends = np.cumsum([int(np.prod(shape)) for shape in jacobian.shapes])
    return int(np.searchsorted(ends, output, side="right"))


def _only_lost(jacobian: SampledJacobian) -> bool:
    """Whether each derivative is right or left out, and no entry is left without any."""
    nothing = jacobian.wanted.any(axis=0) & ~jacobian.given.any(axis=0)
    return bool((jacobian.right | jacobian.lost).all()) and not nothing.any() and bool(jacobian.lost.any())


def _single_derivatives(found: list[SampledJacobian]) -> bool:
    """Whether entries with one derivative get it, and those with several their last or first: then it is not dout.

    Nor is it where forward takes entries by indices, and the examples happened to hold none that occurs once.
    """
    if not all(_only_lost(jacobian) for jacobian in found):
        return False
    single = any(((a.wanted.sum(axis=0) == 1) & ~a.lost.any(axis=0)).any() for a in found)
    return all(_indexed(a) for a in found) or (single and _which(found) is not None)


def _indexed(jacobian: SampledJacobian) -> bool:
    values = jacobian.sample.outcome.example.inputs.values()
    return any(isinstance(value, np.ndarray) and value.dtype.kind in "iu" for value in values)


def _short(jacobian: SampledJacobian) -> Mask:
    """Entries that get some of their derivatives, and not others."""
    return np.asarray(jacobian.lost.any(axis=0), dtype=np.bool_)


def _which(found: list[SampledJacobian]) -> str | None:
    """Which one of several derivatives is kept: "last", "first"; None where several are, or now one, now the other."""
    last = first = True
    for jacobian in found:
        for entry in np.flatnonzero(_short(jacobian)):
            wanted, given = (np.flatnonzero(mask[:, entry]) for mask in (jacobian.wanted, jacobian.given))
            last &= given.size == 1 and given[0] == wanted[-1]
            first &= given.size == 1 and given[0] == wanted[0]
    return "last" if last else "first" if first else None


RULES = (
    Rule(
        dout_unused,
        320,
        (
            OUTPUT_UNUSED,
            ENTRIES_UNUSED,
            PART_UNUSED,
        ),
        (WHOLE_OUTPUTS, ONE_INDEX, SOME_ENTRIES),
    ),
    Rule(
        overwritten,
        360,
        (
            OUTPUT_UNUSED_BY_SOME,
            FIRST_SHARE_ALONE,
            OVERWRITTEN,
        ),
    ),
)
