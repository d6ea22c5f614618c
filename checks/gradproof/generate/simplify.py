"""Candidates that are simpler than a failing example: cut to other dims, or of rounder values; it knows no layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradproof.case.case import Case
from gradproof.case.sizes import Chosen
from gradproof.case.specs import Floats
from gradproof.generate import arrays, parameters
from gradproof.generate.arrays import Array
from gradproof.generate.examples import Plan, alike, assemble, build, carry, specs_of, strategies_of, styled
from gradproof.generate.hyperparameters import moved, varied
from gradproof.values import Example, Outcome

_FEW = 8  # entries of an array that are simplified one by one; beyond that, nobody reads them one by one


@dataclass
class Attempts:
    """Judges candidates, at most ``budget`` of them; ``best`` is the last that failed."""

    judge: Callable[[Example], Outcome]
    fails: Callable[[Outcome], bool]
    budget: int
    best: Outcome

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


def resized(case: Case, example: Example, dims: Chosen) -> Iterator[Example]:
    """The example cut to ``dims`` at either end; then fresh simple values."""
    yield carry(case, example, dims, from_end=False)
    yield carry(case, example, dims, from_end=True)
    values = {**example.init, **example.inputs}
    drawn = {name: values[name] for name in strategies_of(case)}
    styles = {name: allowed[0] for name, allowed in styled(case).items()}
    yield alike(build(case, Plan(dims, styles, example.seed), drawn), example)


def with_values(case: Case, example: Example, values: Mapping[str, Any]) -> Example:
    """The example with other values of some arguments."""
    return alike(
        assemble(case, dict(example.dims), {**example.init, **example.inputs, **values}, example.seed), example
    )


def with_own(attempts: Attempts) -> None:
    """The author's own values of hyper-parameters and of what the layer makes, where it still fails with them."""
    for name, one in moved(attempts.best.example).items():
        values = {**attempts.best.example.varied, name: replace(one, value=one.own)}
        attempts.fails_on(varied(attempts.best.example, values))
    made = attempts.best.example.made
    if not made or attempts.fails_on(replace(attempts.best.example, made={})):
        return
    for name in made if len(made) > 1 else ():
        rest = {other: one for other, one in attempts.best.example.made.items() if other != name}
        attempts.fails_on(replace(attempts.best.example, made=rest))


def simplify_values(case: Case, attempts: Attempts) -> None:
    """Give each float array rounder values while it keeps failing: all at once, then, where few, one by one."""
    for name, spec in specs_of(case).items():
        if not isinstance(spec, Floats):
            continue
        size = _array(attempts, name).size
        for entry in (None, *range(size if size <= _FEW else 0)):
            for candidate in _rounder(_array(attempts, name), entry):
                rounder = with_values(case, attempts.best.example, {name: candidate})
                if arrays.allows(spec, candidate) and attempts.fails_on(rounder):
                    break
    for name in attempts.best.example.made:
        _simplify_made(name, attempts)


def _simplify_made(name: str, attempts: Attempts) -> None:
    size = attempts.best.example.made[name].value.size
    for entry in (None, *range(size if size <= _FEW else 0)):
        made = attempts.best.example.made
        for candidate in _rounder(made[name].value, entry):
            rounder = replace(made[name], value=np.asarray(candidate))
            is_possible = parameters.allows(rounder, rounder.value)
            if is_possible and attempts.fails_on(replace(attempts.best.example, made={**made, name: rounder})):
                break


def _array(attempts: Attempts, name: str) -> Array:
    example = attempts.best.example
    array: Array = {**example.init, **example.inputs}[name]
    return array


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
