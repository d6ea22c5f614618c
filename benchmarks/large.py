"""Large tensors: forwards along a direction, forwards to locate wrong entries, memory beside the layer's arrays.

python benchmarks/large.py [--seed S] [--count N]
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from measure_directions import Bench, arguments
from zoo_kind import Array

from gradproof.compare.directions import Answer
from gradproof.compare.examine import DIRECTIONS, examine
from gradproof.differentiate.problem import Problem, Tensor
from gradproof.differentiate.sampling import signed_direction
from gradproof.values import Role

T = TypeVar("T")
SIZES = (1_000, 10_000, 100_000, 1_000_000)
MEMORY = 10_000_000
ROWS, CLASSES = 8, 100
ERRORS = (1.0, 1e-3, 1e-6)  # relative to the entry; it is one of the upper half by size
WRONG = (1, 3, 10)


@dataclass(frozen=True, eq=False)
class Layer:
    """One tensor's forward, flat outputs, and its gradient; small temporaries, so that memory is the harness's."""

    name: str
    value: Array
    forward: Callable[[Array], Array]
    gradient: Callable[[Array, Array], Array]  # (dout, value)


def sigmoid(rng: np.random.Generator, size: int) -> Layer:
    """As many outputs as inputs, one output array and no other."""

    def forward(x: Array) -> Array:
        y = np.negative(x).reshape(-1)
        np.exp(y, out=y)
        y += 1
        return np.reciprocal(y, out=y)

    return Layer("sigmoid", rng.standard_normal(size), forward, lambda dout, x: dout * forward(x) * (1 - forward(x)))


def affine(rng: np.random.Generator, size: int) -> Layer:
    """The weights of x W, eight rows of x."""
    width = min(size, 1000)
    x = rng.standard_normal((ROWS, size // width))
    weights = rng.standard_normal((size // width, width)) / np.sqrt(size // width)
    return Layer("affine W", weights, lambda w: (x @ w).reshape(-1), lambda dout, w: x.T @ dout.reshape(ROWS, -1))


def cross_entropy(rng: np.random.Generator, size: int) -> Layer:
    """The mean softmax cross entropy of a hundred classes: one output, each entry a small part of it."""
    rows = np.arange(size // CLASSES)
    labels = rng.integers(0, CLASSES, rows.size)

    def exponentials(x: Array) -> Array:
        return np.exp(x - x.max(axis=1, keepdims=True))

    def forward(x: Array) -> Array:
        own = x[rows, labels] - x.max(axis=1)
        return np.array([(np.log(exponentials(x).sum(axis=1)) - own).mean()])

    def gradient(dout: Array, x: Array) -> Array:
        p = exponentials(x)
        p /= p.sum(axis=1, keepdims=True)
        p[rows, labels] -= 1
        return p * (dout[0] / rows.size)

    return Layer("mean cross entropy", rng.standard_normal((rows.size, CLASSES)), forward, gradient)


def relu(rng: np.random.Generator, size: int) -> Layer:
    """Kinks everywhere around a large point: some inputs are always within a step of zero."""
    return Layer(
        "relu", rng.standard_normal(size), lambda x: np.maximum(x, 0).reshape(-1), lambda dout, x: dout * (x > 0)
    )


LAYERS = (sigmoid, affine, cross_entropy, relu)


def problem_of(layer: Layer, rng: np.random.Generator, spoil: Callable[[Array], Array] = lambda g: g) -> Problem:
    """The problem with the layer's gradient, spoilt."""
    outputs = layer.forward(layer.value)
    dout = rng.standard_normal(outputs.size)
    claim = spoil(layer.gradient(dout, layer.value))

    def at(values: Sequence[Array]) -> tuple[Array, list[Array]]:
        return layer.forward(values[0]), [layer.gradient(dout, values[0])]

    tensor = Tensor("x", Role.INPUT, layer.value, claim)
    return Problem([tensor], outputs, dout, lambda _, value: layer.forward(value), at, lambda _: None, 2.0**-52)


def spoilt(gradient: Array, entries: Array, error: float) -> Array:
    """Each of the entries times (1 + error)."""
    result = gradient.copy()
    result.flat[entries] *= 1 + error
    return result


def directions(rng: np.random.Generator, count: int) -> None:
    """Forwards for each of the directions on correct layers, and what they can see."""
    print("| layer | n | directions | accused | no verdict | forwards a direction, mean / max | resolution, median |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for make in LAYERS:
        for size in SIZES:
            layer = make(rng, size)
            problem, outcomes, forwards, sharp = problem_of(layer, rng), [], [], []
            bench, scale = Bench(problem, rng), float(np.abs(problem.tensors[0].claim).max())
            for _ in range(count):
                _, judged = bench.directions(0, [signed_direction(layer.value.shape, rng)])
                outcomes.append(int(judged.outcome[0]))
                forwards.append(int(judged.forwards[0]))
                sharp.append(float(judged.rho[0]) / scale)
            accused, open_ = outcomes.count(Answer.DISAGREE), count - outcomes.count(Answer.AGREE)
            numbers = f"{np.mean(forwards):.1f} / {max(forwards)} | {np.nanmedian(sharp):.0e}"
            print(f"| {layer.name} | {size} | {count} | {accused} | {open_ - accused} | {numbers} |", flush=True)


@dataclass(frozen=True)
class Search:
    """What came of one layer with wrong entries: forwards of the verdict, of the search, and of the second look."""

    accused: bool
    named: int
    spurious: int
    verdict: int
    search: int
    second_look: int


def locating(rng: np.random.Generator, count: int) -> None:
    """Wrong entries planted in a layer of each size."""
    print("| layer | wrong entries | error | n | accused | entries named | spurious |", end="")
    print(" forwards of the search, median / max | of the verdict, median | of the second look |")
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for make in (sigmoid, affine):
        for wrong in WRONG:
            for error in ERRORS:
                for size in SIZES:
                    row = [searched(make(rng, size), wrong, error, rng) for _ in range(count)]
                    named, spurious = sum(one.named for one in row), sum(one.spurious for one in row)
                    found = f"{sum(one.accused for one in row)} of {count} | {named} of {wrong * count} | {spurious}"
                    search, verdict = [one.search for one in row], [one.verdict for one in row]
                    forwards = f"{np.median(search):.0f} / {max(search)} | {np.median(verdict):.0f}"
                    second = max(one.second_look for one in row)
                    print(f"| {make.__name__} | {wrong} | {error:g} | {size} | {found} | {forwards} | {second} |")


def searched(layer: Layer, wrong: int, error: float, rng: np.random.Generator) -> Search:
    """Plant, judge directions until one is accused, search."""
    clean = problem_of(layer, rng)
    size = np.abs(clean.tensors[0].claim).reshape(-1)
    entries = rng.choice(np.flatnonzero(size >= np.median(size)), wrong, replace=False)
    calls: list[int] = []

    def at(values: Sequence[Array]) -> tuple[Array, Sequence[Array]]:
        calls.append(1)
        return clean.at(values)

    claim = spoilt(clean.tensors[0].claim, entries, error)
    bench = Bench(replace(clean, tensors=[replace(clean.tensors[0], claim=claim)], at=at), rng)
    verdict = 0
    for _ in range(DIRECTIONS):
        _, judged = bench.directions(0, [signed_direction(layer.value.shape, rng)])
        verdict += int(judged.forwards[0])
        if judged.outcome[0] == Answer.DISAGREE:
            located, forwards = bench.located(0, float(judged.step[0]))
            named, planted = {one.entry for one in located}, set(entries.tolist())
            return Search(True, len(named & planted), len(named - planted), verdict, forwards, len(calls))
    return Search(False, 0, 0, verdict, 0, len(calls))


def memory(rng: np.random.Generator) -> None:
    """The most that examine() holds beside the layer's tensor, gradient, outputs and dout; one unit: one such array."""
    print("| layer | n | claim | verdict | peak, arrays of n | of which one forward takes |")
    print("|---|---|---|---|---|---|", flush=True)
    for make in (sigmoid, affine):
        for error in (0.0, 1e-3):
            layer = make(rng, MEMORY)
            entry = rng.choice(layer.value.size, 1)
            problem = problem_of(layer, rng, lambda gradient, entry=entry, by=error: spoilt(gradient, entry, by))
            alone, _ = peak(lambda p=problem: p.evaluate(0, p.tensors[0].value))
            whole, results = peak(lambda p=problem: examine(p, rng))
            claim = f"one entry x (1 + {error:g})" if error else "right"
            print(
                f"| {layer.name} | {MEMORY} | {claim} | {results[0].verdict} | {whole:.2f} | {alone:.2f} |", flush=True
            )


def peak(run: Callable[[], T]) -> tuple[float, T]:
    """The most memory held at once, in arrays of n float64, and the result."""
    tracemalloc.start()
    result = run()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / (8 * MEMORY), result


def main() -> None:
    """Print the three tables."""
    given = arguments(__doc__, 3, "directions, and layers with wrong entries, for each size")
    rng = np.random.default_rng(given.seed)
    with np.errstate(all="ignore"):
        for table in (lambda: memory(rng), lambda: directions(rng, given.count), lambda: locating(rng, given.count)):
            begin = time.perf_counter()
            table()
            print(f"{time.perf_counter() - begin:.0f} s\n", flush=True)


if __name__ == "__main__":
    main()
