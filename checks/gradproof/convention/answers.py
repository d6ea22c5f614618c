"""Whether backward is given what a loss compares with, and no upstream gradient: its loss is then written nowhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from gradproof.convention.calling import Plan, arguments
from gradproof.convention.statement_roles import compares

# names that say so by themselves, and those that may be an upstream gradient as well
_PLAIN = re.compile(
    r"(\w+_)?(true|targets?|labels?|truth|actual|expected|answers?)(_\w+)?|(y|t)_?(true|train|batch)", re.IGNORECASE
)
_SHORT = re.compile(r"[yt]", re.IGNORECASE)

_ANSWERED = (
    "backward is given {0}, not the gradient of forward's output, and the loss between them is not written. Check a {1}"
)
_METHOD = (
    "subclass whose {1} takes {0} as well, keeps it and returns the loss, and whose backward(self, dout=1) hands {0} on"
)
_FUNCTION = "{1} that takes {0} as well and returns the loss, with {0} in its cache"


def refusal(plan: Plan, backward: Callable[..., Any], forward: str, *, is_method: bool = True) -> str | None:
    """Which argument of backward nothing says what it is given, and what to do; None where all are known.

    What a loss compares with is no upstream gradient: then the loss stands elsewhere. forward: its name.
    """
    answer = _answer_for_dout(backward, [name for name, source in plan.sources if source == "dout"])
    if answer is None:
        return plan.refusal
    remedy = (_METHOD if is_method else _FUNCTION).format(answer, forward)
    return _ANSWERED.format(answer, remedy)


def answer_of_backward(backward: Callable[..., Any]) -> str | None:
    """The one argument of a backward that is what a loss compares with; None where there is none, or several."""
    needed = [name for name, is_required in arguments(backward) if is_required]
    found = [name for name in needed if _is_answer(backward, name)]
    return found[0] if len(found) == 1 else None


def _answer_for_dout(backward: Callable[..., Any], douts: Sequence[str]) -> str | None:
    """The one argument in the place of an upstream gradient that is what a loss compares with; None where it is none.

    douts: the names of the arguments that would be given upstream gradients.
    """
    named = [name for name in douts if name]
    if len(named) != 1:
        return None
    return named[0] if _is_answer(backward, named[0]) else None


def _is_answer(backward: Callable[..., Any], name: str) -> bool:
    """Whether it is one by its name; ``dz_or_y_true`` is an upstream gradient as well, where nothing else is given."""
    if "_or_" in name.lower():
        return all(_is_answer(backward, part) for part in re.split("_or_", name, flags=re.IGNORECASE))
    is_short = _SHORT.fullmatch(name) is not None and compares(backward, name)
    return is_short or _PLAIN.fullmatch(name) is not None
