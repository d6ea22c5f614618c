"""A cause, as the rules return it; it knows no rule."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """What a rule found: its code, the evidence as (label, text) lines and, if they can be said, cause and advice."""

    code: str
    lines: tuple[tuple[str, str], ...]
    likely: str | None = None
    advice: str | None = None
