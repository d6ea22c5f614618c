"""Draws the examples of a case, judges each, and shrinks a failing one; it knows no layers.

The only file that imports Hypothesis, which draws, steers and shrinks: the dims first, then the values.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException, Unsatisfiable

from gradproof.case.case import Case
from gradproof.case.sizes import Chosen
from gradproof.errors import UsageError
from gradproof.generate.examples import Plan, build, corner_plans, strategies_of, styled
from gradproof.generate.simplify import Attempts, resized, simplify_values, with_own, with_values
from gradproof.values import Example, Outcome, Verdict

_BUDGET = 150  # judged examples in one shrinking: beyond that, a second of the user's time buys no smaller example
_FOR_VALUES = 60  # of these, kept for values when the dims are shrunk
_FOR_ARRAYS = 20  # of those, kept for arrays when the values of strategies are shrunk
_STAR_SIZES = range(1, 5)  # of an axis behind a star
_SEEDS = range(100)  # of the values in one search: Hypothesis mixes constants of the user's modules into wider integers
_LIKELY = 16  # to one: how likely the largest size that is allowed is drawn, where a failing example is made smaller

Judge = Callable[[Example], Outcome]
Draw = Callable[[st.SearchStrategy[Any]], Any]
T = TypeVar("T")


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

    Equal arguments give equal examples with one version of Hypothesis, whatever else is imported (where no argument is
    a strategy). Outcomes are appended to ``into`` as they come, so that a caller keeps them when an exception (Ctrl-C)
    leaves ``judge``; ``stop`` is asked before each example. Raises UsageError where a strategy has no values.
    """
    outcomes: list[Outcome] = [] if into is None else into
    begun = len(outcomes)
    fixed = {i + examples * plan.is_empty: plan for i, plan in enumerate(corner_plans(case, seed))}
    seen: set[str] = set()

    def examine(drawn: tuple[Plan, dict[str, Any]]) -> None:
        if stop is not None and stop():
            raise _EndError
        if repr(drawn) in seen:
            hypothesis.reject()
        seen.add(repr(drawn))
        # a corner shape stands in for the plan that was drawn; the values of strategies are as drawn
        position = len(outcomes) - begun
        outcomes.append(judge(build(case, fixed.get(position, drawn[0]), drawn[1])))
        if position not in fixed and (disagreement := _disagreement(outcomes[-1])) > 0:
            hypothesis.target(disagreement, label="disagreement")

    try:
        _run(examine, _plans(case, seed), len(fixed) + examples, seed, (Phase.generate, Phase.target))
    except Unsatisfiable:
        raise UsageError(f"no value can be drawn from {strategies_of(case)!r}: give one that has values") from None
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
    outcome = judge(start)
    if not fails(outcome):
        return None
    attempts = Attempts(judge, fails, _BUDGET - 1, best=outcome)
    with_own(attempts)
    _shrink_dims(case, attempts, seed)
    if strategies_of(case):
        _shrink_drawn(case, attempts, seed)
    simplify_values(case, attempts)
    return attempts.best


def _shrink_dims(case: Case, attempts: Attempts, seed: int) -> None:
    """Let Hypothesis choose ever smaller dims; again from what it found, for then other entries are left to cut."""
    before: dict[str, Any] = {}
    while before != attempts.best.example.dims:
        before = dict(attempts.best.example.dims)
        _shrink(_dims_trial(case, attempts, before), _dims_up_to(case, before), seed)


def _dims_trial(case: Case, attempts: Attempts, start: Chosen) -> Callable[[Chosen], None]:
    """A body that raises for dims at which the best example still fails, and judges each choice once."""
    failed = {repr(start): True}

    def try_dims(dims: Chosen) -> None:
        if repr(dims) not in failed:
            _spend(attempts, _FOR_VALUES)
            # an empty batch stays empty, for then the emptiness is the point
            possible = all(size.resolve(dims) >= min(1, size.resolve(start)) for size in case.space.sizes)
            failed[repr(dims)] = possible and any(map(attempts.fails_on, resized(case, attempts.best.example, dims)))
        if failed[repr(dims)]:
            raise _StillFailsError

    return try_dims


def _shrink_drawn(case: Case, attempts: Attempts, seed: int) -> None:
    """Let Hypothesis choose ever simpler values of the strategies."""

    def try_values(drawn: dict[str, Any]) -> None:
        _spend(attempts, _FOR_ARRAYS)
        if attempts.fails_on(with_values(case, attempts.best.example, drawn)):
            raise _StillFailsError

    _shrink(try_values, st.fixed_dictionaries(strategies_of(case)), seed)


def _spend(attempts: Attempts, kept: int) -> None:
    if attempts.budget <= kept:
        raise _EndError


class _StillFailsError(Exception):
    """Tells Hypothesis that what it drew still fails."""


class _EndError(BaseException):
    """Ends a run at once: Hypothesis lets through what is no Exception, as it does Ctrl-C."""


def _shrink(body: Callable[[T], None], strategy: st.SearchStrategy[T], seed: int) -> None:
    """Run ``body``, which keeps what it finds, until Hypothesis finds nothing simpler for which it raises."""
    # a judge that contradicts itself is what Hypothesis calls flaky
    with contextlib.suppress(_StillFailsError, HypothesisException):
        _run(body, strategy, _BUDGET, seed, (Phase.generate, Phase.shrink))


def _run(
    body: Callable[[T], None], strategy: st.SearchStrategy[T], examples: int, seed: int, phases: Sequence[Phase]
) -> None:
    """Run ``body`` on what Hypothesis draws: quiet, without a database, deterministic, whatever profile is loaded.

    An exception of the user's code in ``body`` ends the run at once and comes out as it is; ``_EndError`` only ends it.
    """
    raised: list[BaseException] = []

    def guarded(drawn: T) -> None:
        try:
            body(drawn)
        except (HypothesisException, _StillFailsError):
            raise
        except (Exception, SystemExit) as error:
            raised.append(error)
            raise _EndError from None

    test = hypothesis.seed(seed)(_settings(examples, phases)(hypothesis.given(strategy)(guarded)))
    with contextlib.suppress(_EndError):
        test()
    if raised:
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
    if hasattr(hypothesis.settings(), "backend"):  # the oldest Hypothesis that is supported has none
        fixed["backend"] = "hypothesis"
    return hypothesis.settings(max_examples=examples, phases=phases, **fixed)


@st.composite
def _plans(draw: Draw, case: Case, seed: int) -> tuple[Plan, dict[str, Any]]:
    """Dims, styles and the seed of the values, and the values of the strategies; the simplest of each first."""
    plain: dict[str, int] = {}
    for name in case.space.order:
        possible = (v for v in case.space.listed(name) if case.space.possible({**plain, name: v}))
        plain[name] = draw(_one_of(tuple(possible)))
    dims: Chosen = {**plain}
    for name, (least, most) in case.space.axes.items():
        axes = draw(_one_of(range(least, most + 1)))
        dims[name] = tuple(draw(_one_of(_STAR_SIZES)) for _ in range(axes))
    styles = {name: draw(_one_of(allowed)) for name, allowed in styled(case).items()}
    drawn = {name: draw(strategy) for name, strategy in strategies_of(case).items()}
    return Plan(dims, styles, len(_SEEDS) * seed + draw(_one_of(_SEEDS))), drawn


@st.composite
def _dims_up_to(draw: Draw, case: Case, most: Chosen) -> Chosen:
    """Dims of which none is larger than in ``most``, and most of which are as there; what is empty stays so."""

    def up_to(least: int, value: int) -> int:
        count = value - least + 1
        return value if count <= 1 else least + min(count - 1, draw(_one_of(range(_LIKELY * count))))

    dims: Chosen = {}
    for name, value in most.items():
        if isinstance(value, tuple):
            axes = up_to(case.space.axes[name][0], len(value))
            dims[name] = tuple(up_to(1, size) for size in value[len(value) - axes :])
        else:
            dims[name] = up_to(case.ranges[name][0], value)
    return dims


@functools.lru_cache(maxsize=256)
def _one_of(options: range | tuple[T, ...]) -> st.SearchStrategy[Any]:
    """Made once: to make it takes Hypothesis as long as to draw from it."""
    return st.sampled_from(options)


def _disagreement(outcome: Outcome) -> float:
    """The largest distance between claim and truth (relative), which the search climbs; 0 where they agree.

    There the distance is only an error bar, and to climb it leads to where nothing can be judged.
    """
    failed = [tensor.resolution for tensor in outcome.tensors if tensor.verdict is Verdict.FAIL]
    return max((distance for distance in failed if math.isfinite(distance)), default=0.0)
