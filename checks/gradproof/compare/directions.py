"""The values of a judgement on directions: what is to be judged, what a second look found, and the answers.

It computes nothing: differentiate measures, compare judges.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from gradproof.differentiate.differentiate import Floats, Ints, Noise
from gradproof.differentiate.noise import Steps

MARGIN = 4.0  # bounds between slope and claim before an accusation; the bound alone covers 99.98 %, four of them always


class Answer(IntEnum):
    """What the ladder says of one direction."""

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
    """What is measured only once something looks wrong: the noise as measured, and what forbids an accusation."""

    noise: Noise
    hidden: Floats  # round-off of intermediates that the outputs no longer show (saturation), as a value
    hidden_claim: Floats  # the same for the claimed slope
    steps: Steps  # whether the outputs move in steps: rounded, cast, or a step function

    def blurred(self) -> Noise:
        """All the noise there may be: measured and hidden."""
        noise = self.noise
        return Noise(noise.value + self.hidden, noise.spread + self.hidden, noise.claim + self.hidden_claim)

    def only(self, who: Ints) -> Suspicion:
        """Return the same for some of the directions."""
        return Suspicion(self.noise.only(who), self.hidden[who], self.hidden_claim[who], self.steps)


@dataclass(frozen=True, eq=False)
class Directions:
    """The directions to judge, one element each: claimed slope, the tensor's size of slope, top step, modelled noise.

    least: a resolution coarser than COARSE times this says nothing (at least ``scale``; larger where the tensor matters
    little). quantum: the same for all, how far the value may have to move before rounded outputs would show it.
    """

    claim: Floats
    scale: Floats
    least: Floats
    top: Floats
    noise: Noise
    quantum: float = 0.0

    def only(self, who: Ints, noise: Noise, stretch: float) -> Directions:
        """Return some of the directions, with the noise as it is known now and a larger top step."""
        tops = self.top[who] * stretch
        return Directions(self.claim[who], self.scale[who], self.least[who], tops, noise.only(who), self.quantum)


@dataclass(frozen=True, eq=False)
class Judged:
    """The answers, one element each: the slope is ``numeric`` ± ``bound``; ``rho`` bounds |claim - truth| on AGREE."""

    outcome: Ints
    numeric: Floats
    bound: Floats
    rho: Floats
    step: Floats
    forwards: Ints

    @property
    def count(self) -> int:
        """How many directions there are."""
        return int(self.outcome.size)
