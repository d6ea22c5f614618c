"""How one kind of cause is told; it knows none of them."""

from __future__ import annotations

from dataclasses import dataclass

from gradproof.report.facts import Template


@dataclass(frozen=True)
class Row:
    """What shows a cause, behind ``label``; the cause; what to do; what is wrong, where that is more than a gradient.

    A template holds the names of parameters and of numbers measured; ``{tensor}`` is the tensor whose gradient it is
    about.
    """

    evidence: Template = ""
    likely: Template = ""
    advice: Template = ""
    label: str = "everywhere"
    headline: Template = ""
