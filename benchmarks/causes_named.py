"""Reads which causes a finding names, in a teacher's words; it knows neither the faults nor the rules that speak.

A finding that names a cause in words unknown here counts as wrong: a new sentence needs a line in this table first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gradproof.findings import Finding
from gradproof.report.lines import headline, lines

BRANCH = ", in one branch of np.where"
IN_THE_LINE = ", in the line for"
UNKNOWN = "words unknown to the benchmark"
BATCH = "n"  # the dim that counts the samples, in every table of faults

MEAN, SUM = "extra mean over the batch", "missing mean over the batch"
PRE, POST = "pre-activation used for post-activation", "post-activation used for pre-activation"
LESS, MORE, POWER, OTHER = "a factor left out", "a factor too many", "wrong power", "the wrong operand"
PARTS = ("one row wrong", "one column wrong", "one channel wrong", "one entry wrong")
REGION, SHAPE, ADDED = "one region of values wrong", "one shape wrong", "overwritten, not added"
ORDER, SKIPPED, DROPPED = "layers in the wrong order", "a layer skipped", "a branch dropped"
SHARED, LISTS = "shared gradients not added", "lists out of step"

# What a tried change of the source says of the slip, whatever the code is that it goes with.
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

# code, what its text must contain (a regular expression), the causes that it then names: the first line that fits holds
READINGS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("GP102", r"^where it is wrong", (SHAPE, "constant factor")),
    ("GP102", rf"divided by (the batch size )?{BATCH}\b", (MEAN,)),
    ("GP102", rf"\b{BATCH} times too large", (SUM,)),
    ("GP102", r"sqrt\(\w+\) times too large", ("a dim as factor", LESS)),
    ("GP102", r"divided by sqrt\(", ("a dim as factor", MORE)),
    ("GP102", r"divided by|times too large", ("a dim as factor",)),
    ("GP102", r"is (twice|half) the true|times the true gradient", ("constant factor",)),
    ("GP102", r"one factor: a single number", (LESS, "a dim as factor")),
    ("GP103", r"sign", ("sign",)),
    ("GP104", r"^where it is wrong", (SHAPE, "never written")),
    ("GP104", r"from the first step alone", ("never written", "not summed")),
    ("GP104", r"zeros", ("never written",)),
    ("GP105", r"with axes \d and \d exchanged", ("transpose", "entries permuted")),
    ("GP105", r"transpose|exchanged", ("transpose",)),
    ("GP106", r"belongs to", ("gradients swapped",)),
    ("GP107", r"for what belongs to|mask of \S+ is inverted", (REGION,)),
    ("GP107", r"not broadcast back", ("not broadcast back",)),
    ("GP107", r"a mask is missing", (REGION, LESS)),
    ("GP107", r"another mask", (REGION, OTHER, "stale cache")),
    ("GP107", r"\brow\b", ("one row wrong",)),
    ("GP107", r"\bcolumn\b", ("one column wrong",)),
    # of an image or a sequence, what a teacher calls a row, a column or a channel depends on what its axes are
    ("GP107", r"\bslice (\d+ )?along axis", ("one row wrong", "one column wrong", "one channel wrong")),
    ("GP107", r"\bentry\b", ("one entry wrong",)),
    ("GP108", r"or something .* float32", ("down-casts", "epsilon left out", "constant mistyped")),
    ("GP108", r"float32|float16", ("down-casts",)),
    ("GP108", r"epsilon or a constant", ("epsilon left out", "constant mistyped")),
    ("GP108", r"epsilon is in one", ("epsilon left out",)),
    ("GP109", r"wrong places", ("entries permuted",)),
    ("GP110", r"your forward", ("the forward is the wrong side",)),
    ("GP111", r"without dout", ("ignores dout",)),
    ("GP111", r"ignores the sign", ("ignores the sign of dout",)),
    ("GP111", r"ignores the size", ("ignores the scale of dout",)),
    ("GP112", r"at the output", (POST,)),
    ("GP112", r"in the place of the output", (PRE,)),
    ("GP113", r"not multiplied by dout", ("a term too many",)),
    ("GP113", r"carr(y|ies) ", ("not carried through time",)),
    ("GP113", r"or has a wrong factor", ("a term missing", "a term too many", "a dim as factor", OTHER)),
    ("GP113", r"missing, or one too many", ("a term missing", "a term too many")),
    ("GP113", r"term of \S+ is missing", ("a term missing",)),
    ("GP114", r"takes nothing from output", (DROPPED,)),
    ("GP114", r"the terms that these bring are missing", ("a term missing", "not summed")),
    ("GP114", r"takes nothing from|takes the first of several", ("not summed", "a term missing")),
    ("GP115", r"assigned where it should be added", (ADDED,)),
    ("GP116", r"wrong axis", ("sum over the wrong axis",)),
    ("GP116", r"mixes the entries", ("sum over the wrong axis", "a term too many")),
    ("GP117", r"is dout, unchanged", ("derivative left out",)),
    ("GP117", r"taken at the pre-activation", (PRE,)),
    ("GP117", r"one too many, or a division", (MORE, POWER, LESS)),
    ("GP117", r"one too many|there twice", (MORE, POWER)),
    ("GP117", r"at the wrong place", (ORDER,)),
    ("GP117", r"is missing", (LESS, POWER, "derivative left out")),
    # both formulas are written out there, and hold of every entry
    ("GP117", r"the true gradient is", (OTHER, LESS, MORE, POWER, PRE, POST, "the forward is the wrong side")),
    ("GP117", r"not what forward multiplies", (OTHER, PRE, POST)),
    ("GP117", r"where \S.* belongs|where the other belongs", (OTHER, PRE, POST)),
    ("GP120", r"is wrong", ("one layer wrong",)),
    ("GP121", r"out of the chain", (SKIPPED,)),
    ("GP121", r"dout is multiplied by 1/[a-z]", (MEAN, "constant factor")),
    ("GP121", r"dout is multiplied by", ("constant factor", "a dim as factor", SUM)),
    ("GP121", r"chaining between", (ORDER, SKIPPED, DROPPED)),
    ("GP121", r"returns or collects", (DROPPED, SHARED, LISTS)),
    ("GP121", r"called several times", ("stale cache", ADDED, SHARED)),
    ("GP206", r"", ("not a number",)),
    ("GP2", r"", ("wrong form",)),
    ("GP3", r"", ("crash",)),
    ("GP401", r"", ("down-casts",)),
    ("GP50[12]", r"", ("mutates",)),
    ("GP507", r"", ("down-casts",)),
    ("GP508", r"", ("stale cache",)),
    ("GP509", r"ignores dout$", ("ignores dout",)),
    ("GP509", r"ignores the size of dout$", ("ignores the scale of dout",)),
    ("GP509", r"ignores the sign of dout$", ("ignores the sign of dout",)),
    ("GP509", r"", ("not linear in dout",)),
    ("GP51[012]", r"", ("mutates",)),
    ("GP513", r"", ("accumulates",)),
    ("GP514", r"", ("mutates",)),  # "backward changed what forward had kept"
    ("GP51[89]", r"", ("list rebound",)),
    ("GP521", r"is a new array, which the net", ("list rebound", LISTS)),
    ("GP52[01]", r"", (LISTS,)),
)


def causes_named(finding: Finding) -> frozenset[str]:
    """The causes that a student reads out of the finding; empty where it claims none.

    A gradient's finding claims a cause by its line "likely cause" alone. A form or an exception is its own cause.
    Where two causes are joined by "or", both are named.
    """
    text = dict(lines(finding)).get("likely cause")
    if text is None and finding.code.startswith(("GP1", "GP6")) and finding.code != "GP206":
        return frozenset()
    return frozenset(_read(finding.code, text or headline(finding))) or frozenset({UNKNOWN})


def _read(code: str, text: str) -> Iterator[str]:
    """The causes of the first line of each table that fits; the more special lines stand first."""
    # two changes that mend the same are joined by "; or": nobody can know which was meant
    if IN_THE_LINE in text:
        yield from PARTS
    parts = [part.partition(IN_THE_LINE)[0].partition(BRANCH) for part in text.split("; or ")]
    changed = [next((causes for pattern, causes in CHANGES if re.search(pattern, t)), ()) for t, _, _ in parts]
    yield from (REGION for _, branch, _ in parts if branch)
    yield from (cause for causes in changed for cause in causes)
    changed = [causes for causes in changed if causes]
    if changed and code.startswith("GP1"):
        return
    for start, pattern, causes in READINGS:
        if re.match(start, code) and re.search(pattern, text):
            yield from causes
            return
