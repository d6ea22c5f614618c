"""Layers as two functions of one array, asked for their cause as a search asks them; they hold no test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from elementwise import normal, problem
from gradproof.compare.dependence import dependence
from gradproof.compare.examine import examine
from gradproof.diagnose.diagnose import diagnose
from gradproof.differentiate.problem import Problem
from gradproof.report.lines import lines
from gradproof.values import Example, Outcome, Verdict

Forward = Callable[[Any], Any]
Backward = Callable[[Any, Any], Any]
SHAPES = ((2, 3), (3, 4), (4, 2), (3, 3))


def problem_of(forward: Forward, backward: Backward, x: Any, dout: Any) -> Problem:
    return replace(
        problem(forward, lambda d, value: [backward(d, value)], x, dout=dout), shapes=(np.shape(forward(x)),)
    )


def outcome(forward: Forward, backward: Backward, shape: tuple[int, ...], seed: int) -> Outcome:
    """The layer at one random input, asked output by output."""
    x = normal(*shape, seed=seed)
    subject = problem_of(forward, backward, x, normal(*np.shape(forward(x)), seed=seed + 50))

    def again(given: Any, dout: Any) -> Problem:
        return problem_of(forward, backward, given["x0"], np.reshape(dout, subject.shapes[0]))

    rng = np.random.default_rng(seed)
    asked = dependence(subject, again, rng, takes_dout=True, names=["x0"])
    dims = dict(zip("nde", shape, strict=False))
    return Outcome(Example(dims, {}, {"x0": x}, seed), examine(subject, rng), dependence=asked)


def cause(forward: Forward, backward: Backward, shapes: Any = SHAPES) -> tuple[str, str]:
    """The code and the likely cause of the finding about x0; "" and "" where nothing is wrong with it."""
    outcomes = [outcome(forward, backward, shape, seed) for seed, shape in enumerate(shapes)]
    failing = [o for o in outcomes if any(t.verdict is Verdict.FAIL for t in o.tensors)]
    if not failing:
        return "", ""
    finding = diagnose("Layer", failing[0], outcomes, "", "x0")
    return finding.code, dict(lines(finding)).get("likely cause", "")
