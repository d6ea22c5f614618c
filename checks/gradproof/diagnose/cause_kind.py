"""What a kind of cause, or of fact, is called and how it is told, as its rule declares it; it fills no template.

The words stand beside the rule that knows what they are about; sentences are made of them in the report alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gradproof.findings import Cause, Confidence, Fact, Parameters, Support

Words = Mapping[str, Any]  # parameters as they are written, the tensor's name, and under "raw" as they are
Template = str | Callable[[Words], str]
TeacherNames = tuple[str, ...] | Callable[[Parameters], tuple[str, ...]]

NOTHING: Parameters = {}


@dataclass(frozen=True)
class CauseKind:
    """One kind of cause, under its code and its name.

    ``evidence`` is what shows it, behind ``label``; ``likely`` the cause; ``advice`` what to do; ``headline`` what is
    wrong, where that is more than a gradient. A template holds the names of parameters and of numbers measured, and
    ``{tensor}`` for the tensor whose gradient it is about. ``teacher_names``: what a teacher would accept as its name;
    a function of the parameters where it hangs on them, () where nothing is claimed.
    """

    code: str
    name: str
    evidence: Template = ""
    likely: Template = ""
    advice: Template = ""
    label: str = "everywhere"
    headline: Template = ""
    teacher_names: TeacherNames = ()

    def cause(
        self,
        parameters: Parameters = NOTHING,
        evidence: Parameters = NOTHING,
        support: Support | None = None,
        confidence: Confidence = Confidence.NAMED,
    ) -> Cause:
        """A cause of this kind."""
        return Cause(self.code, self.name, parameters, evidence, support, confidence)

    def names(self, parameters: Parameters) -> tuple[str, ...]:
        """What a teacher would call a cause of this kind."""
        return self.teacher_names(parameters) if callable(self.teacher_names) else self.teacher_names


@dataclass(frozen=True)
class FactKind:
    """One kind of fact that a cause may be about, where a name or a number does not say it.

    ``words`` stand within a sentence of the cause; ``advice`` is what to do about it, ``teacher_names`` what a teacher
    would call it, where the cause is but the sum of such facts.
    """

    name: str
    words: Template
    advice: Template = ""
    teacher_names: tuple[str, ...] = ()

    def fact(self, parameters: Parameters = NOTHING) -> Fact:
        """A fact of this kind."""
        return Fact(self.name, parameters)
