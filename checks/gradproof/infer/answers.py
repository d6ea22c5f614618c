"""Which argument of a loss is the answer that it compares with, in either order, by the names; it knows no shapes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gradproof.infer.roles import Role, role_of

# What is compared, by a name that says so; by one that says so only beside a bare y.
_PREDICTED = re.compile(
    r"(\w+_)?(pred|preds|predicted|predictions?|hat|probs?|logits?|scores?|outputs?|out)|\w*hat|\w+pred"
)
_PERHAPS = re.compile(r"[apzxhos]|yp|inputs?|\w+_\w+|net|activations?|hypothesis|estimates?")
_ANSWER = re.compile(r"[ydt]|ys|ts|desired|reference|ref|real|observed|correct")


def answer_of(names: Sequence[str], *, loss: bool) -> str | None:
    """The argument that has no gradient, of those that forward takes; None where no name tells.

    loss: whether the subject is a loss by its own name: then a bare ``y`` beside another name is the answer.
    """
    plain = {name: name.lower().strip("_") for name in names}
    told = [name for name in names if role_of(name, constructor=False) is Role.TARGET]
    predicted = [name for name, word in plain.items() if _PREDICTED.fullmatch(word)]
    if len(told) == 1:
        return told[0]
    candidates = [name for name, word in plain.items() if _ANSWER.fullmatch(word) and name not in predicted]
    if len(candidates) != 1:
        return None
    beside = [name for name in names if name != candidates[0]]
    is_beside_prediction = bool(beside) and beside[0] in predicted
    is_beside_other = loss and bool(beside) and _PERHAPS.fullmatch(plain[beside[0]]) is not None
    return candidates[0] if is_beside_prediction or is_beside_other else None
