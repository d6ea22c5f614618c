"""A cause, as the rules return it; it knows no rule."""

from __future__ import annotations

from dataclasses import dataclass

# the headline of a composite whose parts are right, of which one is given a wrong dout or none
BROKEN = "the parts are right, their chaining is wrong"


@dataclass(frozen=True)
class Cause:
    """What a rule found: its code, the evidence as (label, text) lines and, if they can be said, cause and advice.

    ``vague``: it says where or how far the gradient is wrong, rather than by which slip.
    """

    code: str
    lines: tuple[tuple[str, str], ...]
    likely: str | None = None
    advice: str | None = None
    vague: bool = False


@dataclass(frozen=True)
class Link:
    """What is wrong inside a composite: what to call it, its cause, and the forwards that it took to find it.

    ``part`` is the class of the part that is wrong by itself; None where it is the chaining. ``proven``: with what is
    missing in its place, every gradient was right.
    """

    headline: str
    cause: Cause
    forwards: int
    part: type | None = None
    proven: bool = False
