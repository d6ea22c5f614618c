"""Reads which causes a finding names, in a teacher's words; it knows neither the faults nor the rules that speak.

A kind of cause says itself what a teacher calls it, and so does a promise; a slip in words needs a line here. What
nobody knows counts as wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gradproof.codes import is_of_gradient
from gradproof.contract.contract import PROMISES
from gradproof.findings import Cause, Confidence, Finding
from gradproof.mend.suggested_changes import SLIP
from gradproof.report.sentences import KINDS

BRANCH = ", in one branch of np.where"
IN_THE_LINE = ", in the line for"
UNKNOWN = "words unknown to the benchmark"

MEAN, SUM = "extra mean over the batch", "missing mean over the batch"
PRE, POST = "pre-activation used for post-activation", "post-activation used for pre-activation"
LESS, MORE, POWER, OTHER = "a factor left out", "a factor too many", "wrong power", "the wrong operand"
PARTS = ("one row wrong", "one column wrong", "one channel wrong", "one entry wrong")
REGION, SHAPE, ADDED = "one region of values wrong", "one shape wrong", "overwritten, not added"
ORDER, SKIPPED, DROPPED = "layers in the wrong order", "a layer skipped", "a branch dropped"

# What a tried change of the source says of the slip, whatever the code is that it goes with: the first that fits.
CHANGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"^your backward is right for another forward", ("the forward is the wrong side",)),
    (r"^brackets: one of forward", (POWER, OTHER, LESS, MORE, "the forward is the wrong side")),
    (r"derivative, stands where .* belongs$", (OTHER, POWER)),
    (r"^a derivative is missing: that of the softmax", ("derivative left out", SKIPPED, "a term missing")),
    (r"^the sign is wrong where", ("sign", REGION)),
    (r"^the sign ", ("sign",)),
    (r" is taken for symmetric", ("transpose", OTHER)),
    (r"^these terms are too many", ("a term too many",)),
    (r"^backward (divides|multiplies) by .* where it must", (POWER,)),
    (r"^(minimum|maximum|clip) is one too many: .* is a gradient, ", ("not linear in dout", REGION)),
    (r"^(the mask|a mask is one too many|(minimum|maximum|clip) is one too many)", (REGION,)),
    (r" is bound to a new array here", ("never written",)),
    (r"^a mask is missing: the factor", (REGION, LESS, "derivative left out")),
    (r"is not cut off as forward does it", (REGION,)),
    (r"^(another size is taken|the size .* stands where)", ("a dim as factor",)),
    (r"^the sign of .* is lost", ("sign",)),
    (r" keeps it too late", (PRE, POST, OTHER)),
    (r"^the branch for .* is not needed", (REGION, SHAPE)),
    (r"^another entry is taken", ("entries permuted", OTHER)),
    (r"^the power is wrong: .* \*\* 2 belongs$", (POWER, LESS)),
    (r"^the power is wrong", (POWER,)),
    (r"^the number .* (stands where|is mistyped)", ("constant mistyped", "constant factor")),
    (r"^the number .* is one too many as a", ("constant factor", "constant mistyped", MORE)),
    (r"^the number .* is missing as a divisor", ("constant factor", "constant mistyped", LESS)),
    (r"^entries are left out", (*PARTS, "a term missing", "not summed")),
    (r"^the letters of einsum", ("sum over the wrong axis", "transpose", "entries permuted", OTHER)),
    (r"begins anew here: what it held", (ADDED,)),
    (r"^the number .* is missing as a factor", ("constant factor", "constant mistyped", LESS)),
    (r"^an epsilon is", ("epsilon left out",)),
    (r"^a \w+ runs over the wrong axis", ("sum over the wrong axis",)),
    (r"^a \w+ over .* (drops|keeps) that axis", ("sum over the wrong axis", "not broadcast back")),
    (r"^it is not summed: -?\d+ stands where", ("not summed", "a term missing", LESS)),
    (r"^it is not summed", ("not summed",)),
    (r"^only a part is taken", ("not summed", "one row wrong", SHAPE)),
    (r"^a step or an entry is left out", ("not summed", "a term missing", "one row wrong", "one column wrong")),
    (r"^other entries are cut off", ("entries permuted",)),
    (r"^other entries are taken", ("entries permuted", OTHER)),
    (r"^the (entries|axes) are in another order", ("entries permuted", "transpose")),
    (r" are unpacked in the wrong order", (OTHER, "gradients swapped")),
    (r"^it is not broadcast back", ("not broadcast back",)),
    (r"^a transpose is missing|^.* is transposed where|^the factors of a matrix product", ("transpose",)),
    (r"^a sum is taken where a mean", (SUM, "a dim as factor")),
    (r"^a mean is taken where a sum", (MEAN, "a dim as factor")),
    (r"^abs is one too many", ("ignores the sign of dout", MORE)),
    (r"^sign is one too many", ("ignores the scale of dout", MORE)),
    (r"^the size (len\(|\S*shape\[0\]|\S*\.size).* is missing: the division", (SUM, "a dim as factor", LESS)),
    (r"^the size (len\(|\S*shape\[0\]|\S*\.size).* is one too many: the division", (MEAN, "a dim as factor", MORE)),
    (r"^the size .* is missing", ("a dim as factor", LESS)),
    (r"^the size .* is one too many", ("a dim as factor", MORE)),
    (r"^the factor .* is missing where", (LESS, REGION)),
    (r"^the factor .* is one too many where", (MORE, REGION)),
    (r" is changed before line \d+ reads it", (OTHER, ORDER, "mutates")),
    (r"^the (factor|division by) .* is missing", (LESS,)),
    (r"^the (factor|division by) .* is one too many", (MORE,)),
    (r"^a derivative is missing", ("derivative left out", LESS)),
    (r"^(the term .*|this line) is one too many", ("a term too many", MORE)),
    (r"^a term is missing", ("a term missing",)),
    (
        r"^this line overwrites \S+\[",
        (ADDED, "one row wrong", "one column wrong", "one channel wrong", "one entry wrong"),
    ),
    (r"^this line overwrites", (ADDED,)),
    (r"^digits are lost", ("down-casts",)),
    (r"takes the columns .* of every row", ("a term too many", "one column wrong")),
    (r" is not used here: the factor", ("ignores dout", LESS)),
    (r"what the round before left in .* is overwritten$", (ADDED, "not carried through time")),
    (r"is assigned where it should be added to|counts an index that occurs twice once", (ADDED,)),
    (r"is assigned in several lines where it should be added up", (ADDED, DROPPED)),
    (r" is forgotten: what this line does", ("one column wrong", "one row wrong", "one channel wrong")),
    (r"is added to where it should be assigned", ("accumulates", "a term too many")),
    (r"^every entry of the list is the one object", ("stale cache",)),
    (r"^.* is written to after this line", ("mutates",)),
    (r"^two lines are in the wrong order", (ORDER,)),
    (r"^two gradients are exchanged", ("gradients swapped",)),
    (r"^np\.roll carries", ("one row wrong", "one column wrong", "one channel wrong", "a term too many")),
    (r" is gone through in the wrong order", (ORDER,)),
    (r"^the loop carries on in the wrong order", ("not carried through time",)),
    (r"^this line stands behind the loop", ("not summed", "a term missing")),
    (r"belongs, which nothing reads$", (OTHER, SKIPPED)),
    (r"^(what this line does with|a line is forgotten)", ("a term missing", DROPPED)),
    (r"^nothing reads \S+, which each round leaves", ("a term missing", DROPPED, "not carried through time")),
    (r"belongs: so many entries are taken here$", (OTHER, "a dim as factor")),
    (r"^the sum runs in the wrong direction", ("entries permuted", "transpose", "not carried through time")),
    (r"stands where \S.* belongs$", (OTHER, PRE, POST)),
)

# what is neither a cause by its numbers nor a promise, by the beginning of its code
PREFIXES: Mapping[str, tuple[str, ...]] = {
    "GP206": ("not a number",),
    "GP2": ("wrong form",),
    "GP3": ("crash",),
    "GP401": ("down-casts",),
}


def causes_named(finding: Finding) -> frozenset[str]:
    """The causes that a student reads out of the finding; empty where it claims none.

    A gradient's finding claims what its cause says. A form, an exception or a broken promise is its own cause, beside
    which the slip that a change names counts, too. Where two causes are joined by "or", both are named.
    """
    cause = finding.cause
    found = [] if cause is None else [*_of_cause(cause)]
    if not is_of_gradient(finding.code):
        found += _of_code(finding)
    claims = finding.confidence is not Confidence.OPEN or not finding.code.startswith(("GP1", "GP6"))
    return frozenset(found) or frozenset({UNKNOWN} if claims else ())


def _of_code(finding: Finding) -> tuple[str, ...]:
    kind = finding.kind if finding.because is None else finding.because.kind
    for promise in PROMISES:
        if finding.code in promise.codes:
            return promise.kinds.get(kind, promise.codes[finding.code])
    return next((names for start, names in PREFIXES.items() if finding.code.startswith(start)), ())


def _of_cause(cause: Cause) -> Iterator[str]:
    kind = KINDS.get(cause.kind)
    if cause.kind == SLIP:
        yield from _of_slips(cause.parameters)
    elif kind is not None:
        yield from kind.names(cause.parameters)


def _of_slips(about: Mapping[str, Any]) -> Iterator[str]:
    """Two changes that mend the same: nobody can know which was meant."""
    for slip in about["slips"]:
        words, in_the_line, _ = slip.partition(IN_THE_LINE)
        words, in_a_branch, _ = words.partition(BRANCH)
        yield from PARTS if in_the_line else ()
        yield from (REGION,) if in_a_branch else ()
        yield from next((causes for pattern, causes in CHANGES if re.search(pattern, words)), ())
