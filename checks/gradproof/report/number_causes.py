"""The words for the causes that are seen in the numbers of a gradient, a row for each kind; it knows no finding."""

from __future__ import annotations

from collections.abc import Mapping

from gradproof.report.facts import Words, advice
from gradproof.report.row import Row

_BRANCH = "look for a branch, a shape or a size that backward treats apart"


def _ratio(words: Words) -> str:
    measured = f"yours / numeric = {words['ratio']:.4g}"
    return measured if measured.endswith(f"= {words['factors']}") else f"{measured} = {words['factors']}"


def _negated(words: Words) -> str:
    return " and has the wrong sign" if words["sign"] < 0 else ""


def _divided(what: str) -> Row:
    return Row(
        _ratio,
        lambda w: (
            f"d{w['tensor']} is divided by {what.format_map(w)}{_negated(w)}: a mean is taken where forward takes"
            " a sum, or is taken twice"
        ),
        "sum instead of taking the mean; where the loss has already divided by {size}, no layer divides again",
    )


def _multiplied(what: str) -> Row:
    return Row(
        _ratio,
        lambda w: (
            f"d{w['tensor']} is {w['size']} times too large{_negated(w)}: the 1/{w['size']} of a mean is missing,"
            " or it is summed once too often"
        ),
        f"where forward takes a mean over {what}, backward divides by {{size}}",
    )


def _another_function(words: Words) -> str:
    used = f"formula {words['formula']}" if words["formula"] else "derivative"
    known = f"is {words['forward']}" if words["forward"] else f"is not {words['function']}"
    contrast = "at {tensor} = {x:.6g} it gives {out:.6g}, {function} {value:.6g}".format_map(words)
    return f"your backward uses {words['function']}'s {used}, but your forward {known}: {contrast}"


def _of_reduction(words: Words) -> str:
    share = {"mean": "dout divided by their number", "sum": "dout"}.get(words["forward"])
    of_one = "the entry that is the {forward} gets all of dout, the others nothing".format_map(words)
    gets = of_one if share is None else f"each entry that an output sees gets {share}"
    return f"where forward takes the {words['forward']}, {gets}"


def _of_slips(words: Words) -> str:
    return advice(words["raw"]["slips"][0], words["tensor"])


NUMBERS: Mapping[str, Row] = {
    # nothing but what was measured
    "unexplained": Row("{extent}", label="where"),
    "unmeasured": Row(),
    "not-finite": Row(
        advice="look for a division by zero, a log or an overflow in backward; forward is finite there",
        headline="the gradient of {tensor} is not finite",
    ),
    # what was found otherwise
    "broken-promise": Row(),
    "slip": Row(likely=lambda w: "; or ".join(w["raw"]["slips"])),
    # zeros
    "zero-beside-others": Row("yours = 0"),
    "zeros-returned": Row(
        "yours = 0",
        "backward returns nothing but zeros for d{tensor}",
        "look for a factor that is zero: a mask, a cache, an array never filled",
    ),
    "first-step-alone": Row(
        "yours = 0",
        "backward never writes d{tensor}, or takes it from the first step alone, where it is zero",
        "add what every step brings to grads[i], i being {tensor}'s place in params",
    ),
    "never-written": Row(
        "yours = 0",
        "backward never writes d{tensor}, or writes nothing but zeros",
        "write grads[i][...] = d{tensor} in backward, i being the place of {tensor} in params",
    ),
    "zero-where-wrong": Row(
        "yours = 0 in every example that fails",
        "where it is wrong, d{tensor} is zero: backward does not write it, or multiplies it by zero",
        _BRANCH,
    ),
    # factors
    "one-of-several-factors": Row(
        _ratio,
        "d{tensor} is {factors} times the true gradient: the sizes tried cannot tell which",
        "check with other sizes: a factor that follows a dim will change with it",
    ),
    "wrong-sign": Row(_ratio, "d{tensor} has the wrong sign", "look for a lost or an extra minus"),
    "sign-lost": Row("yours = |numeric|", "d{tensor} has lost its sign", "look for an abs, a square or a comparison"),
    "twice": Row(
        _ratio,
        "d{tensor} is twice the true gradient",
        "look for a 1/2 that only forward has, or for a term added twice",
    ),
    "half": Row(
        _ratio,
        "d{tensor} is half the true gradient",
        "look for the 2 of a square's derivative, or for a term left out",
    ),
    "constant-factor": Row(
        _ratio,
        "d{tensor} is {factor} times the true gradient, at every shape tried",
        "look for a constant that only one of forward and backward has",
    ),
    "divided-by-the-batch-size": _divided("the batch size {size}"),
    "divided-by-a-size": _divided("{size}"),
    "multiplied-by-the-batch-size": _multiplied("the batch size {size}"),
    "multiplied-by-a-size": _multiplied("{size}"),
    "divided-by-a-root": Row(
        _ratio,
        lambda w: f"d{w['tensor']} is divided by {w['size']}{_negated(w)}",
        "look for a {size} that only one of forward and backward has",
    ),
    "multiplied-by-a-root": Row(
        _ratio,
        lambda w: f"d{w['tensor']} is {w['size']} times too large{_negated(w)}",
        "look for a {size} that only one of forward and backward has",
    ),
    "one-scalar": Row(
        "yours / numeric is one number within each example, another in the next",
        "d{tensor} lacks, or has too many, one factor: a single number that changes with the example",
        "look for a scalar that forward computes (a norm, a sum), or for dout where the output is a scalar",
    ),
    "factor-where-wrong": Row(
        "yours / numeric = {factors} in every example that fails",
        "where it is wrong, d{tensor} is {factors} times the true gradient",
        _BRANCH,
    ),
    # small differences
    "epsilon-in-one": Row(
        "differs by {least:.0e} to {most:.0e} of the gradient, more where numbers are extreme   ({near} of {ordinary}"
        " examples of ordinary values)",
        "an epsilon is in one of forward and backward only: it grows where what it guards is close to 0",
        "differentiate the epsilon too, or clip in the same way in both",
    ),
    "cast-down": Row(
        "differs by {most:.0e} of the gradient at most",
        "d{tensor} went through {dtype}: every entry is a {dtype} number",
        "look for a cast: astype, dtype=, a {dtype} buffer",
    ),
    "constant-or-rounding": Row(
        "differs by {most:.0e} of the gradient at most",
        "a constant is mistyped, an epsilon left out, or something on the way is rounded to float32",
        "look for astype, dtype= or 'f'; compare the constants digit by digit",
    ),
    "constant-or-epsilon": Row(
        "differs by {most:.0e} of the gradient at most",
        "an epsilon or a constant is left out or mistyped in one of forward and backward",
        "compare the constants of forward and backward digit by digit",
    ),
    # the other side
    "derivative-of-another": Row(
        "yours = dout * {slope}",
        _another_function,
        "if forward is meant to be {function}, mend forward; if not, differentiate it anew",
    ),
    "forward-mistyped": Row(
        "yours = dout * {slope}",
        "your backward is right for {function}, your forward is not {function}: it computes {forward}",
        "mend forward: brackets, signs and the order of operations",
    ),
    "another-reduction": Row(
        "forward takes the {forward} of several entries, yours is right for the {yours}",
        "your backward is right for the {yours} of what each output sees, but your forward takes the {forward}",
        _of_reduction,
    ),
    # dout
    "dout-ignored": Row(
        "yours is the same for every dout tried",
        "backward computes d{tensor} without dout",
        "multiply by dout, the gradient that comes from above: it is 1 only where the loss is the last layer",
    ),
    "sign-of-dout-ignored": Row(
        "yours is the same for dout and for -dout",
        "d{tensor} ignores the sign of dout",
        "look for an abs or a square of what contains dout: a gradient is linear in dout",
    ),
    "size-of-dout-ignored": Row(
        "yours is the same for entries of dout of other sizes",
        "d{tensor} ignores the size of dout",
        "look for a sign, a comparison or a normalisation of dout: a gradient is linear in dout",
    ),
    # what a formula is taken of
    "derivative-at-the-output": Row(
        "yours = dout * {slope}",
        "your backward takes {function}'s derivative at the output, where x belongs",
        "look for an output cached in the place of x, or for x overwritten in forward",
    ),
    "formula-of-the-input": Row(
        "yours = dout * {slope}",
        "your backward uses {function}'s formula {formula} with x in the place of the output",
        "cache forward's output, and use that in backward",
    ),
    # terms
    "not-carried-back": Row(
        "yours takes nothing from later steps along {axes}",
        "forward carries {tensor} on from step to step along {axes}; backward does not carry d{tensor} back",
        "go through the steps in reverse, adding what the next step hands back",
    ),
    "uncoupled": Row(
        "forward mixes along {axes}, yours does not",
        "a term of d{tensor} is missing: each entry has a share in all outputs along {axes}, not in its own alone",
        "differentiate the sum, mean or maximum over {axes} too: it depends on {tensor}",
    ),
    "carried-wrong": Row(
        "right within each step along {axes}, wrong from one to another",
        "what backward carries from step to step along {axes} is wrong: a factor or a term of it is missing",
        "differentiate one step by the state before it: every way from the old state to the new one counts",
    ),
    "term-of-a-sum": Row(
        "yours - numeric is {term}",
        "a term of d{tensor} is missing, is there twice, or has a wrong factor: {term}",
        "differentiate every sum over axis {axis} in forward, and compare term by term",
    ),
    "term-without-dout": Row(
        "yours - numeric is the same for every dout",
        "d{tensor} has a term too many: something that is not multiplied by dout is added",
        "every term of a gradient has dout, or what came of it, as a factor",
    ),
    "known-term": Row(
        "{formula}",
        "a term of d{tensor} is missing, or one too many: the one with {term}",
        "compare the terms of forward, one by one, with those of backward",
    ),
    "first-factor-alone": Row(
        "yours = dout * the output / {tensor}",
        "a term of d{tensor} is missing: the output is {tensor} times what depends on it too, and {tensor} alone is"
        " derived",
        "the product rule has two terms: the other one is {tensor} times a derivative",
    ),
    # formulas
    "dout-unchanged": Row(
        "yours = dout",
        "d{tensor} is dout, unchanged: the derivative of this layer is not multiplied in",
        "d{tensor} = dout times the derivative of the output by {tensor}",
    ),
    "dout-to-one-entry": Row(
        "forward takes the {forward} of several entries, yours gives all of dout to the {yours}",
        "dout is not broadcast back: all of it goes to the {yours} of the entries that each output sees",
        _of_reduction,
    ),
    "dout-to-every-entry": Row(
        "forward takes the {forward} of several entries, yours is right for the sum",
        "the derivative of the {forward} is missing: dout goes to every entry, not to the one that forward takes",
        _of_reduction,
    ),
    "known-factor-missing": Row(
        "{formula}",
        "a factor of d{tensor} is missing: {factor}",
        "write the derivative factor by factor, and see where {factor} comes in",
    ),
    "known-factor-too-many": Row(
        "{formula}",
        "a factor of d{tensor} is one too many, or a division by it is missing: {factor}",
        "write the derivative factor by factor, and see where {factor} comes in",
    ),
    "another-formula": Row(
        "yours = {has}, numeric = {belongs}",
        "d{tensor} is {has}, the true gradient is {belongs}",
        "put {right} in the place of {mine}",
    ),
    "terms-exchanged": Row(
        "{formula}",
        "d{tensor} takes {one} and {other} for each other: one stands where the other belongs",
        "look for {one} and for {other} in backward",
    ),
    "another-factor": Row(
        "{formula}", "d{tensor} is multiplied by {mine} where {right} belongs", "put {right} in the place of {mine}"
    ),
    "share-by-share": Row("every share of d{tensor}: {slips}", "in d{tensor}, {slips}", _of_slips),
    "another-array": Row("yours sums dout * {array}", advice="multiply by what forward multiplies {tensor} by"),
}
