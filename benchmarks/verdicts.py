"""Random correct checks over the whole zoo: how often is a right gradient accused, and what does a verdict cost?

python benchmarks/verdicts.py [--seed S] [--count N]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from measure_directions import Bench, arguments, shared_out
from zoo import ZOO
from zoo_problem import draw

from gradproof.compare.directions import Answer

ENTRIES, DIRECTIONS = 6, 2  # directions of one draw: at most, and exactly


@dataclass(frozen=True)
class Direction:
    """What is counted of one check."""

    kind: str
    scale: float
    linear: bool  # forward is linear or affine in this tensor
    how: str
    outcome: Answer
    forwards: int


@dataclass
class Tally:
    """One share of the run: directions by what they are, and every accusation in words."""

    directions: Counter[Direction] = field(default_factory=Counter)
    accusations: list[str] = field(default_factory=list)
    draws: int = 0
    second_looks: int = 0


def verdicts(rng: np.random.Generator, count: int) -> Tally:
    """``count`` checks of right gradients or more: entries and dense directions of random tensors of random kinds."""
    tally = Tally()
    while tally.directions.total() < count:
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
                outcome = Answer(judged.outcome[i])
                tally.directions[
                    Direction(drawn.kind.name, drawn.scale, linear, how, outcome, int(judged.forwards[i]))
                ] += 1
                if outcome == Answer.DISAGREE:
                    numbers = f"numeric {judged.numeric[i]:.3e} ± {judged.bound[i]:.1e}, off by {judged.rho[i]:.1e}"
                    tally.accusations.append(f"{drawn.kind.name}, scale {drawn.scale:g}, {how} of x{number}: {numbers}")
        tally.draws += 1
        tally.second_looks += bench.second_look
    return tally


def summary(directions: Counter[Direction]) -> None:
    """The verdicts and the forwards, by groups of directions."""
    groups: dict[str, Callable[[Direction], bool]] = {
        "all": lambda direction: True,
        "kinds held out": lambda direction: ZOO[direction.kind].held_out,
        "single entries": lambda direction: direction.how == "entry",
        "dense directions": lambda direction: direction.how == "direction",
        "linear in the tensor": lambda direction: direction.linear,
        "scale <= 0.01": lambda direction: direction.scale <= 0.01,
        "scale 0.1 .. 10": lambda direction: 0.1 <= direction.scale <= 10,
        "scale >= 50": lambda direction: direction.scale >= 50,
    }
    print("| checks | count | kinds | accused | no verdict | forwards: mean | 50 / 75 / 99 % | most |", end="")
    print(" most where it agrees |\n|---|---|---|---|---|---|---|---|---|")
    for name, belongs in groups.items():
        chosen = Counter({direction: n for direction, n in directions.items() if belongs(direction)})
        total, accused = chosen.total(), of(chosen, Answer.DISAGREE)
        unanswered = 1 - (of(chosen, Answer.AGREE) + accused) / total
        spent = np.repeat([direction.forwards for direction in chosen], list(chosen.values()))
        spread = " / ".join(f"{q:.0f}" for q in np.quantile(spent, (0.5, 0.75, 0.99)))
        agreeing = max(direction.forwards for direction in chosen if direction.outcome == Answer.AGREE)
        kinds = len({direction.kind for direction in chosen})
        print(f"| {name} | {total} | {kinds} | {accused} | {unanswered:.2%} | {spent.mean():.2f}", end=" | ")
        print(f"{spread} | {spent.max()} | {agreeing} |")


def of(directions: Counter[Direction], outcome: Answer) -> int:
    """How many have this outcome."""
    return sum(n for direction, n in directions.items() if direction.outcome == outcome)


def main() -> None:
    """Print the table, the reasons for no verdict, and every accusation."""
    given = arguments(__doc__, 1_000_000, "checks of a right gradient")
    parts = shared_out(verdicts, given.seed, given.count)
    directions: Counter[Direction] = sum((part.directions for part in parts), Counter())
    summary(directions)
    draws, looks = sum(part.draws for part in parts), sum(part.second_looks for part in parts)
    print(f"\n{draws} draws; the second look was taken in {looks / draws:.1%} of them")
    reasons = {outcome: of(directions, outcome) for outcome in Answer if of(directions, outcome)}
    print("outcomes:", ", ".join(f"{n} {outcome.name}" for outcome, n in reasons.items()))
    unanswered: Counter[str] = Counter()
    for direction, n in directions.items():
        unanswered[direction.kind] += n * (direction.outcome not in (Answer.AGREE, Answer.DISAGREE))
    print("no verdict, by kind:", ", ".join(f"{kind} {n}" for kind, n in unanswered.most_common(8)))
    for accusation in (line for part in parts for line in part.accusations):
        print("ACCUSED", accusation)


if __name__ == "__main__":
    main()
