"""The codes of findings, with their short names and what each implies, in one table; it knows not how any is found.

A code is stable: it is never used again for something else. GP1: a gradient that is wrong, with its cause. GP2: the
form of what came back. GP3: an exception. GP4: numbers that depend on the dtype. GP5: a promise of a layer that is
broken. GP6: what the source shows, which is a note unless a measured fault goes with it. GP7: what a node of an
autograd library must do that a layer need not.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """What a code stands for, and what follows from it wherever it is found.

    ``severity`` is the severest that it is told with. ``exact``: the numbers alone leave no doubt about such a cause of
    a wrong gradient (a factor, a sign, gradients exchanged, dout not used).

    Of a promise of a layer: ``explains`` says that it is the cause of a wrong gradient of its tensor, whatever else the
    numbers look like; ``repeats`` that it is the cause where the numbers name none, and says the same again where they
    name one; ``mutates`` that a call writes to what others read, which makes these wrong; ``needs_proof`` that of one
    tensor it is a fault only where the gradient is wrong, as a net may change it on purpose. ``follows`` are promises
    of which it is but a sign, where they are broken too. ``second_backward``: it shows in a second backward after one
    forward.

    ``of_forward``: no line of backward is at fault: forward is another function, keeps what it does not own, or a dtype
    is too narrow. ``between_calls``: what one call leaves behind makes another one wrong, whatever its lines say.

    ``of_parts``: it is about the parts of a composite, or what is made of them.

    ``mendable``: a change of backward may make it right, as it may all that is of a gradient or of its form.
    ``headline``: what is wrong, where a code always says it in the same words.
    """

    name: str
    severity: str = "error"
    exact: bool = False
    of_forward: bool = False
    between_calls: bool = False
    explains: bool = False
    repeats: bool = False
    mutates: bool = False
    needs_proof: bool = False
    second_backward: bool = False
    of_parts: bool = False
    mendable: bool = False
    follows: tuple[str, ...] = ()
    headline: str = ""


CODES: Mapping[str, Code] = {
    "GP101": Code("wrong-gradient"),
    "GP102": Code("missing-factor", exact=True),
    "GP103": Code("wrong-sign", exact=True),
    "GP104": Code("never-written"),
    "GP105": Code("transposed"),
    "GP106": Code("swapped", exact=True),
    "GP107": Code("one-region"),
    "GP108": Code("small-discrepancy"),
    "GP109": Code("misplaced"),
    "GP110": Code("wrong-side", of_forward=True),
    "GP111": Code("ignores-dout", exact=True),
    "GP112": Code("wrong-argument"),
    "GP113": Code("missing-term"),
    "GP114": Code("dout-unused"),
    "GP115": Code("overwritten"),
    "GP116": Code("wrong-axis"),
    "GP117": Code("wrong-formula"),
    "GP118": Code("not-copied", of_forward=True),
    "GP119": Code("digits-lost", of_forward=True),
    "GP120": Code("wrong-part", of_parts=True),
    "GP121": Code("wrong-chaining", of_parts=True),
    "GP201": Code("wrong-shape"),
    "GP202": Code("missing-gradient"),
    "GP203": Code("gradient-count"),
    "GP204": Code("no-backward"),
    "GP205": Code("grads-mismatch"),
    "GP206": Code("non-finite-gradient"),
    "GP207": Code("not-an-array"),
    "GP208": Code("integer-parameter"),
    "GP301": Code("constructor-raises"),
    "GP302": Code("forward-raises"),
    "GP303": Code("backward-raises", mendable=True),
    "GP304": Code("does-not-end", severity="warning"),
    "GP305": Code("cell-raises", severity="note"),
    "GP306": Code("left-out", severity="note"),
    "GP307": Code("statement-raises", severity="note"),
    "GP401": Code("dtype-disagreement"),
    "GP501": Code("forward-changes-input", mutates=True),
    "GP502": Code("forward-changes-params", mutates=True),
    "GP503": Code("forward-not-repeatable", severity="warning", between_calls=True, follows=("GP502", "GP519")),
    "GP504": Code("layout-dependent"),
    "GP505": Code("float32-lost", severity="warning"),
    "GP506": Code("backward-before-forward", severity="warning"),
    "GP507": Code("gradient-dtype", severity="warning"),
    "GP508": Code("stale-cache", repeats=True, between_calls=True, mendable=True, follows=("GP501", "GP502", "GP519")),
    "GP509": Code("dout-not-linear", repeats=True, mendable=True),
    "GP510": Code("backward-changes-dout", severity="warning", between_calls=True),
    "GP511": Code("backward-changes-input", mutates=True),
    "GP512": Code("backward-changes-params", mutates=True),
    "GP513": Code("accumulates", repeats=True, between_calls=True, mendable=True, second_backward=True),
    "GP514": Code(
        "backward-not-repeatable",
        repeats=True,
        mutates=True,
        mendable=True,
        second_backward=True,
        follows=("GP511", "GP512"),
    ),
    "GP515": Code("backward-only-once", severity="warning"),
    "GP516": Code("shared-memory", severity="warning"),
    "GP517": Code("buffer-reused", severity="warning"),
    "GP518": Code("grads-rebound"),
    "GP519": Code("params-rebound", explains=True),
    "GP520": Code("update-not-reaching", explains=True, needs_proof=True),
    "GP521": Code("net-lists", explains=True, needs_proof=True),
    "GP522": Code("unknown-code", severity="warning"),
    "GP601": Code("division-by-one", severity="note", headline="divides by one"),
    "GP602": Code("compared-not-assigned", severity="note", headline="drops the answer of a comparison"),
    "GP603": Code("return-in-loop", severity="note", headline="returns from inside a loop"),
    "GP604": Code("result-dropped", severity="note", headline="drops a result"),
    "GP605": Code("sign-after-equals", severity="note", headline="has a sign behind the equals sign"),
    "GP606": Code("never-stored", severity="note", headline="reads what nothing stores"),
    "GP701": Code("gradient-assigned"),
    "GP702": Code("one-node-twice"),
    "GP703": Code("wrong-order"),
}


def is_of_gradient(code: str) -> bool:
    """Whether it is about the numbers of a gradient, or about a composite that makes them wrong."""
    return code.startswith("GP1")


def is_of_form(code: str) -> bool:
    """Whether it is about the form of what came back."""
    return code.startswith("GP2")


def is_of_exception(code: str) -> bool:
    """Whether it is about what was raised."""
    return code.startswith("GP3")


def is_of_promise(code: str) -> bool:
    """Whether it is about what a layer promises beside its gradient."""
    return code.startswith("GP5")


def closest(word: str) -> str:
    """The remedy for a code that does not exist: the code that was meant, by its number or by its short name."""
    names = {row.name: code for code, row in CODES.items()} | {code: code for code in CODES}
    by_case = {name.upper(): name for name in names}
    found = difflib.get_close_matches(word.upper(), by_case, n=1)
    if not found:
        return "gradproof explain lists the codes"
    code = names[by_case[found[0]]]
    return f"did you mean {code} ({CODES[code].name})?"
