"""Examples of which nothing was judged, at which a change that mends the others is confirmed; it knows no change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gradproof.diagnose.evidence import Sample
from gradproof.mend.budget import Budget, counted
from gradproof.mend.trial import Trial, begun
from gradproof.subject.subject import Subject
from gradproof.values import Example, Outcome


def fresh_trial(
    example: Example,
    subject: Subject,
    *,
    budget: Budget,
    twice: bool = False,
    any_shape: frozenset[str] = frozenset(),
) -> Trial | None:
    """An example of which nothing is known; None where forward gives nothing that can be compared."""
    wanted = example.wanted
    subject.wanted = wanted
    made = begun(Outcome(example), subject, wanted)
    if made is None:
        return None
    values = {**{name: made.arguments()[name] for name in wanted}, **subject.parameters()}
    no, where = np.zeros(0), np.zeros(0, dtype=np.intp)
    samples = {name: Sample(made.outcome, value.shape, where, no, no, no) for name, value in values.items()}
    made = replace(made, samples=samples, any_shape=any_shape, budget=budget, twice=twice)
    with counted() as lines:
        made.claims()
    made.costs = made.costs[0], 1 + lines.runs / (1 + twice)
    return made
