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
    targets = [name for name in names if role_of(name, constructor=False) is Role.TARGET]
    if len(targets) == 1:
        return targets[0]
    answers = [name for name in names if _ANSWER.fullmatch(_plain(name)) and not _is_predicted(name)]
    if len(answers) != 1:
        return None
    (answer,) = answers
    beside = next((name for name in names if name != answer), None)
    if beside is None:
        return None
    may_be_predicted = loss and _PERHAPS.fullmatch(_plain(beside)) is not None
    return answer if _is_predicted(beside) or may_be_predicted else None


def _is_predicted(name: str) -> bool:
    """Whether the name says that it is what is compared."""
    return _PREDICTED.fullmatch(_plain(name)) is not None


def _plain(name: str) -> str:
    return name.lower().strip("_")
