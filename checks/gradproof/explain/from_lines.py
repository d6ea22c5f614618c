"""What backward's own values tell: up to which line they are right."""

from __future__ import annotations

from dataclasses import replace

from gradproof.adjoint.agreement import agreed, worth_locating
from gradproof.adjoint.locate import locate
from gradproof.explain.failing import Failing
from gradproof.explain.target import Target


def find(failing: Failing, target: Target) -> Failing:
    """The last line that is right and the first that is not, for each gradient that is wrong."""
    if not worth_locating([*failing.findings, *failing.broken]):
        return failing
    located = locate(target.code, target.build, failing.outcomes, failing.part)
    return replace(failing, located=located, forwards=failing.forwards + located.forwards)


def explain(failing: Failing, _: Target) -> Failing:
    """Each finding with its lines, where no change says another thing."""
    found = failing.located
    return failing if found is None else replace(failing, findings=agreed(failing.findings, found))
