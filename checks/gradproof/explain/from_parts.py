"""What a composite tells: the part that is wrong by itself, or the place where the chain breaks."""

from __future__ import annotations

from dataclasses import replace

from gradproof.codes import CODES
from gradproof.diagnose.asking import worth_asking
from gradproof.diagnose.diagnose import linked
from gradproof.explain.failing import Failing
from gradproof.explain.target import Target


def explain(failing: Failing, target: Target) -> Failing:
    """One finding more for a composite, in the place of those that are explained by its lists."""
    tensors = failing.wrong
    chosen = worth_asking(failing.outcomes, tensors[0]) if tensors else []
    link = target.weak_link(chosen[0].example) if chosen else None
    if link is None:
        return failing
    rest = [finding for finding in failing.findings if not CODES[finding.code].explains]  # by its lists, not its chain
    if len(rest) < len(failing.findings) and not link.proven:
        return failing
    found = linked(failing.subject, link, chosen[0], failing.reproduce)
    return replace(failing, findings=[*rest, found], part=link.part, forwards=failing.forwards + link.forwards)
