"""Makes a failing example smaller while it keeps failing: first its dims, then its values; it knows no layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from gradproof import arrays
from gradproof.arrays import Array
from gradproof.case import Case
from gradproof.examples import Plan, assemble, build, carry, specs_of, styled
from gradproof.sizes import Chosen
from gradproof.specs import Drawn, Floats
from gradproof.values import Example, Outcome

_FEW = 8  # entries of an array that are simplified one by one; beyond that, nobody reads them one by one


@dataclass
class Attempts:
    """Judges candidates, at most ``budget`` of them, and keeps the last that failed."""

    judge: Callable[[Example], Outcome]
    fails: Callable[[Outcome], bool]
    budget: int
    best: Outcome | None = None

    def fails_on(self, example: Example) -> bool:
        """Judge the example, and keep its outcome if it fails; False where the budget is spent."""
        if self.budget <= 0:
            return False
        self.budget -= 1
        outcome = self.judge(example)
        failed = self.fails(outcome)
        if failed:
            self.best = outcome
        return failed


def simplify(case: Case, attempts: Attempts, start: Example) -> Outcome | None:
    """The outcome of the smallest failing example that was found; None where ``start`` does not fail again."""
    if not attempts.fails_on(start):
        return None
    smaller = _smaller_dims(case, attempts, start)
    _simpler_values(case, attempts, smaller)
    return attempts.best


def _smaller_dims(case: Case, attempts: Attempts, example: Example) -> Example:
    """Go through the ways to shrink, each as far as it goes, until none of them helps."""
    while True:
        before = dict(example.dims)
        tried = [before]
        for way in _ways(case, before):
            smaller: Example | None = example
            while smaller is not None:
                example = smaller
                untried = (dims for dims in way(dict(example.dims)) if dims not in tried)
                smaller = _first_failing(case, attempts, example, untried, tried)
        if example.dims == before:
            return example


def _first_failing(
    case: Case, attempts: Attempts, example: Example, choices: Iterator[Chosen], tried: list[Chosen]
) -> Example | None:
    for dims in choices:
        tried.append(dims)
        for candidate in _candidates(case, example, dims):
            if attempts.fails_on(candidate):
                return candidate
    return None


def _candidates(case: Case, example: Example, dims: Chosen) -> Iterator[Example]:
    """The example cut to ``dims`` at either end; then fresh simple values."""
    yield carry(case, example, dims, from_end=False)
    yield carry(case, example, dims, from_end=True)
    values = {**example.init, **example.inputs}
    drawn = {name: values[name] for name, spec in specs_of(case).items() if isinstance(spec, Drawn)}
    styles = {name: allowed[0] for name, allowed in styled(case).items()}
    yield build(case, Plan(dims, styles, example.seed), drawn)


def _ways(case: Case, dims: Chosen) -> list[Callable[[Chosen], Iterator[Chosen]]]:
    """Ways to make dims smaller: all at once, each alone, then those that are equal together."""
    alone = [partial(_one_smaller, case, name) for name in dims]
    return [partial(_least, case), *alone, *(partial(_equal_smaller, case, name) for name in case.ranges)]


def _least(case: Case, dims: Chosen) -> Iterator[Chosen]:
    """The least choice of all; a dim that is 0 stays 0, for then the emptiness is the point."""
    least = case.space.complete({}, (), distinct=False) or {}
    yield {n: (1,) * case.space.axes[n][0] if isinstance(v, tuple) else least[n] if v else 0 for n, v in dims.items()}


def _one_smaller(case: Case, name: str, dims: Chosen) -> Iterator[Chosen]:
    value = dims[name]
    for smaller in _below_star(case, name, value) if isinstance(value, tuple) else _below(case, name, value):
        if _valid(case, single := {**dims, name: smaller}):
            yield single


def _equal_smaller(case: Case, name: str, dims: Chosen) -> Iterator[Chosen]:
    value = dims[name]
    group = [other for other in case.ranges if dims[other] == value]
    for smaller in _below(case, name, value) if isinstance(value, int) and len(group) > 1 else ():
        if _valid(case, joint := {**dims, **dict.fromkeys(group, smaller)}):
            yield joint


def _below(case: Case, name: str, value: int) -> list[int]:
    """Sizes below ``value`` in rising order: the three least, then ever closer ones, as in a bisection."""
    least = case.ranges[name][0]
    closer = {value - ((value - least) >> halvings) for halvings in range(1, 32)}
    return sorted(v for v in {least, least + 1, least + 2, value - 1, *closer} if least <= v < value)


def _below_star(case: Case, name: str, value: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Fewer axes, then each axis narrower; an axis that is empty stays so."""
    if len(value) > case.space.axes[name][0]:
        for axis in range(len(value)):
            yield value[:axis] + value[axis + 1 :]
    for axis, size in enumerate(value):
        for smaller in range(1, size):
            yield (*value[:axis], smaller, *value[axis + 1 :])


def _valid(case: Case, dims: Chosen) -> bool:
    inside = all(case.ranges[n][0] <= v <= case.ranges[n][1] for n, v in dims.items() if isinstance(v, int) and v)
    return inside and all(size.resolve(dims) >= 1 for size in case.space.sizes)


def _simpler_values(case: Case, attempts: Attempts, example: Example) -> None:
    """Give each float array rounder values while it keeps failing: all at once, then, where few, one by one."""
    for name, spec in specs_of(case).items():
        if not isinstance(spec, Floats):
            continue
        size = {**example.init, **example.inputs}[name].size
        for entry in (None, *range(size if size <= _FEW else 0)):
            values = {**example.init, **example.inputs}
            for candidate in _rounder(values[name], entry):
                rounder = assemble(case, dict(example.dims), {**values, name: candidate}, example.seed)
                if arrays.allows(spec, candidate) and attempts.fails_on(rounder):
                    example = rounder
                    break


def _rounder(array: Array, entry: int | None) -> Iterator[Array]:
    """Rounder versions of the array or of one entry (by flat position), the roundest first; none where it is round."""
    chosen = array if entry is None else array.flat[entry]
    if np.array_equal(chosen, np.round(chosen, 1)) and np.all(np.abs(chosen) < 10):
        return
    if entry is None:
        yield np.arange(1.0, array.size + 1).reshape(array.shape)  # all different: equal entries would hide positions
        yield np.rint(array) + 0.0  # no minus zero
        yield np.round(array, 1) + 0.0
        return
    value = float(array.flat[entry])
    for simple in (1.0, 2.0, -1.0, 0.5, np.rint(value) + 0.0, 0.0, round(value, 1), round(value, 2)):
        copy = array.copy()
        copy.flat[entry] = simple
        yield copy
