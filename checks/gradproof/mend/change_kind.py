"""What a kind of change is: a function that makes changes of a function, with its place in the order; it knows none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gradproof.mend.change import Change
from gradproof.mend.tree import Tree

Changes = Callable[[Tree], Iterable[Change]]


@dataclass(frozen=True)
class ChangeKind:
    """``changes`` gives every change of this kind that could be made in a function.

    ``place``: kinds are tried from the lowest to the highest, the likeliest slips first; no two share one. From 1000
    on: of what backward alone runs. 2000: the same, where those mend nothing. 3000: of forward, where no change of
    backward helps; whether backward is then the derivative has to be measured anew. 4000 and 5000: of what forward
    keeps for backward, where the output must stay as it is; 4000: what is sure, and few, before all else.
    ``is_typo``: in forward, it looks like no derivative that is left out in backward. Where something is known, that
    would be the likelier slip.
    """

    changes: Changes
    place: int
    is_typo: bool = False
