"""One fault told once, and in which order: findings of one subject that have one cause; it looks for no cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gradproof.codes import CODES, is_of_gradient
from gradproof.findings import Confidence, Edit, Finding

PART, UNNAMED = "GP120", "GP101"
# of a composite whose parts are right: one of them is given a wrong dout, or none
BROKEN = frozenset({"last-call-remembered", "left-out-of-the-chain", "another-dout", "dout-multiplied"})


def told_once(findings: Sequence[Finding]) -> list[Finding]:
    """One finding for each cause, in the order in which they are told.

    A part of a composite that is wrong by itself stands for every gradient of the whole, and so does a chain that hands
    a part a wrong dout: whatever else the numbers look like follows from it.
    """
    gradients = [finding for finding in findings if _is_gradient(finding)]
    others = [finding for finding in findings if not _is_gradient(finding)]
    whole = next(filter(_stands_for_all, others), None)
    if whole is not None:
        rest = [finding for finding in others if not _is_composite(finding)]
        return _ranked([_for_all(whole, gradients), *rest])
    groups = _alike(gradients, chained=any(map(_is_composite, others)))
    return _ranked([*map(_with_others, groups), *others])


def _ranked(findings: Sequence[Finding]) -> list[Finding]:
    """What a call writes to first, for it makes wrong all that read it; then gradients, named ones before others.

    What a whole makes of right parts comes before gradients without a cause of their own, and behind all others: where
    each gradient has a cause of its own, that says more than that the chaining is wrong.
    """
    all_named = not any(f.code == UNNAMED for f in findings)

    def rank(finding: Finding) -> int:
        if CODES[finding.code].mutates and finding.severity == "error":
            return 0
        if _is_composite(finding):
            return 3 if all_named and not _stands_for_all(finding) else 1
        if _is_gradient(finding):
            return 4 if finding.code == UNNAMED else 2
        return 5

    return sorted(findings, key=rank)


def _is_composite(finding: Finding) -> bool:
    """Whether it is about the parts of a composite, whatever slip in the source it has for its cause."""
    return finding.cause is not None and CODES[finding.cause.measured.code].of_parts


def _stands_for_all(finding: Finding) -> bool:
    """Whether one part is wrong, or is handed a wrong dout, so that every gradient of the whole is."""
    cause = finding.cause
    return cause is not None and (cause.measured.code == PART or cause.measured.kind in BROKEN)


def _is_gradient(finding: Finding) -> bool:
    return finding.tensor is not None and is_of_gradient(finding.code)


def _alike(gradients: Sequence[Finding], *, chained: bool) -> list[list[Finding]]:
    """The findings about gradients in groups, each of one cause.

    Those without a cause stay apart, each of which is a case of its own, but where a wrong chaining explains them, or
    they go wrong at one line.
    """
    groups: list[list[Finding]] = []
    for finding in gradients:
        mine = next((group for group in groups if _is_one(group[0], finding, chained=chained)), None)
        if mine is None:
            groups.append([finding])
        else:
            mine.append(finding)
    return groups


def _is_one(first: Finding, other: Finding, *, chained: bool) -> bool:
    if Confidence.OPEN in (first.confidence, other.confidence):
        at_one_line = first.right_up_to is not None and first.right_up_to == other.right_up_to
        return (chained or at_one_line) and first.code == other.code and first.confidence is other.confidence
    return first.cause is not None and other.cause is not None and first.cause.identity == other.cause.identity


def _with_others(group: Sequence[Finding]) -> Finding:
    """The first of a group, which stands for the others, with every change that mends one of them."""
    others = tuple(finding.tensor for finding in group[1:] if finding.tensor is not None)
    edits: list[Edit] = []
    for finding in group:
        edits += [edit for edit in finding.edits if edit not in edits]
    return replace(group[0], also=others, edits=tuple(edits))


def _for_all(part: Finding, gradients: Sequence[Finding]) -> Finding:
    names = tuple(f.tensor for f in gradients if f.tensor is not None)
    return replace(part, tensor=names[0] if names else None, also=names[1:])
