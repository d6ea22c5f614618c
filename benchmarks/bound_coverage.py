"""Does the reported value ± bound cover the truth? Without any claim, and where a claim is accused.

    python benchmarks/bound_coverage.py [--seed S] [--count N]

The truth is the zoo's own backward in longdouble. It is known to longdouble's round-off, which is allowed for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from measure_directions import Bench, arguments, shared_out
from zoo_kind import Array
from zoo_problem import Drawn, draw

from gradproof.compare.directions import Answer
from gradproof.differentiate.numeric import directional_derivative, numerical_gradient

SMALL = 12  # entries of a tensor up to which its whole gradient is measured too
PLANTED = (1.0, 1e-2, 1e-4, 1e-6, 1e-8)  # relative errors of a claim, to be accused
TRUTH = 8 * float(np.finfo(np.longdouble).eps)
TINY = float(np.finfo(np.float64).tiny)  # a smaller truth is zero to any float64 function


@dataclass(frozen=True)
class Reading:
    """One measured derivative; error and bound are relative to the size of the tensor's slopes."""

    how: str
    kind: str
    scale: float
    error: float
    bound: float
    excess: float  # error over bound
    forwards: int


def reading(how: str, drawn: Drawn, numbers: tuple[float, float, int], truth: Array, along: Array) -> Reading:
    """Compare one value ± bound with the truth along a direction."""
    value, bound, forwards = numbers
    wanted = np.sum(truth * along)
    wanted = wanted if abs(wanted) >= TINY else np.longdouble(0)
    # of an intermediate of size 1, and of the terms that were added up
    doubt = TRUTH * (np.abs(drawn.dout).sum() * np.abs(along).max() + np.abs(truth * along).sum())
    error = max(abs(float(np.longdouble(value) - wanted)) - float(doubt), 0.0)
    size = float(np.abs(truth).max() * np.sqrt((along * along).sum())) or 1.0
    excess = error / bound if bound > 0 else np.inf if error > 0 else 0.0
    return Reading(how, drawn.kind.name, drawn.scale, error / size, bound / size, excess, forwards)


def unclaimed(rng: np.random.Generator, drawn: Drawn, number: int) -> Iterator[Reading]:
    """directional_derivative along an entry and along a dense direction; numerical_gradient of a small tensor."""
    x, truth = np.array(drawn.inputs[drawn.which[number]]), drawn.truth(number)
    evaluate, dout = drawn.problem().evaluate, drawn.dout.reshape(-1)

    def contracted(value: Array) -> float:
        return float(np.sum(dout * evaluate(number, value)))

    for how, along in (("entry", one_hot(x, int(rng.integers(x.size)))), ("direction", rng.standard_normal(x.shape))):
        found = directional_derivative(contracted, x, along)
        yield reading(how, drawn, (found.value, found.bound, found.forwards), truth, along)
    if x.size <= SMALL:
        whole = numerical_gradient(contracted, x)
        for i in range(x.size):
            numbers = whole.value.flat[i], whole.bound.flat[i], whole.forwards // x.size
            yield reading("gradient", drawn, numbers, truth, one_hot(x, i))


def accused(rng: np.random.Generator, drawn: Drawn, number: int) -> Iterator[Reading]:
    """What the verdict DISAGREE reports of an entry, and of a dense direction, whose claim is wrong."""
    gradient, truth = np.asarray(drawn.gradients[drawn.which[number]]), drawn.truth(number)
    entry, relative = int(np.argmax(np.abs(gradient))), float(rng.choice(PLANTED))
    wrong = gradient * (1 + relative * one_hot(gradient, entry))
    bench = Bench(drawn.problem({drawn.which[number]: wrong}), rng)
    dense = rng.standard_normal(gradient.shape)
    asked = (
        ("accused entry", one_hot(gradient, entry), bench.entries(number, [entry])[1]),
        ("accused direction", dense, bench.directions(number, [dense])[1]),
    )
    for how, along, judged in asked:
        if judged.outcome[0] == Answer.DISAGREE:
            numbers = float(judged.numeric[0]), float(judged.bound[0]), int(judged.forwards[0])
            yield reading(how, drawn, numbers, truth, along)


def one_hot(like: Array, entry: int) -> Array:
    """A one at the entry of an array of this shape, zero elsewhere."""
    result = np.zeros(like.shape)
    result.flat[entry] = 1.0
    return result


def readings(rng: np.random.Generator, count: int) -> list[Reading]:
    """``count`` draws of the zoo, one tensor of each."""
    result: list[Reading] = []
    drawn_so_far = 0
    while drawn_so_far < count:
        drawn = draw(rng)
        number = int(rng.integers(len(drawn.which)))
        if drawn.finite() and np.isfinite(drawn.truth(number)).all():
            drawn_so_far += 1
            result += (*unclaimed(rng, drawn, number), *accused(rng, drawn, number))
    return result


def main() -> None:
    """Print the table, and what was not covered."""
    given = arguments(__doc__, 40_000, "draws of the zoo, one tensor of each")
    everything = [one for part in shared_out(readings, given.seed, given.count) for one in part]
    print("| measured | count | bound infinite | covered | beyond 4 x bound |", end="")
    print(" error 50 % / 99 % | bound 50 % / 99 % | forwards |\n|---|---|---|---|---|---|---|---|")
    for how in dict.fromkeys(one.how for one in everything):
        row(how, [one for one in everything if one.how == how])
    row("all without a claim", [one for one in everything if not one.how.startswith("accused")])
    row("all accused", [one for one in everything if one.how.startswith("accused")])
    missed = [one for one in everything if one.excess > 1]
    print("\nnot covered, by kind:", dict(Counter(one.kind for one in missed).most_common()))
    for one in sorted(missed, key=lambda one: -one.excess)[:12]:
        print(f"  {one.how}, {one.kind}, scale {one.scale:g}: error {one.error:.1e}, bound {one.bound:.1e}")


def row(how: str, chosen: list[Reading]) -> None:
    """One line of the table."""
    excess, forwards = np.array([one.excess for one in chosen]), [one.forwards for one in chosen]
    infinite = np.mean([not np.isfinite(one.bound) for one in chosen])
    spread = [np.quantile([getattr(one, name) for one in chosen], (0.5, 0.99)) for name in ("error", "bound")]
    numbers = [f"{low:.0e} / {high:.0e}" for low, high in spread]
    print(
        f"| {how} | {excess.size} | {infinite:.3%} | {np.mean(excess <= 1):.4%} | {np.count_nonzero(excess > 4)} |",
        f"{numbers[0]} | {numbers[1]} | {np.mean(forwards):.1f} |",
    )


if __name__ == "__main__":
    main()
