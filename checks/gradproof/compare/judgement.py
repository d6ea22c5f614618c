"""One judgement in progress: directions climb down the ladder side by side until each has its answer or gives up.

It knows ladders, round-off and what forbids an accusation; it does not know tensors or how a direction is evaluated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gradproof.compare.directions import MARGIN, Answer, Directions, Suspicion
from gradproof.differentiate import readings
from gradproof.differentiate.differentiate import (
    RUNGS,
    Bools,
    Extrapolation,
    Floats,
    Ints,
    Ladder,
    Sampler,
    extrapolate,
    kink_width,
)
from gradproof.differentiate.noise import Steps

FINE = 1e-9  # relative resolution at which an agreement is sharp enough to stop: ten times below the errors sought
LEAP_AFTER = 2  # the turn after which it shows whether the truncation falls as h^2
POWERS = 2.0 ** np.array(RUNGS)
LEAP = RUNGS.index(-14)  # where one goes whose truncation does not fall as h^2: below the features that disturb it
MOST = 22  # forwards of a direction before it is given up, proofs of an accusation aside
BEYOND_ROUNDING = 1e10  # measured over modelled noise: float32 inside gives 5e8
PROOFS = 2  # accusations of one direction that may fail to persist before it is left undecided
PROOF_RUNGS = 7  # an accusation is proven at h/8, h/128, ... at most this often
SHOWS = 10.0  # quanta that a claim must move the value before outputs that stand still contradict it
KINK_SHARE = 0.5  # of the gap: how far a subgradient can lie from the central slope
HIDDEN = 1.5  # round-off of a central difference per round-off of a hidden intermediate, itself a generous guess

STEPPED = {Steps.STAIRCASE: Answer.QUANTISED, Steps.PLATEAUS: Answer.JUMP}


@dataclass(eq=False)
class Judgement:
    """The state of one judgement; each method moves some directions out of PENDING."""

    directions: Directions
    sample: Sampler
    suspect: Callable[[], Suspicion]
    suspicion: Suspicion | None = None
    informed: bool = False  # the second look's noise is in use
    ladder: Ladder = field(init=False)

    def __post_init__(self) -> None:
        count = self.directions.claim.size
        self.ladder, self.noise = Ladder(count), self.directions.noise
        self.outcome, self.forwards, self.failed_proofs = (np.zeros(count, np.intp) for _ in range(3))
        self.deep, self.leapt = np.zeros(count, bool), np.zeros(count, bool)
        self.loudest = np.zeros(count)
        self.apart = np.full(count, -np.inf)  # how far beyond its bound the residual was seen: forbids agreement
        self.numeric, self.bound, self.rho, self.step = (np.full(count, np.nan) for _ in range(4))

    def run(self, rungs: int) -> None:
        """Climb down until every direction has its answer or its rungs end; each direction has a depth of its own."""
        depth = np.zeros(self.outcome.size, np.intp)
        for turn in range(rungs):
            pending = np.flatnonzero((self.outcome == Answer.PENDING) & (depth < rungs) & (self.forwards + 2 <= MOST))
            if not pending.size:
                break
            self.ladder.descend(self.sample, self.directions.top * POWERS[np.minimum(depth, len(RUNGS) - 1)], pending)
            self.forwards[pending] += 2
            depth += 1
            found = extrapolate(self.ladder, self.directions.scale)
            self._accept(found)
            if turn >= LEAP_AFTER and (self.outcome == Answer.PENDING).any():
                self._look_for_kinks()
                self._accuse(found)
            if turn == LEAP_AFTER:
                self._set_straight_aside()
                depth[self._leap()] = LEAP
            if turn == LEAP_AFTER + 1:
                self._doubt_leaps()

    def _leap(self) -> Bools:
        """Directions whose truncation does not fall as h^2 start anew far below the features that disturb it."""
        self.leapt = (self.outcome == Answer.PENDING) & ~readings.regular(self.ladder, self.noise)
        self.loudest = np.nan_to_num(self.ladder.gaps[-1])
        self.ladder.forget(self.leapt)
        return self.leapt

    def _doubt_leaps(self) -> None:
        """Where things are worse down there it was noise that disturbed: once measured, larger steps count again."""
        worse = (self.outcome == Answer.PENDING) & self.leapt & (self.ladder.gaps[-1] > self.loudest)
        worse &= self.ladder.gaps[-1] > readings.LOUD * self.noise.of_gap(self.ladder.steps[-1])
        if worse.any() and not self.informed:
            self.ladder.recall(worse)
            self.inform()
            self.outcome[worse & (self.outcome == Answer.PENDING)] = Answer.STRAIGHT

    def second_look(self) -> Suspicion:
        """What ``suspect`` found; it is asked once."""
        if self.suspicion is None:
            self.suspicion = self.suspect()
        return self.suspicion

    def _accept(self, found: Extrapolation, upto: int | None = None) -> None:
        """Agreement: the highest order hits the claim within round-off, and nothing hides in the even part."""
        steps = self.ladder.steps[:upto][-1]
        bound = self.noise.of_slope(steps)
        rho = np.abs(found.best) + bound + np.where(np.isfinite(found.remainder), found.remainder, 0.0)
        hit = (self.outcome == Answer.PENDING) & (np.abs(found.best) <= bound) & ~(self.apart > 0)
        if len(self.ladder.steps[:upto]) > 1:
            hit &= ~readings.merely_blurred(self.ladder, self.noise, upto)
        hit &= readings.smooth(self.ladder, self.noise, 0.25 * np.abs(self.directions.claim), upto)
        hit &= (rho <= FINE * self.directions.scale) | ~(found.remainder > bound)
        self.settle(hit, Answer.AGREE, found.best, bound, rho, steps)

    def settle(self, who: Bools, outcome: Answer, residual: Floats, bound: Floats, rho: Floats, steps: Floats) -> None:
        """Give these directions their answer."""
        self.outcome[who] = outcome
        self.numeric[who] = (self.directions.claim + residual)[who]
        self.bound[who], self.rho[who], self.step[who] = bound[who], rho[who], steps[who]

    def _set_straight_aside(self) -> None:
        """Directions that smaller steps cannot help wait for larger ones."""
        pending = self.outcome == Answer.PENDING
        self.outcome[pending & readings.straight(self.ladder, self.noise)] = Answer.STRAIGHT

    def _look_for_kinks(self) -> None:
        """A gap that stays while the step falls is a kink, here or near by: one far smaller step tells which."""
        last, steps = self.ladder.gaps[-1], self.ladder.steps[-1]
        pending = self.outcome == Answer.PENDING
        jump = pending & readings.jumps(self.ladder, self.noise, self.directions.claim)
        if jump.any() and not self.informed:  # round-off that the model does not know grows as 1/h too
            self.inform()
            pending = self.outcome == Answer.PENDING
            jump = pending & readings.jumps(self.ladder, self.noise, self.directions.claim)
        self.settle(jump, Answer.JUMP, last * np.nan, last, last, steps)
        stays = pending & ~jump & ~self.deep & readings.gap_stays(self.ladder, self.noise)
        who = np.flatnonzero(stays)
        if not who.size:
            return
        self.deep[who] = True
        # as small as leaves the gap 16 times its round-off, but no smaller than the lowest rung
        least = np.maximum(self.directions.top * 2.0 ** RUNGS[-1], 16 * self.noise.of_gap(np.ones(last.size)) / last)
        deep = np.minimum(2.0 ** np.floor(np.log2(least)), steps / 4)
        rung = self.sample(deep[who], who)
        self.forwards[who] += 2
        residual, gap = np.full(last.size, np.nan), np.full(last.size, np.nan)
        residual[who], gap[who] = rung.residual, rung.gap
        kink = stays & (gap >= KINK_SHARE * last)
        inside = np.abs(residual) <= 1.001 * KINK_SHARE * gap + self.noise.of_slope(deep)
        self.settle(kink & inside, Answer.KINK, residual, gap, gap, deep)
        self.settle(kink & ~inside, Answer.KINK_OUTSIDE, residual, gap, gap, deep)

    def _accuse(self, found: Extrapolation) -> None:
        """Disagreement: a settled slope, far from the claim by its own bound, that persists at far smaller steps."""
        bound = self._bound(found)
        self._note(found, bound)
        if not self._accused(found, bound).any():
            return
        if not self.informed:
            self.inform()
            bound = self._bound(found)
        steps, who = self.ladder.steps[-1], self._accused(found, bound)
        # noise that no rounding makes, and slopes that grow with it: the function jumps, and no slope is known
        jump = who & self.jumps_nearby() & readings.leaps(self.ladder, self.directions.claim)
        self.settle(jump, Answer.JUMP, bound * np.nan, bound, bound, steps)
        who = who & ~jump
        if self.second_look().steps is not Steps.NONE:
            self.settle(who, STEPPED[self.second_look().steps], found.order6, bound, bound, steps)
            return
        proven = self._persists(who, found.order6, steps)
        self.failed_proofs += who & ~proven
        self.settle(proven, Answer.DISAGREE, found.order6, bound, np.abs(found.order6), steps)

    def jumps_nearby(self) -> Bools:
        """What looks like noise is far beyond any rounding: the function jumps right here."""
        if not self.informed:
            return np.zeros(self.outcome.size, np.bool_)
        beyond: Bools = self.second_look().noise.value > BEYOND_ROUNDING * self.directions.noise.value
        return beyond

    def _accused(self, found: Extrapolation, bound: Floats) -> Bools:
        open_to_it = (self.outcome == Answer.PENDING) & (self.failed_proofs < PROOFS)
        open_to_it &= ~self.unmoved()
        far: Bools = open_to_it & (np.abs(found.order6) > MARGIN * bound) & readings.regular(self.ladder, self.noise)
        return far

    def unmoved(self) -> Bools:
        """The last outputs stood still, over steps too small for the claim to show in outputs that are rounded."""
        still = np.array(self.ladder.still)
        widest = np.where(still, self.ladder.steps, 0.0).max(axis=0)
        stood = still[-3:].all(axis=0) & (self.directions.claim != 0)
        result: Bools = stood & (np.abs(self.directions.claim) * widest < SHOWS * self.directions.quantum)
        return result

    def _bound(self, found: Extrapolation, upto: int | None = None) -> Floats:
        """Bound on the residual's distance from the truth: round-off, truncation, half the kink, what is hidden."""
        steps = self.ladder.steps[:upto][-1]
        bound = self.noise.of_slope(steps) + found.settled + KINK_SHARE * kink_width(self.ladder, upto)
        if self.informed:
            suspicion = self.second_look()
            bound = bound + HIDDEN * suspicion.hidden / steps + suspicion.hidden_claim
        return bound

    def _note(self, found: Extrapolation, bound: Floats, upto: int | None = None) -> None:
        """Remember a contradiction, where the bound can be trusted: truncation that does not fall as h^2 has none."""
        beyond = np.where(readings.regular(self.ladder, self.noise, upto), np.abs(found.order6) - bound, -np.inf)
        self.apart = np.fmax(self.apart, beyond)

    def inform(self) -> None:
        """Take the second look, and judge once more with its noise what the ladder has shown so far."""
        self.informed, self.noise = True, self.second_look().noise
        self.apart[:] = -np.inf
        self.replay()

    def replay(self) -> None:
        """Judge once more, with the noise as it is known now, what each rung has shown."""
        for upto in range(1, len(self.ladder.steps) + 1):
            found = extrapolate(self.ladder, self.directions.scale, upto)
            self._note(found, self._bound(found, upto), upto)
            self._accept(found, upto)

    def _persists(self, who: Bools, residual: Floats, steps: Floats) -> Bools:
        """The residual must stay at h/8, h/128, ... down to where round-off reaches a quarter of it."""
        persists = who.copy()
        moved = np.abs(self.ladder.residuals[-1] - self.ladder.residuals[-2])
        deeper = steps / 8
        for turn in range(PROOF_RUNGS):
            bound = self.noise.of_slope(deeper)
            index = np.flatnonzero(persists if turn == 0 else persists & (bound <= 0.25 * np.abs(residual)))
            if not index.size:
                break
            rung = self.sample(deeper[index], index)
            self.forwards[index] += 2
            # what is left of the truncation at h/8: moved / 960 where it falls with h^2, moved / 24 where with h
            allowed = (0.25 * np.abs(residual) + bound + moved / 64)[index]
            away = ~(np.abs(rung.residual - residual[index]) <= allowed)
            persists[index[away]] = False
            deeper = deeper / 16
        return persists

    def take_over(self, who: Ints, other: Judgement) -> None:
        """Take the other's answers, direction by direction, where they are sharper agreements or accusations."""
        self.forwards[who] += other.forwards
        taken = ((other.outcome == Answer.AGREE) & ~(other.rho >= self.rho[who])) | (other.outcome == Answer.DISAGREE)
        for name in ("outcome", "numeric", "bound", "rho", "step"):
            getattr(self, name)[who[taken]] = getattr(other, name)[taken]
