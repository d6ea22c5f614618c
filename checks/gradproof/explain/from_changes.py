"""What a change of the source tells: the small one after which the gradients are right."""

from __future__ import annotations

import functools
from dataclasses import replace

from gradproof.convention.convention import convention_of
from gradproof.explain.failing import Failing
from gradproof.explain.target import Target
from gradproof.mend.choosing import asks_twice, effort, in_reserve, of_any_shape, of_forward, worth_trying
from gradproof.mend.mend import search
from gradproof.mend.suggested_changes import mended
from gradproof.mend.targets import trees_of
from gradproof.source.hints import code_of, place_of


def explain(failing: Failing, target: Target) -> Failing:
    """Each finding with the change that makes its gradient right, where there is one.

    It is looked for in the functions of the whole, or in those of the part that is wrong by itself.
    """
    wrong, twice = failing.wrong, asks_twice(failing.findings)
    chosen = worth_trying(failing.outcomes, wrong, twice=twice)
    if not chosen:
        return failing
    part = failing.part
    code = target.code if part is None else code_of(part, convention=convention_of(part))
    found = search(
        trees_of(code),
        chosen,
        in_reserve(failing.outcomes, wrong, chosen),
        target.fresh(chosen[0].example),
        target.build,
        functools.partial(place_of, code, outcomes=chosen),
        most=effort(failing.findings),
        lines=[] if failing.located is None else failing.located.lines,
        sides=of_forward(failing.findings),
        twice=twice,
        any_shape=of_any_shape(failing.outcomes, wrong),
    )
    findings = mended(failing.findings, found)
    return replace(failing, findings=findings, forwards=failing.forwards + found.forwards)
