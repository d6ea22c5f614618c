"""Single entries and dense directions of a Problem, each judged alone; random work shared out over processes.

It knows how the engine is asked; it knows neither what is measured nor what the answer should be.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import numpy as np
from zoo_kind import Array

from gradproof.compare.compare import judge
from gradproof.compare.directions import Directions, Judged
from gradproof.compare.examine import (
    Examination,
    dense_directions,
    locate_in,
)  # examine() adds directions up to tensors: here each one counts
from gradproof.compare.wrong_entries import Located
from gradproof.differentiate.problem import Problem
from gradproof.differentiate.sampling import DirectionSampler, EntrySampler

T = TypeVar("T")
SHARES = 64  # parts of a run, each with a seed of its own: the result does not depend on how many processes there are


class Bench:
    """One problem under examination; the second look is taken at most once, as in examine()."""

    def __init__(self, problem: Problem, rng: np.random.Generator) -> None:
        self._problem, self._examination = problem, Examination(problem, rng)

    @property
    def second_look(self) -> bool:
        """Whether something looked wrong enough for the engine to measure the noise."""
        return self._examination.measured is not None

    def entries(self, tensor: int, entries: Sequence[int]) -> tuple[Directions, Judged]:
        """Judge some entries of one tensor."""
        which, where = np.full(len(entries), tensor, np.intp), np.asarray(entries, np.intp)
        directions, second = self._examination.entry_directions(which, where)
        sampler = EntrySampler(self._problem.point, self._problem.evaluate, which, where)
        return directions, judge(directions, sampler, second)

    def directions(self, tensor: int, weights: Sequence[Array]) -> tuple[Directions, Judged]:
        """Judge some directions of one tensor, each of its shape."""
        directions, second = dense_directions(self._examination, tensor, weights)
        sampler = DirectionSampler(self._problem.point, self._problem.evaluate, tensor, weights.__getitem__)
        return directions, judge(directions, sampler, second)

    def located(self, tensor: int, step: float) -> tuple[tuple[Located, ...], int]:
        """The wrong entries of a tensor whose direction was accused at this step, and the forwards of the search."""
        return locate_in(self._examination, tensor, step)


def arguments(doc: str | None, count: int, unit: str) -> argparse.Namespace:
    """--seed and --count, as every script here has them; prints the seed and the versions."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of all draws (default: 0)")
    parser.add_argument("--count", type=int, default=count, metavar="N", help=f"{unit} (default: {count})")
    given = parser.parse_args()
    if given.seed < 0 or given.count < 1:
        parser.error(f"expected --seed >= 0 and --count >= 1, got {given.seed} and {given.count}")
    print(f"seed {given.seed}, count {given.count}, {os.cpu_count()} cores ({platform.machine()}),", end=" ")
    print(f"Python {platform.python_version()}, NumPy {np.__version__}", flush=True)
    return given


def shared_out(work: Callable[[np.random.Generator, int], T], seed: int, count: int) -> list[T]:
    """``work(rng, share of count)`` for every share, over as many processes as there are cores."""
    begin = time.perf_counter()
    counts = [count // SHARES + (i < count % SHARES) for i in range(SHARES)]
    sources = np.random.SeedSequence(seed).spawn(SHARES)
    with ProcessPoolExecutor() as pool:
        results = list(pool.map(_one_share, [work] * SHARES, sources, counts))
    print(f"{time.perf_counter() - begin:.0f} s\n")
    return results


def _one_share(work: Callable[[np.random.Generator, int], T], source: np.random.SeedSequence, count: int) -> T:
    with np.errstate(all="ignore"):  # saturated layers under- and overflow on purpose
        return work(np.random.default_rng(source), count)
