"""Draws the examples of a case, judges each, and shrinks a failing one; it knows no layers.

The only file that imports Hypothesis: for arguments that are strategies, to draw, to steer and to shrink their values.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException, Unsatisfiable

from gradproof.case import Case
from gradproof.errors import UsageError
from gradproof.examples import Plan, assemble, build, specs_of, styled
from gradproof.simplify import Attempts, simplify
from gradproof.sizes import Chosen, corners
from gradproof.specs import Drawn
from gradproof.values import Example, Outcome

_BUDGET = 150  # judged examples in one shrinking: beyond that, a second of the user's time buys no smaller example
_STRATEGY_BUDGET = 50  # of these, for values that come from strategies
_STAR_SIZE = 4  # the largest size of an axis behind a star
_SEEDS = 2**31  # how many seeds there are for the values of an example
_VISIBLE = 1e-8  # relative; smaller disagreements are the round-off of a central difference, and not worth climbing

Judge = Callable[[Example], Outcome]
Item = TypeVar("Item")


def search(
    case: Case,
    judge: Judge,
    *,
    examples: int,
    seed: int,
    stop: Callable[[], bool] | None = None,
    into: list[Outcome] | None = None,
) -> list[Outcome]:
    """Judge the corner shapes, then ``examples`` random ones, then an empty batch; a failure does not end the search.

    Equal arguments give equal examples, whatever else is imported (where no argument is a strategy). Outcomes are
    appended to ``into`` as they come, so that a caller keeps them when an exception (Ctrl-C) leaves ``judge``; ``stop``
    is asked before each example.
    """
    outcomes: list[Outcome] = [] if into is None else into
    strategies = _strategies(case)
    shapes = corners(case.space)
    drawn = _draw_values(strategies, len(shapes), seed)
    corner = [build(case, _corner_plan(case, dims, seed, i), drawn[i]) for i, dims in enumerate(shapes)]
    rng = np.random.default_rng(seed)

    def examine(example: Example) -> Outcome:
        if stop is not None and stop():
            raise _EndError
        outcomes.append(judge(example))
        return outcomes[-1]

    def examine_drawn(data: st.DataObject) -> None:
        outcome = examine(build(case, _random_plan(case, rng), _draw_each(strategies, data)))
        disagreement = _disagreement(outcome)
        if disagreement > _VISIBLE:
            hypothesis.target(disagreement, label="disagreement")

    with contextlib.suppress(_EndError):
        for example in (e for e in corner if not _is_empty(e)):
            examine(example)
        if strategies:
            _run(examine_drawn, examples=examples, seed=seed, phases=(Phase.generate, Phase.target))
        else:
            for _ in range(examples):
                examine(build(case, _random_plan(case, rng), {}))
        for example in (e for e in corner if _is_empty(e)):
            examine(example)
    return outcomes


def shrink(
    case: Case,
    judge: Judge,
    fails: Callable[[Outcome], bool],
    *,
    seed: int,
    examples: int,
    start: Example | None = None,
) -> Outcome | None:
    """The outcome of the smallest example found for which ``fails`` holds: smallest dims first, then roundest values.

    Begins at ``start``, or else at the first failing example of a search. None where nothing fails, or where ``start``
    does not fail again. At most 150 examples are judged beside that search.
    """
    if start is None:
        outcomes: list[Outcome] = []
        search(case, judge, examples=examples, seed=seed, stop=lambda: any(map(fails, outcomes[-1:])), into=outcomes)
        start = next((outcome.example for outcome in outcomes if fails(outcome)), None)
        if start is None:
            return None
    attempts = Attempts(judge, fails, _BUDGET)
    strategies = _strategies(case)
    if strategies:
        start = _simpler_drawn(case, Attempts(judge, fails, _STRATEGY_BUDGET), start, seed)
        attempts.budget -= _STRATEGY_BUDGET
    return simplify(case, attempts, start)


def _simpler_drawn(case: Case, attempts: Attempts, start: Example, seed: int) -> Example:
    """``start`` with the simplest values of its strategies, by Hypothesis' own shrinking, that still fail."""
    strategies = _strategies(case)
    values = {**start.init, **start.inputs}

    def try_values(data: st.DataObject) -> None:
        drawn = _draw_each(strategies, data)
        if attempts.fails_on(assemble(case, dict(start.dims), {**values, **drawn}, start.seed)):
            raise _StillFailsError

    # Past the budget nothing fails any more, which Hypothesis calls flaky; the last failure kept is the simplest.
    with contextlib.suppress(_StillFailsError, HypothesisException):
        _run(try_values, examples=_STRATEGY_BUDGET, seed=seed, phases=(Phase.generate, Phase.shrink))
    return start if attempts.best is None else attempts.best.example


class _StillFailsError(Exception):
    """Tells Hypothesis that a value is still a failing one."""


class _EndError(Exception):
    """Tells Hypothesis that the run is over."""


def _run(body: Callable[[st.DataObject], None], *, examples: int, seed: int, phases: Sequence[Phase]) -> None:
    """Run ``body`` on data that Hypothesis draws: quiet, without a database, deterministic, whatever profile is loaded.

    The first exception of ``body`` ends the run at once and leaves it as it is; ``_EndError`` only ends it.
    """
    raised: list[BaseException] = []

    def guarded(data: st.DataObject) -> None:
        if raised:  # Hypothesis replays the example that ended the run; the user's code must not run again
            raise _EndError
        try:
            body(data)
        except (HypothesisException, _StillFailsError):
            raise
        except (Exception, KeyboardInterrupt, SystemExit) as error:
            raised.append(error)
            raise _EndError from None

    test = hypothesis.seed(seed)(_settings(examples, phases)(hypothesis.given(st.data())(guarded)))
    try:
        test()
    except (_EndError, HypothesisException):
        if not raised:
            raise
    if raised and not isinstance(raised[0], _EndError):
        raise raised[0]


def _settings(examples: int, phases: Sequence[Phase]) -> hypothesis.settings:
    """Every setting that could differ between profiles, said explicitly."""
    fixed: dict[str, Any] = {
        "database": None,
        "deadline": None,
        "derandomize": False,
        "print_blob": False,
        "report_multiple_bugs": False,
        "suppress_health_check": tuple(HealthCheck),
        "verbosity": Verbosity.quiet,
    }
    if hasattr(hypothesis.settings(), "backend"):  # newer than the oldest Hypothesis that is supported
        fixed["backend"] = "hypothesis"
    return hypothesis.settings(max_examples=examples, phases=phases, **fixed)


def _strategies(case: Case) -> dict[str, Any]:
    return {name: spec.strategy for name, spec in specs_of(case).items() if isinstance(spec, Drawn)}


def _draw_values(strategies: dict[str, Any], count: int, seed: int) -> list[dict[str, Any]]:
    """``count`` drawings of every strategy; those of a strategy with few values repeat."""
    found: list[dict[str, Any]] = []
    if not strategies:
        return [{} for _ in range(count)]
    with contextlib.suppress(Unsatisfiable):
        _run(
            lambda data: found.append(_draw_each(strategies, data)), examples=count, seed=seed, phases=(Phase.generate,)
        )
    if not found:
        raise UsageError(f"no value can be drawn from {strategies!r}: give a strategy that has values")
    return [found[position % len(found)] for position in range(count)]


def _draw_each(strategies: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    return {name: data.draw(strategy) for name, strategy in strategies.items()}


def _random_plan(case: Case, rng: np.random.Generator) -> Plan:
    """Dims, styles and the seed of the values.

    Drawn without Hypothesis, which has nothing to add here: it takes 4 ms an example, repeats about a third of the
    choices, and mixes in constants of whatever local modules are imported, so that a seed would mean one example under
    pytest and another on the command line.
    """
    chosen: dict[str, int] = {}
    for name in case.space.order:
        chosen[name] = _pick([v for v in case.space.listed(name) if case.space.possible({**chosen, name: v})], rng)
    stars: Chosen = {}
    for name, (least, most) in case.space.axes.items():
        stars[name] = tuple(int(size) for size in rng.integers(1, _STAR_SIZE + 1, rng.integers(least, most + 1)))
    styles = {name: _pick(allowed, rng) for name, allowed in styled(case).items()}
    return Plan({**chosen, **stars}, styles, int(rng.integers(_SEEDS)))


def _pick(options: Sequence[Item], rng: np.random.Generator) -> Item:
    return options[int(rng.integers(len(options)))]


def _corner_plan(case: Case, dims: Chosen, seed: int, position: int) -> Plan:
    """Corner shapes take their styles in turn: generic values first, where a wrong shape or sum shows best."""
    rng = np.random.default_rng([seed, position])
    styles = {name: allowed[(position + 1) % min(3, len(allowed))] for name, allowed in styled(case).items()}
    return Plan(dims, styles, int(rng.integers(_SEEDS)))


def _is_empty(example: Example) -> bool:
    return any(value == 0 or (isinstance(value, tuple) and 0 in value) for value in example.dims.values())


def _disagreement(outcome: Outcome) -> float:
    """The largest finite distance between claim and truth (relative): what the search climbs."""
    return max((t.resolution for t in outcome.tensors if math.isfinite(t.resolution)), default=0.0)
