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
from gradproof.compare.trial import FINE, MOST, Trial
from gradproof.differentiate import readings
from gradproof.differentiate.differentiate import RUNGS, Sampler
from gradproof.differentiate.noise import Steps

COARSE = 1e-4  # relative resolution above which an agreement says nothing
CLIMB = 2.0**8  # how much larger the top step of a second try is, when round-off hides the gradient at the first
CLIMB_RUNGS = 4  # its rungs: with those of the first try, 14 forwards


def judge(directions: Directions, sample: Sampler, suspect: Callable[[], Suspicion]) -> Judged:
    """Judge every direction; ``suspect`` is called only if some direction does not simply agree."""
    with np.errstate(all="ignore"):
        trial = Trial(directions, sample, suspect)
        trial.run(len(RUNGS))
        _climb(trial, FINE)
        if _close(trial):
            _climb(trial, 0.1 * COARSE)
        _weigh(trial)
    return Judged(trial.outcome, trial.numeric, trial.bound, trial.rho, trial.step, trial.forwards)


def _climb(trial: Trial, sharp: float) -> None:
    """Where the function is straight as far as round-off shows, judge again from a far larger step, which sees more."""
    directions, first = trial.directions, trial.directions.top * 2.0 ** RUNGS[1]
    coarse = (trial.outcome == Answer.AGREE) & (trial.rho > sharp * directions.scale) & (trial.step >= first)
    affordable = trial.forwards + 2 * CLIMB_RUNGS + 4 <= MOST  # 4: two accusations that do not persist
    who = np.flatnonzero((coarse | (trial.outcome == Answer.STRAIGHT)) & affordable)
    if who.size:
        chosen, second = directions.only(who, trial.noise, CLIMB), lambda: trial.second_look().only(who)
        higher = Trial(chosen, lambda steps, some: trial.sample(steps, who[some]), second)
        higher.run(CLIMB_RUNGS)
        trial.take_over(who, higher)
    trial.outcome[trial.outcome == Answer.STRAIGHT] = Answer.PENDING


def _close(trial: Trial) -> bool:
    """Directions still open: once more with all the noise there may be, then a reason. False where none was open."""
    if not (trial.outcome == Answer.PENDING).any():
        return False
    if not trial.informed:
        trial.inform()
    suspicion = trial.second_look()
    trial.noise = suspicion.blurred()
    trial.replay()
    nan, every = np.full(trial.outcome.size, np.nan), np.full(trial.outcome.size, True)
    moves_in_steps = every & (suspicion.steps is Steps.STAIRCASE)
    jumps = trial.jumps_nearby()
    is_blurred = trial.noise.of_slope(trial.ladder.steps[0]) > COARSE * trial.directions.least
    is_blind = is_blurred | trial.unmoved()
    reasons = (
        (trial.ladder.broken, Answer.NON_FINITE),
        (moves_in_steps, Answer.QUANTISED),
        (jumps, Answer.JUMP),
        (is_blind, Answer.BELOW_RESOLUTION),
        (readings.rough(trial.ladder, trial.noise), Answer.JUMP),
        (every, Answer.UNSETTLED),
    )
    for holds, outcome in reasons:
        trial.settle((trial.outcome == Answer.PENDING) & holds, outcome, nan, nan, nan, trial.ladder.steps[-1])
    return True


def _weigh(trial: Trial) -> None:
    """An agreement too coarse to mean anything is none, unless nothing is claimed and what moved is negligible."""
    blurred = (trial.outcome == Answer.AGREE) & (trial.rho > COARSE * trial.directions.scale)
    if not blurred.any():
        return
    sampled = np.isfinite(trial.ladder.residuals)
    still = (np.array(trial.ladder.still) | ~sampled).all(axis=0) & sampled.any(axis=0)
    zero = (trial.directions.claim == 0) & (still | (trial.rho <= COARSE * trial.directions.least))
    stepped = trial.informed and trial.second_look().steps is Steps.STAIRCASE
    trial.outcome[blurred & ~zero] = Answer.QUANTISED if stepped else Answer.BELOW_RESOLUTION
    trial.outcome[blurred & ~zero & trial.jumps_nearby()] = Answer.JUMP
