"""Verdicts on directions: does the residual between claim and function have slope zero, as far as float64 can see?

It knows ladders and round-off; it does not know layers, tensors or how a direction is evaluated.

The method is sequential. Agreement is tested first, at the cheapest steps, and ends the matter for a right gradient in
two to six forwards. A miss goes down the ladder; an accusation needs a settled slope, four of its own error bounds
between slope and claim, the measured round-off in place of the modelled one, and a residual that persists at far
smaller steps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradproof.compare.directions import Answer, Directions, Judged, Suspicion
from gradproof.compare.judgement import FINE, MOST, Judgement
from gradproof.differentiate import readings
from gradproof.differentiate.differentiate import RUNGS, Sampler
from gradproof.differentiate.noise import Steps

COARSE = 1e-4  # relative resolution above which an agreement says nothing
CLIMB = 2.0**8  # how much larger the top step of a second try is, when round-off hides the gradient at the first
CLIMB_RUNGS = 4  # its rungs: with those of the first try, 14 forwards


def judge(directions: Directions, sample: Sampler, suspect: Callable[[], Suspicion]) -> Judged:
    """Judge every direction; ``suspect`` is called only if some direction does not simply agree."""
    with np.errstate(all="ignore"):
        judgement = Judgement(directions, sample, suspect)
        judgement.run(len(RUNGS))
        _climb(judgement, FINE)
        if _close(judgement):
            _climb(judgement, 0.1 * COARSE)
        _weigh(judgement)
    return Judged(
        judgement.outcome, judgement.numeric, judgement.bound, judgement.rho, judgement.step, judgement.forwards
    )


def _climb(judgement: Judgement, sharp: float) -> None:
    """Where the function is straight as far as round-off shows, judge again from a far larger step, which sees more."""
    directions, first = judgement.directions, judgement.directions.top * 2.0 ** RUNGS[1]
    coarse = (
        (judgement.outcome == Answer.AGREE) & (judgement.rho > sharp * directions.scale) & (judgement.step >= first)
    )
    affordable = judgement.forwards + 2 * CLIMB_RUNGS + 4 <= MOST  # 4: two accusations that do not persist
    who = np.flatnonzero((coarse | (judgement.outcome == Answer.STRAIGHT)) & affordable)
    if who.size:
        chosen, second = directions.only(who, judgement.noise, CLIMB), lambda: judgement.second_look().only(who)
        higher = Judgement(chosen, lambda steps, some: judgement.sample(steps, who[some]), second)
        higher.run(CLIMB_RUNGS)
        judgement.take_over(who, higher)
    judgement.outcome[judgement.outcome == Answer.STRAIGHT] = Answer.PENDING


def _close(judgement: Judgement) -> bool:
    """Directions still open: once more with all the noise there may be, then a reason. False where none was open."""
    if not (judgement.outcome == Answer.PENDING).any():
        return False
    if not judgement.informed:
        judgement.inform()
    suspicion = judgement.second_look()
    judgement.noise = suspicion.blurred()
    judgement.replay()
    nan, every = np.full(judgement.outcome.size, np.nan), np.full(judgement.outcome.size, True)
    moves_in_steps = every & (suspicion.steps is Steps.STAIRCASE)
    jumps = judgement.jumps_nearby()
    is_blurred = judgement.noise.of_slope(judgement.ladder.steps[0]) > COARSE * judgement.directions.least
    is_blind = is_blurred | judgement.unmoved()
    reasons = (
        (judgement.ladder.broken, Answer.NON_FINITE),
        (moves_in_steps, Answer.QUANTISED),
        (jumps, Answer.JUMP),
        (is_blind, Answer.BELOW_RESOLUTION),
        (readings.rough(judgement.ladder, judgement.noise), Answer.JUMP),
        (every, Answer.UNSETTLED),
    )
    for holds, outcome in reasons:
        judgement.settle(
            (judgement.outcome == Answer.PENDING) & holds, outcome, nan, nan, nan, judgement.ladder.steps[-1]
        )
    return True


def _weigh(judgement: Judgement) -> None:
    """An agreement too coarse to mean anything is none, unless nothing is claimed and what moved is negligible."""
    blurred = (judgement.outcome == Answer.AGREE) & (judgement.rho > COARSE * judgement.directions.scale)
    if not blurred.any():
        return
    sampled = np.isfinite(judgement.ladder.residuals)
    still = (np.array(judgement.ladder.still) | ~sampled).all(axis=0) & sampled.any(axis=0)
    zero = (judgement.directions.claim == 0) & (still | (judgement.rho <= COARSE * judgement.directions.least))
    stepped = judgement.informed and judgement.second_look().steps is Steps.STAIRCASE
    judgement.outcome[blurred & ~zero] = Answer.QUANTISED if stepped else Answer.BELOW_RESOLUTION
    judgement.outcome[blurred & ~zero & judgement.jumps_nearby()] = Answer.JUMP
