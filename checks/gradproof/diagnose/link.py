"""What was found inside a composite, as the search for a weak link returns it; it knows no rule."""

from __future__ import annotations

from dataclasses import dataclass

from gradproof.findings import Cause


@dataclass(frozen=True)
class Link:
    """What is wrong inside a composite, and the forwards that it took to find it.

    ``part`` is the class of the part that is wrong by itself; None where it is the chaining. ``proven``: with what is
    missing in its place, every gradient was right.
    """

    cause: Cause
    forwards: int
    part: type | None = None
    proven: bool = False
