"""What a promise of a layer is: how it is tried, its place among the others, its codes; it knows none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from gradproof.contract.session import Scene
from gradproof.values import Defect

Names = Mapping[str, tuple[str, ...]]


def _none() -> Names:
    return {}


@dataclass(frozen=True)
class Promise:
    """``broken`` tries it at one example, and gives what breaks it.

    ``place``: promises are tried from the lowest to the highest, and of two that say the same of one tensor the first
    is told; no two share one. ``codes``: those that it may give, each with what a teacher would accept as the cause of
    a wrong gradient that comes of it, () where none does; ``kinds``: the same, for defects of a kind of their own.
    """

    broken: Callable[[Scene], Iterator[Defect]]
    place: int
    codes: Names
    kinds: Names = field(default_factory=_none)
