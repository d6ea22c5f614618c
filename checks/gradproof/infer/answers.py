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
    answers = list(filter(_is_answer, names))
    beside = [name for name in names if name not in answers]
    if len(answers) != 1 or not beside:
        return None
    is_compared = _is_predicted(beside[0]) or (loss and _may_be_predicted(beside[0]))
    return answers[0] if is_compared else None


def _may_be_predicted(name: str) -> bool:
    """Whether the name of an argument of a loss, beside a bare y, may be that of what is compared."""
    return _PERHAPS.fullmatch(_plain(name)) is not None


def _is_answer(name: str) -> bool:
    """Whether the name says that it is what something is compared with."""
    return _ANSWER.fullmatch(_plain(name)) is not None and not _is_predicted(name)


def _is_predicted(name: str) -> bool:
    """Whether the name says that it is what is compared."""
    return _PREDICTED.fullmatch(_plain(name)) is not None


def _plain(name: str) -> str:
    return name.lower().strip("_")
