"""The codes of findings and their short names, in one table; it knows nothing of how any of them is found.

A code is stable: it is never used again for something else. GP1: a gradient that is wrong, with its cause. GP2: the
form of what came back. GP3: an exception. GP4: numbers that depend on the dtype. GP5: a promise of a layer that is
broken. GP6: what the source shows, which is a note unless a measured fault goes with it. GP7: what a node of an
autograd library must do that a layer need not.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

CODES: Mapping[str, str] = {
    "GP101": "wrong-gradient",
    "GP102": "missing-factor",
    "GP103": "wrong-sign",
    "GP104": "never-written",
    "GP105": "transposed",
    "GP106": "swapped",
    "GP107": "one-region",
    "GP108": "small-discrepancy",
    "GP109": "misplaced",
    "GP110": "wrong-side",
    "GP111": "ignores-dout",
    "GP112": "wrong-argument",
    "GP113": "missing-term",
    "GP114": "dout-unused",
    "GP115": "overwritten",
    "GP116": "wrong-axis",
    "GP117": "wrong-formula",
    "GP118": "not-copied",
    "GP119": "digits-lost",
    "GP120": "wrong-part",
    "GP121": "wrong-chaining",
    "GP201": "wrong-shape",
    "GP202": "missing-gradient",
    "GP203": "gradient-count",
    "GP204": "no-backward",
    "GP205": "grads-mismatch",
    "GP206": "non-finite-gradient",
    "GP207": "not-an-array",
    "GP208": "integer-parameter",
    "GP301": "constructor-raises",
    "GP302": "forward-raises",
    "GP303": "backward-raises",
    "GP304": "does-not-end",
    "GP305": "cell-raises",
    "GP306": "left-out",
    "GP307": "statement-raises",
    "GP401": "dtype-disagreement",
    "GP501": "forward-changes-input",
    "GP502": "forward-changes-params",
    "GP503": "forward-not-repeatable",
    "GP504": "layout-dependent",
    "GP505": "float32-lost",
    "GP506": "backward-before-forward",
    "GP507": "gradient-dtype",
    "GP508": "stale-cache",
    "GP509": "dout-not-linear",
    "GP510": "backward-changes-dout",
    "GP511": "backward-changes-input",
    "GP512": "backward-changes-params",
    "GP513": "accumulates",
    "GP514": "backward-not-repeatable",
    "GP515": "backward-only-once",
    "GP516": "shared-memory",
    "GP517": "buffer-reused",
    "GP518": "grads-rebound",
    "GP519": "params-rebound",
    "GP520": "update-not-reaching",
    "GP521": "net-lists",
    "GP522": "unknown-code",
    "GP601": "division-by-one",
    "GP602": "compared-not-assigned",
    "GP603": "return-in-loop",
    "GP604": "result-dropped",
    "GP605": "sign-after-equals",
    "GP606": "never-stored",
    "GP701": "gradient-assigned",
    "GP702": "one-node-twice",
    "GP703": "wrong-order",
}


def closest(word: str) -> str:
    """The remedy for a code that does not exist: the code that was meant, by its number or by its short name."""
    names = {name: code for code, name in CODES.items()} | {code: code for code in CODES}
    by_case = {name.upper(): name for name in names}
    found = difflib.get_close_matches(word.upper(), by_case, n=1)
    if not found:
        return "gradproof explain lists the codes"
    code = names[by_case[found[0]]]
    return f"did you mean {code} ({CODES[code]})?"
