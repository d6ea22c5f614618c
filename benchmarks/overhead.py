"""What the engine's own Python costs beside the layer, and stacked batches against a loop over entries.

    OPENBLAS_NUM_THREADS=1 python benchmarks/overhead.py [--seed S] [--count N]

Each figure is the median of ratios or differences taken side by side in one run. Needs checks/ and core/ on the path.
"""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable

import numpy as np
from measure_directions import Bench, arguments
from measure_time import LAYER, stopwatch

from gradproof.case.case import Case
from gradproof.compare.directions import Answer
from gradproof.compare.examine import examine
from gradproof.compare.judge_example import judge_example
from gradproof.differentiate.problem import Problem
from gradproof.differentiate.problem_builder import ProblemBuilder
from gradproof.guard import Randomness
from gradproof.subject.subject import subject_of
from gradproof.values import Example, Verdict
from plainnet import Affine, Sigmoid, Softmax, SoftmaxWithLoss

Sides = tuple[int, int, int]
SMALL: tuple[Sides, ...] = ((2, 2, 2), (3, 4, 5), (6, 6, 6))
SLOW: tuple[Sides, ...] = ((8, 5, 8), (15, 3, 15))  # few entries, and a hundred microseconds or more in a Python loop
LARGE: tuple[Sides, ...] = ((64, 256, 256), (256, 256, 256))
STACKED: Sides = (32, 64, 64)


class LoopedAffine(Affine):
    """As it is written before one knows matrix products: entry by entry."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Compute x W + b for x (n, d), W (d, h), b (h,)."""
        super().forward(x)  # keeps what backward needs
        columns, shift = self.params[0].T.tolist(), self.params[1].tolist()
        return np.array(
            [
                [
                    sum(a * w for a, w in zip(row, column, strict=True)) + b
                    for column, b in zip(columns, shift, strict=True)
                ]
                for row in x.tolist()
            ]
        )


def affine(rng: np.random.Generator, sides: Sides) -> tuple[Case, Example]:
    """Checks x (n, d), W (d, h), b (h,)."""
    n, d, h = sides
    init = {"W": rng.standard_normal((d, h)), "b": rng.standard_normal(h)}
    return Case(Affine, W="d h", b="h", x="n d"), example(init, {"x": rng.standard_normal((n, d))})


def looped(rng: np.random.Generator, sides: Sides) -> tuple[Case, Example]:
    """Checks x (n, d), W (d, h), b (h,)."""
    _, drawn = affine(rng, sides)
    return Case(LoopedAffine, W="d h", b="h", x="n d"), drawn


def sigmoid(rng: np.random.Generator, sides: Sides) -> tuple[Case, Example]:
    """Checks x (n, d)."""
    return Case(Sigmoid, x="n d"), example({}, {"x": rng.standard_normal(sides[:2])})


def softmax(rng: np.random.Generator, sides: Sides) -> tuple[Case, Example]:
    """Checks x (n, c)."""
    return Case(Softmax, x="n c"), example({}, {"x": rng.standard_normal(sides[:2])})


def loss(rng: np.random.Generator, sides: Sides) -> tuple[Case, Example]:
    """Checks x (n, c) and a label for each row."""
    n, c, _ = sides
    inputs = {"x": rng.standard_normal((n, c)), "t": rng.integers(0, c, n)}
    return Case(SoftmaxWithLoss, x="n c", t="n"), example({}, inputs)


def example(init: dict[str, np.ndarray], inputs: dict[str, np.ndarray]) -> Example:
    """An example whose x is to be checked."""
    return Example({}, init, inputs, 1, frozenset({"x"}))


def overhead(rng: np.random.Generator, repeats: int) -> None:
    """The engine alone, and one example through the whole of judge_example(): building, the contract, the engine."""
    print("| layer | n, d, h | us a forward | calls of the layer |", end="")
    print(" engine: ours, us a call | look: ours, us a call | look: total / the layer's own |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for make, shapes in ((affine, SMALL), (sigmoid, SMALL), (softmax, SMALL), (loss, SMALL), (looped, SLOW)):
        for sides in shapes:
            overhead_row(*make(rng, sides), sides, repeats)
    for make in (affine, sigmoid, softmax, loss):
        for sides in LARGE:
            overhead_row(*make(rng, sides), sides, repeats)


def overhead_row(case: Case, drawn: Example, sides: Sides, repeats: int) -> None:
    """One line of the table: medians of the repeats."""
    layer, build = case.subject(**drawn.init), functools.partial(subject_of, case, drawn)
    with Randomness(drawn.seed) as random:
        problem = problem_of(case, drawn, random)
        columns = [
            (
                median_seconds(lambda: layer.forward(**drawn.inputs)) * 1e6,
                *beside(lambda: examine(problem, np.random.default_rng(drawn.seed)))[:2],
                *beside(lambda: judge_example(drawn, build))[1:],
            )
            for _ in range(repeats)
        ]
    once, calls, engine, ours, ratio = (statistics.median(column) for column in zip(*columns, strict=True))
    print(f"| {case.name} | {sides} | {once:.1f} | {calls:.0f} | {engine:.1f} | {ours:.1f} | {ratio:.2f} |", flush=True)


def beside(run: Callable[[], object]) -> tuple[int, float, float]:
    """Calls of the layer, our time in us for each of them, and all time over the layer's own."""
    begin = time.thread_time()
    with stopwatch() as watch:
        run()
        total = time.thread_time() - begin
    calls, own = watch.calls[LAYER], watch.seconds[LAYER]
    return calls, (total - own) / calls * 1e6, total / own


def problem_of(case: Case, drawn: Example, random: Randomness) -> Problem:
    """The example as the engine gets it."""
    problem = ProblemBuilder(subject_of(case, drawn, random), drawn.inputs, ("x",)).build(
        np.random.default_rng(drawn.seed)
    )
    if not isinstance(problem, Problem):
        raise RuntimeError(f"{case.name} has no problem: {problem}")
    return problem


def median_seconds(run: Callable[[], object], repeats: int = 20) -> float:
    """The median of a few calls."""
    seconds = []
    for _ in range(repeats):
        begin = time.thread_time()
        run()
        seconds.append(time.thread_time() - begin)
    return statistics.median(seconds)


def stacked(rng: np.random.Generator, repeats: int) -> None:
    """The gradient of x, entry by entry: one stacked forward for many entries, against two forwards for each."""
    print("| layer | x | loop, ms | stacked, ms | times faster | forwards: loop, stacked |\n|---|---|---|---|---|---|")
    for make in (affine, sigmoid, softmax):
        case, drawn = make(rng, STACKED)
        with Randomness(drawn.seed) as random:
            problem = problem_of(case, drawn, random)
            number = next(i for i, tensor in enumerate(problem.tensors) if tensor.name == "x")
            pairs = [both_ways(problem, number, rng) for _ in range(repeats)]
        loop, stack = (statistics.median(part[i] for part in pairs) * 1e3 for i in (0, 1))
        faster = statistics.median(a / b for a, b, _, _ in pairs)
        size = "x".join(map(str, problem.tensors[number].value.shape))
        print(f"| {case.name} | {size} | {loop:.1f} | {stack:.1f} | {faster:.0f} | {pairs[0][2]}, {pairs[0][3]} |")


def both_ways(problem: Problem, number: int, rng: np.random.Generator) -> tuple[float, float, int, int]:
    """Seconds of the loop and of the stack, and their forwards. Both must give every entry its verdict."""
    entries = np.arange(problem.tensors[number].value.size)
    begin = time.thread_time()
    _, judged = Bench(problem, rng).entries(number, entries.tolist())
    middle = time.thread_time()
    result = examine(problem, rng, {number: entries})[0]
    end = time.thread_time()
    if result.verdict is not Verdict.PASS or result.method != "stacked batch" or (judged.outcome != Answer.AGREE).any():
        raise RuntimeError(f"expected agreement both ways, got {result.verdict} by {result.method}")
    return middle - begin, end - middle, int(judged.forwards.sum()), result.forwards


def main() -> None:
    """Print both tables."""
    given = arguments(__doc__, 9, "repeats of each measurement; the median is shown")
    rng = np.random.default_rng(given.seed)
    overhead(rng, given.count)
    print()
    stacked(rng, given.count)


if __name__ == "__main__":
    main()
