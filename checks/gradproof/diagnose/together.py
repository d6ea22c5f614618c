"""One fault told once: findings about several gradients of one subject that have one cause; it looks for no cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gradproof.codes import CODES, is_of_gradient
from gradproof.findings import Confidence, Edit, Finding

PART, CHAIN, UNNAMED = "GP120", "GP121", "GP101"
# of a composite whose parts are right: one of them is given a wrong dout, or none
BROKEN = frozenset({"last-call-remembered", "left-out-of-the-chain", "another-dout", "dout-multiplied"})


def told_once(findings: Sequence[Finding]) -> list[Finding]:
    """Findings about gradients first, those with a cause before those without; one for each cause.

    A part of a composite that is wrong by itself stands for every gradient of the whole, and so does a chain that hands
    a part a wrong dout: whatever else the numbers look like follows from it. What the whole makes of right parts is
    less than a cause that a gradient has of its own.
    """
    part = next((f for f in findings if f.code == PART or (f.code == CHAIN and _is_broken(f))), None)
    gradients = [f for f in findings if _is_gradient(f)]
    rest = [f for f in findings if not _is_gradient(f) and f.code not in (PART, CHAIN)]
    # what a call writes to is wrong for all that read it
    written = [f for f in rest if CODES[f.code].mutates and f.severity == "error"]
    others = [f for f in rest if f not in written]
    if part is not None:
        return [*written, _for_all(part, gradients), *others]
    chains = [f for f in findings if f.code == CHAIN]
    told = [_with_others(group) for group in _alike(gradients, chained=bool(chains))]
    named, unnamed = ([f for f in told if (f.code == UNNAMED) is without] for without in (False, True))
    # where each gradient has a cause of its own, that says more than that the chaining is wrong
    ordered = [*chains, *named, *unnamed] if unnamed else [*named, *chains]
    return [*written, *ordered, *others]


def _is_broken(finding: Finding) -> bool:
    return finding.cause is not None and finding.cause.measured.kind in BROKEN


def _is_gradient(finding: Finding) -> bool:
    return finding.tensor is not None and is_of_gradient(finding.code)


def _alike(gradients: Sequence[Finding], *, chained: bool) -> list[list[Finding]]:
    """The findings about gradients in groups, each of one cause.

    Those without a cause stay apart, each of which is a case of its own, but where a wrong chaining explains them.
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
        return chained and first.code == other.code and first.confidence is other.confidence
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
