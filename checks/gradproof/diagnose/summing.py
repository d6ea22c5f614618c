"""Rules on what is left out of a sum: outputs whose dout is not used, or shares that overwrite each other."""

from __future__ import annotations

import numpy as np

from gradproof.diagnose import regions
from gradproof.diagnose.answers import Answers, counted, linear_answers
from gradproof.diagnose.evidence import ENOUGH, Evidence, Mask
from gradproof.findings import Cause, Confidence, Fact

SOME_ENTRIES = "some-entries"  # of the outputs, which no row or slice describes


def dout_unused(evidence: Evidence) -> Cause | None:
    """GP114 where some outputs have no part in the gradient, and the shares of all others are right."""
    found = linear_answers(evidence)
    lost = [_unused(answer) for answer in found]
    unused = [rows for rows in lost if rows is not None]
    if not found or len(unused) < len(found) or not (_of_whole_outputs(found, unused) or not _single_shares(found)):
        return None
    where = _where(found, unused)
    if (
        len({a.sample.shape + a.shapes[0] for a in found}) < 2
        or sum(int(np.count_nonzero(a.lost)) for a in found) < ENOUGH
    ):
        return None
    about, support = {"where": where}, counted(evidence, found)
    if found[0].shapes and len(found[0].shapes) > 1:
        return Cause("GP114", "output-unused", about, support=support, confidence=Confidence.VAGUE)
    if where.kind == SOME_ENTRIES:
        return Cause("GP114", "entries-unused", about, support=support, confidence=Confidence.VAGUE)
    return Cause("GP114", "part-unused", about, support=support)


def overwritten(evidence: Evidence) -> Cause | None:
    """GP115 where an entry with shares in several outputs gets some of them, each of them right, not their sum."""
    found = linear_answers(evidence)
    if not found or not all(_only_lost(answer) for answer in found):
        return None
    several = sum(int(np.count_nonzero(_short(answer))) for answer in found)
    if several < 2 or sum(int(np.count_nonzero(a.right & a.wanted)) for a in found) < ENOUGH:
        return None
    support = counted(evidence, found)
    if len(found[0].shapes) > 1 and len(lost := _outputs_of_lost(found)) == 1:
        about = {"output": min(lost)}
        return Cause("GP114", "output-unused-by-some", about, support=support, confidence=Confidence.VAGUE)
    which = _which(found)
    if which == "first":  # what is overwritten keeps the last
        return Cause("GP114", "first-share-alone", support=support)
    # of several that are kept, some may have been left out rather than overwritten
    confidence = Confidence.VAGUE if which is None else Confidence.NAMED
    return Cause("GP115", "overwritten", evidence={"kept": which or "some"}, support=support, confidence=confidence)


def _unused(answer: Answers) -> Mask | None:
    """Outputs without any claimed share; None where that does not explain all, or takes nothing from any sum."""
    counts = answer.wanted.any(axis=1)
    unused = counts & ~answer.given.any(axis=1)
    explained = answer.right.all(axis=1) | unused
    summed = (answer.lost.any(axis=0) & (answer.wanted & answer.given).any(axis=0)).any()
    return np.asarray(unused, dtype=np.bool_) if unused.any() and summed and explained.all() else None


def _where(found: list[Answers], unused: list[Mask]) -> Fact:
    """Name the outputs that have no part: by their number, by a slice, or by their count."""
    first = found[0].shapes
    if len(first) > 1:
        pairs = zip(found, unused, strict=True)
        outputs = [{_number(answer, int(o)) for o in np.flatnonzero(rows)} for answer, rows in pairs]
        same = all(numbers == outputs[0] for numbers in outputs)
        return Fact("outputs", {"numbers": tuple(sorted(outputs[0]))}) if same else _some(unused[0])
    for where, pattern in regions.patterns([shape for answer in found for shape in answer.shapes]):
        if all(_covers(a, pattern(a.shapes[0]).ravel(), rows) for a, rows in zip(found, unused, strict=True)):
            return where
    for axis in range(len(found[0].shapes[0])):
        indices = [set(a.rows(axis)[rows, 0].tolist()) for a, rows in zip(found, unused, strict=True)]
        several = [a.rows(axis).any() for a in found]
        if all(len(index) == 1 and index == indices[0] for index in indices) and all(several):
            return Fact("index", {"index": indices[0].pop(), "axis": axis})
    return _some(unused[0])


def _of_whole_outputs(found: list[Answers], unused: list[Mask]) -> bool:
    """Whether forward has several outputs, and all of what some of them bring is left out: nothing overwrites that."""
    if len(found[0].shapes) < 2:
        return False
    for answer, rows in zip(found, unused, strict=True):
        counts = np.flatnonzero(answer.wanted.any(axis=1))
        lost, kept = ({_number(answer, int(o)) for o in counts if rows[o] == state} for state in (True, False))
        if lost & kept:
            return False
    return True


def _outputs_of_lost(found: list[Answers]) -> set[int]:
    """The numbers of the outputs that have a share that is left out."""
    return {_number(answer, int(o)) for answer in found for o in np.flatnonzero(answer.lost.any(axis=1))}


def _some(unused: Mask) -> Fact:
    return Fact(SOME_ENTRIES, {"count": int(np.count_nonzero(unused)), "of": unused.size})


def _covers(answer: Answers, inside: Mask, unused: Mask) -> bool:
    counts = answer.wanted.any(axis=1)
    return bool((inside[counts] == unused[counts]).all())


def _number(answer: Answers, output: int) -> int:
    ends = np.cumsum([int(np.prod(shape)) for shape in answer.shapes])
    return int(np.searchsorted(ends, output, side="right"))


def _only_lost(answer: Answers) -> bool:
    """Whether each share is right or left out, and no entry is left without any."""
    nothing = answer.wanted.any(axis=0) & ~answer.given.any(axis=0)
    return bool((answer.right | answer.lost).all()) and not nothing.any() and bool(answer.lost.any())


def _single_shares(found: list[Answers]) -> bool:
    """Whether entries with one share get it, and those with several their last or first: then it is not dout.

    Nor is it where forward takes entries by indices, and the examples happened to hold none that occurs once.
    """
    if not all(_only_lost(answer) for answer in found):
        return False
    single = any(((a.wanted.sum(axis=0) == 1) & ~a.lost.any(axis=0)).any() for a in found)
    return all(_indexed(a) for a in found) or (single and _which(found) is not None)


def _indexed(answer: Answers) -> bool:
    values = answer.sample.outcome.example.inputs.values()
    return any(isinstance(value, np.ndarray) and value.dtype.kind in "iu" for value in values)


def _short(answer: Answers) -> Mask:
    """Entries that get some of their shares, and not others."""
    return np.asarray(answer.lost.any(axis=0), dtype=np.bool_)


def _which(found: list[Answers]) -> str | None:
    """Which one of several shares is kept: "last", "first"; None where several are, or now one and now the other."""
    last = first = True
    for answer in found:
        for entry in np.flatnonzero(_short(answer)):
            wanted, given = (np.flatnonzero(mask[:, entry]) for mask in (answer.wanted, answer.given))
            last &= given.size == 1 and given[0] == wanted[-1]
            first &= given.size == 1 and given[0] == wanted[0]
    return "last" if last else "first" if first else None
