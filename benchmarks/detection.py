"""Errors planted in one entry of a right gradient: how small may they be and still be found?

    python benchmarks/detection.py [--seed S] [--count N]

The entry is at least a thousandth of the largest. Where the right gradient itself ends without a verdict, float64 does
not show it: there no error can be found, and the table counts these checks apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from measure_directions import Bench, arguments, shared_out
from zoo_problem import Drawn, draw

from gradproof.compare.directions import Answer

ERRORS = (1e-3, 1e-6, 1e-8, 1e-9, 1e-10)
WEIGHTY = 1e-3
RANGES: dict[str, Callable[[float], bool]] = {
    "1e-4 .. 1e-2": lambda scale: scale <= 0.01,
    "0.1 .. 10": lambda scale: 0.1 <= scale <= 10,
    "50 .. 1e4": lambda scale: scale >= 50,
}


@dataclass(frozen=True)
class Planted:
    """One error, what the right gradient gave in its place, and the forwards that it took."""

    kind: str
    scale: float
    error: float
    outcome: Answer
    right: Answer
    unsound: bool  # agreed, and certified a distance below half of the error
    forwards: int


def planted(rng: np.random.Generator, count: int) -> list[Planted]:
    """``count`` draws; in each, every size of error in the same entry."""
    result: list[Planted] = []
    while len(result) < count * len(ERRORS):
        drawn = draw(rng)
        number = int(rng.integers(len(drawn.which)))
        size = np.abs(np.asarray(drawn.gradients[drawn.which[number]]))
        if drawn.finite() and size.size and size.max() > 0:
            entry = int(rng.choice(np.flatnonzero(size >= WEIGHTY * size.max())))
            result += in_entry(drawn, number, entry, rng)
    return result


def in_entry(drawn: Drawn, number: int, entry: int, rng: np.random.Generator) -> list[Planted]:
    """Judge the entry with the right claim, then with each wrong one."""
    position = drawn.which[number]
    gradient = np.asarray(drawn.gradients[position])
    right = Answer(Bench(drawn.problem(), rng).entries(number, [entry])[1].outcome[0])
    result: list[Planted] = []
    for error in ERRORS:
        wrong = gradient.copy()
        wrong.flat[entry] *= 1 + error
        judged = Bench(drawn.problem({position: wrong}), rng).entries(number, [entry])[1]
        outcome, size = Answer(judged.outcome[0]), error * abs(float(gradient.flat[entry]))
        unsound = outcome == Answer.AGREE and float(judged.rho[0]) < size / 2
        forwards = int(judged.forwards[0])
        result.append(Planted(drawn.kind.name, drawn.scale, error, outcome, right, unsound, forwards))
    return result


def main() -> None:
    """Print the table, and the kinds in which an error of 1e-6 hides most."""
    given = arguments(__doc__, 20_000, "draws, each with every size of error")
    everything = [one for part in shared_out(planted, given.seed, given.count) for one in part]
    open_ = np.mean([one.right not in (Answer.AGREE, Answer.DISAGREE) for one in everything])
    print(
        f"the right gradient is below resolution, or has no verdict for another reason, in {open_:.2%} of the draws\n"
    )
    print("| error | found | found where the right gradient has a verdict |", end="")
    print(*(f" at scale {name} |" for name in RANGES), " unsound | forwards, mean / most |", sep="")
    print("|---|---|---|---|---|---|---|---|")
    for error in ERRORS:
        row(error, [one for one in everything if one.error == error])
    print("\nmissed 1e-6, by kind:", ", ".join(hardest([one for one in everything if one.error == 1e-6])))
    unsound = Counter(f"{one.kind} {one.scale:g}" for one in everything if one.unsound and one.error >= 1e-8)
    print("unsound, by kind and scale:", ", ".join(f"{where}: {n}" for where, n in unsound.most_common()) or "none")


def found(chosen: Sequence[Planted]) -> str:
    """The share of errors that are accused."""
    return f"{np.mean([one.outcome == Answer.DISAGREE for one in chosen]):.2%}"


def row(error: float, chosen: Sequence[Planted]) -> None:
    """One size of error."""
    visible = [one for one in chosen if one.right == Answer.AGREE]
    by_scale = (found([one for one in chosen if holds(one.scale)]) for holds in RANGES.values())
    unsound, spent = sum(one.unsound for one in chosen), [one.forwards for one in chosen]
    cells = (f"{error:g}", found(chosen), found(visible), *by_scale, f"{unsound} of {len(chosen)}")
    print("|", " | ".join(cells), f"| {np.mean(spent):.1f} / {max(spent)} |")


def hardest(chosen: Sequence[Planted]) -> list[str]:
    """The kinds with the smallest share found."""
    shares = []
    for kind in {one.kind for one in chosen}:
        mine = [one for one in chosen if one.kind == kind]
        shares.append((sum(one.outcome != Answer.DISAGREE for one in mine) / len(mine), kind))
    return [f"{kind} {share:.0%}" for share, kind in sorted(shares, reverse=True)[:8]]


if __name__ == "__main__":
    main()
