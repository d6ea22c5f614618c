"""A few examples with dims of all kinds and ordinary values, which tell gradients apart; it judges none."""

from __future__ import annotations

from dataclasses import replace

from gradproof.case.case import Case
from gradproof.generate.arrays import Style
from gradproof.generate.examples import build, corner_plans, strategies_of, styled
from gradproof.generate.generate import search
from gradproof.values import Example, Outcome

EXAMPLES = 5
_SEEDS = 100_000  # between the seeds of examples that have the same dims


def examples_of(case: Case, seed: int) -> list[Example]:
    """A few examples with dims of all kinds and ordinary values, at which a gradient is told from another."""
    if strategies_of(case):
        outcomes: list[Outcome] = []
        search(case, Outcome, examples=EXAMPLES, seed=seed, stop=lambda: len(outcomes) >= 2 * EXAMPLES, into=outcomes)
        found = [outcome.example for outcome in outcomes]
    else:
        styles = dict.fromkeys(styled(case), Style.NORMAL)
        plans = [plan for plan in corner_plans(case, seed) if not plan.is_empty]
        again = [replace(plan, seed=plan.seed + _SEEDS) for plan in plans]
        found = [build(case, replace(plan, styles=styles), {}) for plan in [*plans, *again]]
    return [example for example in found if not _is_empty(example)][:EXAMPLES]


def _is_empty(example: Example) -> bool:
    return any(value == 0 or (isinstance(value, tuple) and 0 in value) for value in example.dims.values())
