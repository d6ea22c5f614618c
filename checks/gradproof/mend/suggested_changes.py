"""Adds to a finding the change that makes its gradient right, and names the cause by it where the numbers name none."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from gradproof.codes import CODES, is_of_form, is_of_gradient
from gradproof.findings import Cause, Confidence, Edit, Finding
from gradproof.mend.change_tester import Mend
from gradproof.mend.edited import edited
from gradproof.mend.mend import Mended

SLIP = "slip"  # the kind of cause that a change of the source names


def mended(findings: Sequence[Finding], found: Mended) -> list[Finding]:
    """Each finding about a gradient, its form or its crash with the change that was tried for it, or with two."""
    fitting = [_fitting(finding, found) if _concerns(finding) else None for finding in findings]
    swapped = frozenset(finding.tensor for finding in findings if finding.code == "GP106")
    changed = [_with_change(f, mend, _tied(mend, found), swapped) for f, mend in zip(findings, fitting, strict=True)]
    return changed if found.cut_off is None else [_cut_off(f, found.cut_off) if _concerns(f) else f for f in changed]


def _cut_off(finding: Finding, seconds: float) -> Finding:
    """Says that the search ended before its time: on another day, there may be another change."""
    more = "other changes" if finding.edits else "changes of the source"
    remark = ("not tried", f"{more} may make it right: the search was cut off after {seconds:g} s")
    return replace(finding, remarks=(*finding.remarks, remark))


def _tied(mend: Mend | None, found: Mended) -> Mend | None:
    """A change beside one that only puts a name in a name's place: which of the two was meant, nobody knows."""
    if mend is None or not mend.change.renames:
        return None
    same = [other for other in found.mends if other.tensors == mend.tensors and not other.change.renames]
    # what stands in one place may be written in many ways
    elsewhere = [other for other in same if other.change.place != mend.change.place]
    elsewhere.sort(key=lambda other: other.change.statement is not mend.change.statement)
    return next(iter(elsewhere), None)


def _fitting(finding: Finding, found: Mended) -> Mend | None:
    """The best change for the finding's tensor: where the numbers name the cause, one that mends that or any formula.

    Where forward is the wrong side, a change of backward would make it right for a forward that nobody meant.
    """
    if finding.code == "GP201" and finding.tensor in found.any_shape:
        return None  # its values were mended, and are findings of their own
    mine = found.of(finding.tensor)
    if finding.code == "GP303":  # a line that no longer raises is not yet right
        mine = [mend for mend in mine if found.raising and mend.tensors >= found.wrong]
    is_named = finding.confidence is Confidence.NAMED and is_of_gradient(finding.code)
    return _of_named_cause(finding.code, mine) if is_named else next(iter(mine), None)


def _of_named_cause(code: str, mends: Sequence[Mend]) -> Mend | None:
    """The first one that is for the slip with this code, or sure; else the first one that is of no loop."""
    if code == "GP110":
        return None
    same = [mend for mend in mends if mend.change.code == code or mend.change.sure]
    others = [mend for mend in mends if not mend.change.is_of_loop]
    return next(iter([*same, *others]), None)


def _says_more(mend: Mend, code: str, swapped: frozenset[str | None]) -> bool:
    """Whether the change knows better: one line mends two gradients that look exchanged; which sum or round it is."""
    if code == "GP106":
        return mend.change.code != code and swapped <= mend.tensors
    if code == "GP117":  # an index that is one off gives what looks like another formula
        return mend.change.code == "GP109"
    if code == "GP113":  # what is not carried on looks like a term that is missing
        return mend.change.code == "GP114" and isinstance(mend.change.statement, ast.For)
    return mend.change.code == code == "GP116"


def _concerns(finding: Finding) -> bool:
    """Whether a finding is about what backward returns, or that it returns nothing."""
    code = finding.code
    is_returned = is_of_gradient(code) or is_of_form(code) or CODES[code].mendable
    return finding.severity == "error" and is_returned


def _with_change(finding: Finding, mend: Mend | None, other: Mend | None, swapped: frozenset[str | None]) -> Finding:
    if mend is None:
        return finding
    if _names_cause(finding, mend, swapped):
        finding = _named(finding, mend, other)
    both = [mend] if other is None else [mend, other]
    return replace(finding, edits=tuple(map(_edit, both)))


def _names_cause(finding: Finding, mend: Mend, swapped: frozenset[str | None]) -> bool:
    """Whether the change says what is wrong: the numbers leave it open, or it knows better."""
    change, confidence = mend.change, finding.confidence
    if confidence is Confidence.OPEN or (confidence is Confidence.VAGUE and not change.plain):
        return True
    is_sure = change.sure and (change.code == finding.code or not CODES[finding.code].exact)
    return is_sure or _says_more(mend, finding.code, swapped)


def _named(finding: Finding, mend: Mend, other: Mend | None) -> Finding:
    """The finding with the slip for its cause; what was measured stays."""
    slips = tuple(each.change.confined.fact for each in (mend, other) if each is not None)
    # what is wrong with the form is known; the slip behind it is its cause
    code = mend.change.code if is_of_gradient(finding.code) else finding.code
    return replace(finding, code=code, cause=Cause(code, SLIP, {"slips": slips}, of=finding.cause))


def _edit(mend: Mend) -> Edit:
    change = mend.change
    written = [each for one in (*mend.after, mend) for each in edited(one.change, one.tree.function.file)]
    return Edit(tuple(written), tuple(sorted(mend.tensors)), mend.examples, change.needs)
