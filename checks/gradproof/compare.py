"""Verdicts on directions: does the residual between claim and function have slope zero, as far as float64 can see?

It knows ladders and round-off; it does not know layers, tensors or how a direction is evaluated.

The method is sequential. Agreement is tested first, at the cheapest steps, and ends the matter for a right gradient in two
to six forwards. A miss goes down the ladder; an accusation needs a settled slope, four of its own error bounds between
slope and claim, the measured round-off in place of the modelled one, and a residual that persists at far smaller steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gradproof import readings
from gradproof.differentiate import RUNGS, Bools, Extrapolation, Floats, Ints, Ladder, Noise, Sampler, extrapolate, kink_width
from gradproof.lanes import Judged, Lanes, Outcome, Suspicion
from gradproof.noise import Steps

FINE = 1e-9  # relative resolution at which an agreement is sharp enough to stop: ten times below the errors sought (1e-8)
COARSE = 1e-4  # relative resolution above which an agreement says nothing
MARGIN = 4.0  # bounds between slope and claim before an accusation; the bound alone covers 99.98 %, four of them always
POWERS = 2.0 ** np.array(RUNGS)
LEAP = RUNGS.index(-14)  # where a lane goes whose truncation does not fall as h^2: below the features that disturb it
CLIMB = 2.0**8  # how much larger the top step of a second try is, when round-off hides the gradient at the first
CLIMB_RUNGS = 4  # its rungs: with those of the first try, 14 forwards
PROOFS = 2  # accusations of one lane that may fail to persist before it is left undecided
PROOF_RUNGS = 7  # an accusation is proven at h/8, h/128, ... at most this often
KINK_SHARE = 0.5  # of the gap: how far a subgradient can lie from the central slope
HIDDEN = 1.5  # round-off of a central difference per round-off of a hidden intermediate, which is itself a generous guess

STEPPED = {Steps.STAIRCASE: Outcome.QUANTISED, Steps.PLATEAUS: Outcome.JUMP}


def judge(lanes: Lanes, sample: Sampler, suspect: Callable[[], Suspicion]) -> Judged:
    """Judge every lane; ``suspect`` is called only if some lane does not simply agree."""
    with np.errstate(all="ignore"):
        bench = _Bench(lanes, sample, suspect)
        bench.run(len(RUNGS))
        _climb(bench, FINE)
        if bench.close():
            _climb(bench, 0.1 * COARSE)
        bench.weigh()
    return Judged(bench.outcome, bench.numeric, bench.bound, bench.rho, bench.step, bench.forwards)


def _climb(bench: _Bench, sharp: float) -> None:
    """Where the function is straight as far as round-off shows, judge again from a far larger step, which sees more."""
    lanes, first = bench.lanes, bench.lanes.top * 2.0 ** RUNGS[1]
    coarse = (bench.outcome == Outcome.AGREE) & (bench.rho > sharp * lanes.scale) & (bench.step >= first)
    who = np.flatnonzero(coarse | (bench.outcome == Outcome.STRAIGHT))
    if not who.size:
        return
    higher = _Bench(lanes.only(who, bench.noise, CLIMB), lambda steps, some: bench.sample(steps, who[some]), lambda: bench.second_look().only(who))
    higher.run(CLIMB_RUNGS)
    bench.take_over(who, higher)
    bench.outcome[bench.outcome == Outcome.STRAIGHT] = Outcome.PENDING


@dataclass(eq=False)
class _Bench:
    """The state of one judgement; each method moves some lanes out of PENDING."""

    lanes: Lanes
    sample: Sampler
    suspect: Callable[[], Suspicion]
    suspicion: Suspicion | None = None
    informed: bool = False  # the second look's noise is in use
    ladder: Ladder = field(init=False)

    def __post_init__(self) -> None:
        count = self.lanes.claim.size
        self.ladder, self.noise = Ladder(count), self.lanes.noise
        self.outcome, self.forwards, self.failed_proofs = (np.zeros(count, np.intp) for _ in range(3))
        self.deep = np.zeros(count, bool)
        self.apart = np.full(count, -np.inf)  # how far beyond its bound the residual was seen: rules out a later agreement
        self.numeric, self.bound, self.rho, self.step = (np.full(count, np.nan) for _ in range(4))

    def run(self, rungs: int) -> None:
        """Climb down until every lane has its answer or its rungs end; each lane has a depth of its own."""
        depth = np.zeros(self.outcome.size, np.intp)
        for turn in range(rungs):
            pending = np.flatnonzero((self.outcome == Outcome.PENDING) & (depth < rungs))
            if not pending.size:
                break
            self.ladder.descend(self.sample, self.lanes.top * POWERS[np.minimum(depth, len(RUNGS) - 1)], pending)
            self.forwards[pending] += 2
            depth += 1
            found = extrapolate(self.ladder, self.lanes.scale)
            self._accept(found)
            if turn > 1 and (self.outcome == Outcome.PENDING).any():
                self._look_for_kinks()
                self._accuse(found)
            if turn == 2:
                self._set_straight_aside()
                wild = (self.outcome == Outcome.PENDING) & ~readings.regular(self.ladder, self.noise)
                depth[wild & ~self.deep] = LEAP

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
        hit = (self.outcome == Outcome.PENDING) & (np.abs(found.best) <= bound) & ~(self.apart > 0)
        if len(self.ladder.steps[:upto]) > 1:
            hit &= ~readings.merely_blurred(self.ladder, self.noise, upto)
        hit &= readings.smooth(self.ladder, self.noise, 0.25 * np.abs(self.lanes.claim), upto)
        hit &= (rho <= FINE * self.lanes.scale) | ~(found.remainder > bound)
        self._settle(hit, Outcome.AGREE, found.best, bound, rho, steps)

    def _settle(self, who: Bools, outcome: Outcome, residual: Floats, bound: Floats, rho: Floats, steps: Floats) -> None:
        self.outcome[who] = outcome
        self.numeric[who] = (self.lanes.claim + residual)[who]
        self.bound[who], self.rho[who], self.step[who] = bound[who], rho[who], steps[who]

    def _set_straight_aside(self) -> None:
        """Lanes that smaller steps cannot help wait for larger ones."""
        pending = self.outcome == Outcome.PENDING
        self.outcome[pending & readings.straight(self.ladder, self.noise)] = Outcome.STRAIGHT

    def _look_for_kinks(self) -> None:
        """A gap that stays while the step falls is a kink, at the point or near it: one far smaller step tells which."""
        last, steps = self.ladder.gaps[-1], self.ladder.steps[-1]
        pending = self.outcome == Outcome.PENDING
        jump = pending & readings.jumps(self.ladder, self.noise)
        if jump.any() and not self.informed:  # round-off that the model does not know grows as 1/h too
            self._inform()
            pending = self.outcome == Outcome.PENDING
            jump = pending & readings.jumps(self.ladder, self.noise)
        self._settle(jump, Outcome.JUMP, last * np.nan, last, last, steps)
        stays = pending & ~jump & ~self.deep & readings.gap_stays(self.ladder, self.noise)
        who = np.flatnonzero(stays)
        if not who.size:
            return
        self.deep[who] = True
        # as small as leaves the gap 16 times its round-off, but no smaller than the lowest rung
        least = np.maximum(self.lanes.top * 2.0 ** RUNGS[-1], 16 * self.noise.of_gap(np.ones(last.size)) / last)
        deep = np.minimum(2.0 ** np.floor(np.log2(least)), steps / 4)
        rung = self.sample(deep[who], who)
        self.forwards[who] += 2
        residual, gap = np.full(last.size, np.nan), np.full(last.size, np.nan)
        residual[who], gap[who] = rung.residual, rung.gap
        kink = stays & (gap >= KINK_SHARE * last)
        inside = np.abs(residual) <= 1.001 * KINK_SHARE * gap + self.noise.of_slope(deep)
        self._settle(kink & inside, Outcome.KINK, residual, gap, gap, deep)
        self._settle(kink & ~inside, Outcome.KINK_OUTSIDE, residual, gap, gap, deep)

    def _accuse(self, found: Extrapolation) -> None:
        """Disagreement: a settled slope, far from the claim by its own bound, that persists at far smaller steps."""
        bound = self._bound(found)
        self._note(found, bound)
        if not self._accused(found, bound).any():
            return
        if not self.informed:
            self._inform()
            bound = self._bound(found)
        steps, who = self.ladder.steps[-1], self._accused(found, bound)
        if self.second_look().steps is not Steps.NONE:
            self._settle(who, STEPPED[self.second_look().steps], found.order6, bound, bound, steps)
            return
        proven = self._persists(who, found.order6, steps)
        self.failed_proofs += who & ~proven
        self._settle(proven, Outcome.DISAGREE, found.order6, bound, np.abs(found.order6), steps)

    def _accused(self, found: Extrapolation, bound: Floats) -> Bools:
        open_to_it = (self.outcome == Outcome.PENDING) & (self.failed_proofs < PROOFS)
        return open_to_it & (np.abs(found.order6) > MARGIN * bound) & readings.regular(self.ladder, self.noise)

    def _bound(self, found: Extrapolation, upto: int | None = None) -> Floats:
        """Bound on the residual's distance from the truth: round-off, truncation, half the kink, and what saturation hides."""
        steps = self.ladder.steps[:upto][-1]
        bound = self.noise.of_slope(steps) + found.settled + KINK_SHARE * kink_width(self.ladder, upto)
        if self.informed:
            suspicion = self.second_look()
            bound = bound + HIDDEN * suspicion.hidden / steps + suspicion.hidden_claim
        return bound

    def _note(self, found: Extrapolation, bound: Floats, upto: int | None = None) -> None:
        """Remember a contradiction, where the bound can be trusted: a truncation that does not fall as h^2 has no bound."""
        beyond = np.where(readings.regular(self.ladder, self.noise, upto), np.abs(found.order6) - bound, -np.inf)
        self.apart = np.fmax(self.apart, beyond)

    def _inform(self) -> None:
        """Take the second look, and judge once more with its noise what the ladder has shown so far."""
        self.informed, self.noise = True, self.second_look().noise
        self.apart[:] = -np.inf
        self._replay()

    def _replay(self) -> None:
        for upto in range(1, len(self.ladder.steps) + 1):
            found = extrapolate(self.ladder, self.lanes.scale, upto)
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
            # what is left of the truncation at h/8 is moved / 960 where it falls with h^2, moved / 24 where it falls with h
            allowed = (0.25 * np.abs(residual) + bound + moved / 64)[index]
            away = ~(np.abs(rung.residual - residual[index]) <= allowed)
            persists[index[away]] = False
            deeper = deeper / 16
        return persists

    def close(self) -> bool:
        """Lanes that are still open: once more with all the noise there may be, then a reason. False where none was open."""
        if not (self.outcome == Outcome.PENDING).any():
            return False
        if not self.informed:
            self._inform()
        suspicion = self.second_look()
        self.noise = suspicion.blurred()
        self._replay()
        nan = np.full(self.outcome.size, np.nan)
        blind = self.noise.of_slope(self.ladder.steps[0]) > COARSE * self.lanes.least
        reasons = (
            (np.isnan(self.ladder.residuals).any(axis=0), Outcome.NON_FINITE),
            (np.full(nan.size, suspicion.steps is Steps.STAIRCASE), Outcome.QUANTISED),
            (blind, Outcome.BELOW_RESOLUTION),
            (readings.rough(self.ladder, self.noise), Outcome.JUMP),
            (np.full(nan.size, True), Outcome.UNSETTLED),
        )
        for holds, outcome in reasons:
            self._settle((self.outcome == Outcome.PENDING) & holds, outcome, nan, nan, nan, self.ladder.steps[-1])
        return True

    def weigh(self) -> None:
        """An agreement too coarse to mean anything is none, unless nothing is claimed and what moved is nothing beside the rest."""
        blurred = (self.outcome == Outcome.AGREE) & (self.rho > COARSE * self.lanes.scale)
        if not blurred.any():
            return
        sampled = np.isfinite(self.ladder.residuals)
        still = (np.array(self.ladder.still) | ~sampled).all(axis=0) & sampled.any(axis=0)
        zero = (self.lanes.claim == 0) & (still | (self.rho <= COARSE * self.lanes.least))
        self.outcome[blurred & ~zero] = Outcome.BELOW_RESOLUTION

    def take_over(self, who: Ints, other: _Bench) -> None:
        """Take the other's answers, lane by lane, where they are sharper agreements or accusations."""
        self.forwards[who] += other.forwards
        taken = ((other.outcome == Outcome.AGREE) & ~(other.rho >= self.rho[who])) | (other.outcome == Outcome.DISAGREE)
        for name in ("outcome", "numeric", "bound", "rho", "step"):
            getattr(self, name)[who[taken]] = getattr(other, name)[taken]
