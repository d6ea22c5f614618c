"""Verdicts on directions: does the residual between claim and function have slope zero, as far as float64 can see?

It knows ladders and round-off; it does not know layers, tensors or how a direction is evaluated.

The method is sequential. Agreement is tested first, at the cheapest steps, and ends the matter for a right gradient in two
to six forwards. A miss goes down the ladder; an accusation needs a settled slope, four of its own error bounds between
slope and claim, the measured round-off in place of the modelled one, and a residual that persists at far smaller steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from gradproof.differentiate import (
    RUNGS,
    Bools,
    Extrapolation,
    Floats,
    Ints,
    Ladder,
    Noise,
    Sampler,
    extrapolate,
    kink_width,
)

FINE = 1e-9  # relative resolution at which an agreement is sharp enough to stop: ten times below the errors sought (1e-8)
COARSE = 1e-4  # relative resolution above which an agreement says nothing
MARGIN = 4.0  # bounds between slope and claim before an accusation; the bound alone covers 99.98 %, four of them always
CLIMB = 2.0**8  # how much larger the top step of a second try is, when round-off hides the gradient at the first
STRAIGHT_AT = 3  # rungs after which a lane that shows no truncation at all need not go further down
CLIMB_RUNGS = 5  # its rungs: with the two of the first try and a proof below, at most 22 forwards on a right gradient
PROOFS = 2  # accusations of one lane that may fail to persist before it is left undecided


class Outcome(IntEnum):
    """What the ladder says of one lane."""

    PENDING = 0
    AGREE = 1
    DISAGREE = 2
    KINK = 3  # not differentiable here; the claim lies between the one-sided slopes
    KINK_OUTSIDE = 4  # not differentiable here; the claim lies outside of them
    JUMP = 5
    QUANTISED = 6
    NON_FINITE = 7
    BELOW_RESOLUTION = 8
    UNSETTLED = 9
    STRAIGHT = 10  # on the way: no answer yet, and smaller steps would not bring one


@dataclass(frozen=True, eq=False)
class Suspicion:
    """What is measured only once something looks wrong: the noise as probed, and what forbids an accusation."""

    noise: Noise
    hidden: Floats  # round-off of intermediates that the outputs no longer show (saturation), as a value
    hidden_claim: Floats  # the same for the claimed slope
    stepped: bool  # the outputs move in steps: rounded, cast, or a step function

    def only(self, who: Ints) -> Suspicion:
        """Return the same for some of the lanes."""
        return Suspicion(self.noise.only(who), self.hidden[who], self.hidden_claim[who], self.stepped)


@dataclass(frozen=True, eq=False)
class Lanes:
    """The directions to judge, one element each: claimed slope, the tensor's size of slope, top step, modelled noise.

    least: a resolution coarser than COARSE times this says nothing (at least ``scale``; larger where the tensor matters little).
    """

    claim: Floats
    scale: Floats
    least: Floats
    top: Floats
    noise: Noise

    def only(self, who: Ints, stretch: float) -> Lanes:
        """Return some of the lanes, with a larger top step."""
        noise = self.noise.only(who)
        return Lanes(self.claim[who], self.scale[who], self.least[who], self.top[who] * stretch, noise)


@dataclass(frozen=True, eq=False)
class Judged:
    """The answer, one element a lane. ``numeric`` ± ``bound`` is the measured slope; ``rho`` bounds |claim - truth| on AGREE."""

    outcome: Ints
    numeric: Floats
    bound: Floats
    rho: Floats
    step: Floats
    forwards: Ints

    @property
    def count(self) -> int:
        """How many lanes there are."""
        return int(self.outcome.size)


def judge(lanes: Lanes, sample: Sampler, suspect: Callable[[], Suspicion]) -> Judged:
    """Judge every lane; ``suspect`` is called only if some lane does not simply agree."""
    with np.errstate(all="ignore"):
        bench = _Bench(lanes, sample, suspect)
        bench.run(0, STRAIGHT_AT)
        bench.rest()
        bench.run(STRAIGHT_AT, len(RUNGS))
        _climb(bench)
        bench.close()
        bench.weigh()
    return bench.judged()


def _climb(bench: _Bench) -> None:
    """Where the function is straight as far as round-off shows, judge again from a far larger step, which sees more."""
    lanes, first = bench.lanes, bench.lanes.top * 2.0 ** RUNGS[1]
    coarse = (bench.outcome == Outcome.AGREE) & (bench.rho > FINE * lanes.scale) & (bench.step >= first)
    who = np.flatnonzero(coarse | (bench.outcome == Outcome.STRAIGHT))
    if not who.size:
        return
    higher = _Bench(lanes.only(who, CLIMB), lambda steps, some: bench.sample(steps, who[some]), lambda: bench.second_look().only(who))
    higher.run(0, CLIMB_RUNGS)
    bench.replace(who, higher)
    bench.outcome[bench.outcome == Outcome.STRAIGHT] = Outcome.PENDING


@dataclass(eq=False)
class _Bench:
    """The state of one judgement; each method moves some lanes out of PENDING."""

    lanes: Lanes
    sample: Sampler
    suspect: Callable[[], Suspicion]
    suspicion: Suspicion | None = None
    ladder: Ladder = field(init=False)

    def __post_init__(self) -> None:
        count = self.lanes.claim.size
        self.ladder = Ladder(count)
        self.noise = self.lanes.noise
        self.informed = False  # the second look's noise is in use
        self.outcome = np.zeros(count, np.intp)
        self.forwards = np.zeros(count, np.intp)
        self.failed_proofs = np.zeros(count, np.intp)
        self.deep = np.zeros(count, bool)
        self.apart = np.full(count, -np.inf)  # how far beyond its bound the residual was seen: rules out a later agreement
        self.numeric, self.bound, self.rho, self.step = (np.full(count, np.nan) for _ in range(4))

    def run(self, start: int, stop: int) -> None:
        """Climb down these rungs, or until every lane has its answer."""
        for depth in range(start, stop):
            pending = self.pending()
            if not pending.size:
                break
            self.descend(depth, pending)
            self.accept()
            self.look_for_kinks()
            self.accuse()

    def rest(self) -> None:
        """Set aside the lanes whose slope is the same on all rungs within round-off: smaller steps would only add noise."""
        if not self.pending().size:
            return
        residuals = np.array(self.ladder.residuals)
        spread = residuals.max(axis=0) - residuals.min(axis=0)
        straight = (self.outcome == Outcome.PENDING) & (spread <= 2 * self.noise.of_slope(self.ladder.steps[-1]))
        self.outcome[straight & (self.ladder.gaps[-1] <= self._smooth_gap())] = Outcome.STRAIGHT

    def _smooth_gap(self) -> Floats:
        return 4 * self.noise.of_gap(self.ladder.steps[-1]) + 0.6 * self.ladder.gaps[-2]

    def second_look(self) -> Suspicion:
        """What `suspect` found; it is asked once."""
        if self.suspicion is None:
            self.suspicion = self.suspect()
        return self.suspicion

    def pending(self) -> Ints:
        return np.flatnonzero(self.outcome == Outcome.PENDING)

    def descend(self, depth: int, pending: Ints) -> None:
        self.ladder.descend(self.sample, self.lanes.top * 2.0 ** RUNGS[depth], pending)
        self.forwards[pending] += 2

    def accept(self, upto: int | None = None) -> None:
        """Agreement: the highest order hits the claim within round-off, and nothing hides in the even part."""
        found = extrapolate(self.ladder, self.lanes.scale, upto)
        steps, gaps = self.ladder.steps[:upto][-1], self.ladder.gaps[:upto]
        bound, gap_bound = self.noise.of_slope(steps), self.noise.of_gap(steps)
        rho = np.abs(found.best) + bound + found.remainder
        rho = np.where(np.isfinite(found.remainder), rho, np.abs(found.best) + bound)
        hits = np.abs(found.best) <= bound
        if len(gaps) > 1:
            hits &= ~self._merely_blurred(upto)
        smooth = gaps[-1] <= 4 * gap_bound + np.where(np.isnan(found.order4), 0.25 * np.abs(self.lanes.claim), 0.0)
        if len(gaps) > 1:
            smooth |= gaps[-1] <= 0.6 * gaps[-2]
        sharp = (rho <= FINE * self.lanes.scale) | ~(found.remainder > bound)
        hit = (self.outcome == Outcome.PENDING) & hits & smooth & sharp & ~(self.apart > 0)
        self._settle(hit, Outcome.AGREE, found.best, bound, rho, steps)

    def _merely_blurred(self, upto: int | None) -> Bools:
        """The last rung missed the claim and this one repeats its residual: only the round-off has grown to cover it."""
        before, now = (np.abs(row) for row in self.ladder.residuals[:upto][-2:])
        missed = before > self.noise.of_slope(self.ladder.steps[:upto][-2])
        result: Bools = missed & (now > 0.5 * before)
        return result

    def _settle(self, who: Bools, outcome: Outcome, residual: Floats, bound: Floats, rho: Floats, steps: Floats) -> None:
        self.outcome[who] = outcome
        self.numeric[who] = (self.lanes.claim + residual)[who]
        self.bound[who], self.rho[who], self.step[who] = bound[who], rho[who], steps[who]

    def look_for_kinks(self) -> None:
        """A gap that stays while the step falls is a kink, at the point or near it: one far smaller step tells which."""
        gaps, steps = self.ladder.gaps, self.ladder.steps
        if len(gaps) < 3:
            return
        last, gap_bound = gaps[-1], self.noise.of_gap(steps[-1])
        pending = (self.outcome == Outcome.PENDING) & (last > 8 * gap_bound)
        jump = pending & (last > 3 * gaps[-2]) & (gaps[-2] > 3 * gaps[-3])
        self._settle(jump, Outcome.JUMP, last * 0, last, last, steps[-1])
        stays = pending & ~jump & ~self.deep & (last >= 0.6 * gaps[-2]) & (gaps[-2] >= 0.6 * gaps[-3])
        who = np.flatnonzero(stays)
        if not who.size:
            return
        self.deep[who] = True
        floor = self.lanes.top * 2.0 ** RUNGS[-1]
        ceiling = 2.0 ** np.floor(np.log2(np.maximum(floor, 16 * KAPPA_GAP * self.noise.spread / last)))
        deep = np.minimum(ceiling, steps[-1] / 4)
        rung = self.sample(deep[who], who)
        self.forwards[who] += 2
        residual, gap = np.full(last.size, np.nan), np.full(last.size, np.nan)
        residual[who], gap[who] = rung.residual, rung.gap
        bound = self.noise.of_slope(deep)
        kink = stays & (gap >= 0.5 * last)
        inside = np.abs(residual) <= 0.5005 * gap + bound
        self._settle(kink & inside, Outcome.KINK, residual, gap, gap, deep)
        self._settle(kink & ~inside, Outcome.KINK_OUTSIDE, residual, gap, gap, deep)

    def accuse(self) -> None:
        """Disagreement: a settled slope, far from the claim by its own bound, that persists at far smaller steps."""
        found = extrapolate(self.ladder, self.lanes.scale)
        bound = self._bound(found)
        self._note(found, bound)
        if not self._accused(found, bound).any():
            return
        if not self.informed:
            self._measure()
            bound = self._bound(found)
        steps = self.ladder.steps[-1]
        who = self._accused(found, bound)
        if self._stepped():
            self._settle(who, Outcome.QUANTISED, found.order6, bound, bound, steps)
            return
        proven = self._persists(who, found.order6, steps)
        self.failed_proofs += who & ~proven
        self._settle(proven, Outcome.DISAGREE, found.order6, bound, np.abs(found.order6), steps)

    def _accused(self, found: Extrapolation, bound: Floats) -> Bools:
        open_to_it = (self.outcome == Outcome.PENDING) & (self.failed_proofs < PROOFS)
        return open_to_it & (np.abs(found.order6) > MARGIN * bound) & self._regular()

    def _regular(self) -> Bools:
        """The differences between rungs fall as h^2 does (16 a rung, give or take two), or have reached round-off."""
        moves = [np.abs(b - a) for a, b in zip(self.ladder.residuals[-4:], self.ladder.residuals[-3:], strict=False)]
        steps = self.ladder.steps[-4:]
        regular = np.full(self.outcome.size, len(moves) > 1)
        for wide, narrow, top, middle, fine in zip(moves, moves[1:], steps, steps[1:], steps[2:], strict=False):
            ideal = (top**2 - middle**2) / (middle**2 - fine**2)
            falls = (wide > ideal / 2 * narrow) & (wide < ideal * 2 * narrow)
            regular &= falls | (narrow <= 2 * self.noise.of_slope(fine)) | np.isnan(wide)
        return regular

    def _bound(self, found: Extrapolation, upto: int | None = None) -> Floats:
        """Bound on the residual's distance from the truth: round-off, truncation, half the kink, and what saturation hides."""
        steps = self.ladder.steps[:upto][-1]
        bound = self.noise.of_slope(steps) + found.settled + 0.5 * kink_width(self.ladder, upto)
        if self.informed and self.suspicion is not None:
            bound = bound + KAPPA_GAP * self.suspicion.hidden / steps + self.suspicion.hidden_claim
        return bound

    def _note(self, found: Extrapolation, bound: Floats) -> None:
        self.apart = np.fmax(self.apart, np.abs(found.order6) - bound)

    def _measure(self) -> None:
        """Take the second look, and judge once more with its noise what the ladder has shown so far."""
        self.informed = True
        self.noise = self.second_look().noise
        self.apart[:] = -np.inf
        for upto in range(1, len(self.ladder.steps) + 1):
            found = extrapolate(self.ladder, self.lanes.scale, upto)
            self._note(found, self._bound(found, upto))
            self.accept(upto)

    def _stepped(self) -> bool:
        return self.informed and self.second_look().stepped

    def _persists(self, who: Bools, residual: Floats, steps: Floats) -> Bools:
        """The residual must stay at h/8, h/128, ... down to where round-off reaches a quarter of it."""
        persists = who.copy()
        moved = np.abs(self.ladder.residuals[-1] - self.ladder.residuals[-2])
        deeper = steps / 8
        for turn in range(7):
            bound = self.noise.of_slope(deeper)
            active = persists if turn == 0 else persists & (bound <= 0.25 * np.abs(residual))
            index = np.flatnonzero(active)
            if not index.size:
                break
            rung = self.sample(deeper[index], index)
            self.forwards[index] += 2
            # what is left of the truncation at h/8 is moved / 960 where it falls with h^2, moved / 24 where it falls with h
            allowed = (0.25 * np.abs(residual) + bound + moved / 64)[index]
            away = ~(np.abs(rung.residual - residual[index]) <= allowed)
            persists[index[away]] = False
            deeper = deeper / 16
        return persists

    def close(self) -> None:
        """Lanes that the ladder left open: once more with the noise as measured, then a reason."""
        if not self.pending().size:
            return
        if not self.informed:
            self._measure()
        residuals, gaps = np.array(self.ladder.residuals), np.array(self.ladder.gaps)
        nan = np.full(self.outcome.size, np.nan)
        pending = self.outcome == Outcome.PENDING
        blind = self.noise.of_slope(self.ladder.steps[0]) > COARSE * self.lanes.least
        reasons = (
            (np.isnan(residuals).any(axis=0), Outcome.NON_FINITE),
            (np.full(pending.size, self._stepped()), Outcome.QUANTISED),
            (np.fmax.reduce(gaps[-3:]) > 30 * np.fmin.reduce(gaps) + 8 * self.noise.of_gap(self.ladder.steps[-1]), Outcome.JUMP),
            (blind, Outcome.BELOW_RESOLUTION),
            (np.full(pending.size, True), Outcome.UNSETTLED),
        )
        for holds, outcome in reasons:
            self._settle(pending & holds & (self.outcome == Outcome.PENDING), outcome, nan, nan, nan, self.ladder.steps[-1])

    def weigh(self) -> None:
        """An agreement too coarse to mean anything is none, unless nothing moved and nothing is claimed."""
        vague = (self.outcome == Outcome.AGREE) & (self.rho > COARSE * self.lanes.least) & ~self._constant()
        self.outcome[vague] = Outcome.BELOW_RESOLUTION

    def replace(self, who: Ints, other: _Bench) -> None:
        """Take over the other's answers, lane by lane, where they are sharper agreements or accusations."""
        self.forwards[who] += other.forwards
        sharper = (other.outcome == Outcome.AGREE) & (other.rho < self.rho[who])
        taken = sharper | (other.outcome == Outcome.DISAGREE)
        for name in ("outcome", "numeric", "bound", "rho", "step"):
            getattr(self, name)[who[taken]] = getattr(other, name)[taken]

    def _constant(self) -> Bools:
        """A claim of exactly zero on outputs that no step moved."""
        still = np.array(self.ladder.still)
        sampled = np.isfinite(np.array(self.ladder.residuals))
        result: Bools = (self.lanes.claim == 0) & (still | ~sampled).all(axis=0) & sampled.any(axis=0)
        return result

    def judged(self) -> Judged:
        return Judged(self.outcome, self.numeric, self.bound, self.rho, self.step, self.forwards)


KAPPA_GAP = 4.0  # as differentiate.KAPPA, without the price of extrapolation
