"""The codes of findings and their short names, in one table; it knows nothing of how any of them is found.

A code is stable: it is never used again for something else. GP1: a gradient that is wrong, with its cause. GP2: the
form of what came back. GP3: an exception. GP4: numbers that depend on the dtype. GP5: a promise of a layer that is
broken. GP6: what the source shows, which is a note unless a measured fault goes with it.
"""

from __future__ import annotations

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
    "GP401": "dtype-disagreement",
}
