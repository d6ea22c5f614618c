"""Random correct checks over the whole zoo: how often is a right gradient accused, and what does a verdict cost?

python benchmarks/verdicts.py [--seed S] [--count N]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from measure_lanes import Bench, arguments, shared_out
from zoo import ZOO
from zoo_problem import draw

from gradproof.compare.lanes import Outcome

ENTRIES, DIRECTIONS = 6, 2  # lanes of one draw: at most, and exactly


@dataclass(frozen=True)
class Lane:
    """What is counted of one check."""

    kind: str
    scale: float
    linear: bool  # forward is linear or affine in this tensor
    how: str
    outcome: Outcome
    forwards: int


@dataclass
class Tally:
    """One share of the run: lanes by what they are, and every accusation in words."""

    lanes: Counter[Lane] = field(default_factory=Counter)
    accusations: list[str] = field(default_factory=list)
    draws: int = 0
    second_looks: int = 0


def verdicts(rng: np.random.Generator, count: int) -> Tally:
    """``count`` checks of right gradients or more: entries and dense directions of random tensors of random kinds."""
    tally = Tally()
    while tally.lanes.total() < count:
        drawn = draw(rng)
        number = int(rng.integers(len(drawn.which)))
        shape = drawn.inputs[drawn.which[number]].shape
        size = int(np.prod(shape))
        if not drawn.finite() or not size:
            continue
        bench = Bench(drawn.problem(), rng)
        entries = rng.choice(size, min(ENTRIES, size), replace=False)
        weights = [rng.choice([-1.0, 1.0], shape), rng.standard_normal(shape)]
        linear = drawn.which[number] in drawn.kind.linear_in
        for how, judged in (
            ("entry", bench.entries(number, entries.tolist())[1]),
            ("direction", bench.directions(number, weights)[1]),
        ):
            for i in range(judged.count):
                outcome = Outcome(judged.outcome[i])
                tally.lanes[Lane(drawn.kind.name, drawn.scale, linear, how, outcome, int(judged.forwards[i]))] += 1
                if outcome == Outcome.DISAGREE:
                    numbers = f"numeric {judged.numeric[i]:.3e} ± {judged.bound[i]:.1e}, off by {judged.rho[i]:.1e}"
                    tally.accusations.append(f"{drawn.kind.name}, scale {drawn.scale:g}, {how} of x{number}: {numbers}")
        tally.draws += 1
        tally.second_looks += bench.second_look
    return tally


def summary(lanes: Counter[Lane]) -> None:
    """The verdicts and the forwards, by groups of lanes."""
    groups: dict[str, Callable[[Lane], bool]] = {
        "all": lambda lane: True,
        "kinds held out": lambda lane: ZOO[lane.kind].held_out,
        "single entries": lambda lane: lane.how == "entry",
        "dense directions": lambda lane: lane.how == "direction",
        "linear in the tensor": lambda lane: lane.linear,
        "scale <= 0.01": lambda lane: lane.scale <= 0.01,
        "scale 0.1 .. 10": lambda lane: 0.1 <= lane.scale <= 10,
        "scale >= 50": lambda lane: lane.scale >= 50,
    }
    print("| checks | count | kinds | accused | no verdict | forwards: mean | 50 / 75 / 99 % | most |", end="")
    print(" most where it agrees |\n|---|---|---|---|---|---|---|---|---|")
    for name, belongs in groups.items():
        chosen = Counter({lane: n for lane, n in lanes.items() if belongs(lane)})
        total, accused = chosen.total(), of(chosen, Outcome.DISAGREE)
        unanswered = 1 - (of(chosen, Outcome.AGREE) + accused) / total
        spent = np.repeat([lane.forwards for lane in chosen], list(chosen.values()))
        spread = " / ".join(f"{q:.0f}" for q in np.quantile(spent, (0.5, 0.75, 0.99)))
        agreeing = max(lane.forwards for lane in chosen if lane.outcome == Outcome.AGREE)
        kinds = len({lane.kind for lane in chosen})
        print(f"| {name} | {total} | {kinds} | {accused} | {unanswered:.2%} | {spent.mean():.2f}", end=" | ")
        print(f"{spread} | {spent.max()} | {agreeing} |")


def of(lanes: Counter[Lane], outcome: Outcome) -> int:
    """How many have this outcome."""
    return sum(n for lane, n in lanes.items() if lane.outcome == outcome)


def main() -> None:
    """Print the table, the reasons for no verdict, and every accusation."""
    given = arguments(__doc__, 1_000_000, "checks of a right gradient")
    parts = shared_out(verdicts, given.seed, given.count)
    lanes: Counter[Lane] = sum((part.lanes for part in parts), Counter())
    summary(lanes)
    draws, looks = sum(part.draws for part in parts), sum(part.second_looks for part in parts)
    print(f"\n{draws} draws; the second look was taken in {looks / draws:.1%} of them")
    reasons = {outcome: of(lanes, outcome) for outcome in Outcome if of(lanes, outcome)}
    print("outcomes:", ", ".join(f"{n} {outcome.name}" for outcome, n in reasons.items()))
    unanswered: Counter[str] = Counter()
    for lane, n in lanes.items():
        unanswered[lane.kind] += n * (lane.outcome not in (Outcome.AGREE, Outcome.DISAGREE))
    print("no verdict, by kind:", ", ".join(f"{kind} {n}" for kind, n in unanswered.most_common(8)))
    for accusation in (line for part in parts for line in part.accusations):
        print("ACCUSED", accusation)


if __name__ == "__main__":
    main()
