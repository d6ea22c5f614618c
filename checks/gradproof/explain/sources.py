"""The sources of explanations in their order, and what comes of them together; none of them knows another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from gradproof.explain import from_changes, from_lines, from_numbers, from_parts, promises
from gradproof.explain.failing import Failing
from gradproof.explain.ranking import told_once
from gradproof.explain.target import Target
from gradproof.source.hints import pointed


@dataclass(frozen=True)
class Explainer:
    """One source. calls: whether it calls the subject, so that it has nothing to say where the time is over."""

    explain: Callable[[Failing, Target], Failing]
    calls: bool = True


SOURCES = (
    Explainer(from_numbers.explain, calls=False),  # what was seen is named by the rules in any case
    Explainer(promises.explain, calls=False),
    Explainer(from_parts.explain),
    Explainer(from_lines.find),
    Explainer(from_changes.explain),  # on these lines first
    Explainer(from_lines.explain, calls=False),
)


def explained(failing: Failing, target: Target) -> Failing:
    """Every source in turn; then each cause once, in the order in which they are told, with its lines of source."""
    for source in SOURCES:
        if failing.may_call or not source.calls:
            failing = source.explain(failing, target)
    found = pointed(told_once(failing.findings), target.code, failing.outcomes)
    return replace(failing, findings=found)
