"""Turns a case, dims and styles into one example, and carries an example to other dims; it judges none."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradproof.case.case import Case
from gradproof.case.sizes import Chosen, corners
from gradproof.case.specs import Drawn, Floats, Labels, Literal, OneHot, Probabilities, SizeArgument, Sizes, Spec
from gradproof.convention.gradnames import key_of
from gradproof.generate import arrays
from gradproof.generate.arrays import Style
from gradproof.generate.hyperparameters import varied
from gradproof.values import Example

_SEEDS = 2**31  # how many seeds there are for the values of a corner shape
_VALUES = 1  # beside a seed: the stream from which the values are drawn


@dataclass(frozen=True)
class Plan:
    """What determines an example, beside the values of strategies."""

    dims: Chosen
    styles: Mapping[str, Style]
    seed: int

    @property
    def is_empty(self) -> bool:
        """Whether some dim is 0, or the size of some axis behind a star."""
        return any(value == 0 or (isinstance(value, tuple) and 0 in value) for value in self.dims.values())


def specs_of(case: Case) -> dict[str, Spec]:
    """Every argument of the case once, the constructor's first."""
    return {**case.init, **case.inputs}


def styled(case: Case) -> dict[str, tuple[Style, ...]]:
    """The arguments that have a style, and the styles that each may take."""
    found = {name: spec for name, spec in specs_of(case).items() if isinstance(spec, Floats)}
    return {
        name: arrays.PARAMETER_STYLES if name in case.init or key_of(name) else arrays.INPUT_STYLES for name in found
    }


def strategies_of(case: Case) -> dict[str, Any]:
    """The arguments that are strategies."""
    return {name: spec.strategy for name, spec in specs_of(case).items() if isinstance(spec, Drawn)}


def corner_plans(case: Case, seed: int) -> list[Plan]:
    """A plan for each corner shape; they take their styles in turn: generic values first, which show most."""
    plans: list[Plan] = []
    for position, dims in enumerate(corners(case.space)):
        rng = np.random.default_rng([seed, position])
        styles = {name: allowed[(position + 1) % min(3, len(allowed))] for name, allowed in styled(case).items()}
        plans.append(Plan(dims, styles, int(rng.integers(_SEEDS))))
    return plans


def build(case: Case, plan: Plan, drawn: Mapping[str, Any]) -> Example:
    """The example of a plan; ``drawn`` holds the values of the arguments that are strategies."""
    # the seed itself is for dout: drawn from one stream, x and dout would be the same numbers
    rng = np.random.default_rng([plan.seed, _VALUES])
    values = {name: _value(name, spec, plan, drawn, rng) for name, spec in specs_of(case).items()}
    return assemble(case, plan.dims, values, plan.seed)


def assemble(case: Case, dims: Chosen, values: Mapping[str, Any], seed: int) -> Example:
    """An example of given values; each argument gets a copy of its own, so that none of them share memory."""
    specs = specs_of(case)
    differentiable = frozenset(name for name in case.inputs if _is_differentiable(specs[name], values[name]))
    fixed = frozenset(name for name, spec in specs.items() if _is_fixed(spec))
    init = {name: duplicate(values[name]) for name in case.init}
    inputs = {name: duplicate(values[name]) for name in case.inputs}
    return Example(dict(dims), init, inputs, seed, differentiable, fixed)


def alike(example: Example, other: Example) -> Example:
    """The example with the hyper-parameters of another one, and with its parameters, where the layer makes them."""
    return varied(replace(example, made=other.made, numbers=other.numbers), other.varied)


def duplicate(value: Any) -> Any:
    """A deep copy; the value itself where Python cannot copy it (a module, a lock)."""
    try:
        return copy.deepcopy(value)
    except TypeError:
        return value


def carry(case: Case, example: Example, dims: Chosen, *, from_end: bool) -> Example:
    """The example cut (or, where an axis grows, repeated) to other dims; ``from_end`` keeps the last entries."""
    values = {**example.init, **example.inputs}
    for name, spec in specs_of(case).items():
        if isinstance(spec, Floats):
            values[name] = _fit(values[name], spec.shape.resolve(dims), from_end=from_end)
        elif isinstance(spec, Labels):
            values[name] = _fit(values[name], spec.shape.resolve(dims), from_end=from_end) % spec.below.resolve(dims)
        elif isinstance(spec, Probabilities):
            shape = (*spec.shape.resolve(dims), spec.classes.resolve(dims))
            values[name] = arrays.adding_up_to_one(_fit(values[name], shape, from_end=from_end))
        elif isinstance(spec, OneHot):
            classes = spec.classes.resolve(dims)
            rows = _fit(np.argmax(values[name], axis=-1), spec.shape.resolve(dims), from_end=from_end) % classes
            values[name] = np.eye(classes)[rows]
        elif isinstance(spec, SizeArgument):
            values[name] = spec.size.resolve(dims)
        elif isinstance(spec, Sizes):
            values[name] = spec.shape.resolve(dims)
    return alike(assemble(case, dims, values, example.seed), example)


def _value(name: str, spec: Spec, plan: Plan, drawn: Mapping[str, Any], rng: np.random.Generator) -> Any:
    if isinstance(spec, Floats):
        return arrays.draw(spec, spec.shape.resolve(plan.dims), plan.styles[name], rng)
    if isinstance(spec, Labels):
        return rng.integers(0, spec.below.resolve(plan.dims), spec.shape.resolve(plan.dims))
    if isinstance(spec, Probabilities):
        shape = (*spec.shape.resolve(plan.dims), spec.classes.resolve(plan.dims))
        return arrays.adding_up_to_one(rng.uniform(arrays.LEAST_SHARE, 1.0, shape))
    if isinstance(spec, OneHot):
        classes = spec.classes.resolve(plan.dims)
        return np.eye(classes)[rng.integers(0, classes, spec.shape.resolve(plan.dims))]
    if isinstance(spec, SizeArgument):
        return spec.size.resolve(plan.dims)
    if isinstance(spec, Sizes):
        return spec.shape.resolve(plan.dims)
    return drawn[name] if isinstance(spec, Drawn) else spec.value


def _fit(array: np.ndarray[Any, Any], shape: tuple[int, ...], *, from_end: bool) -> np.ndarray[Any, Any]:
    """``array`` with its axes cut or repeated to ``shape``; axes are matched from the last."""
    array = array.reshape((1,) * max(0, len(shape) - array.ndim) + array.shape)
    array = array[(0,) * (array.ndim - len(shape))]
    for axis, size in enumerate(shape):
        positions = np.arange(size) % max(1, array.shape[axis])
        array = np.take(array, array.shape[axis] - 1 - positions[::-1] if from_end else positions, axis=axis)
    return np.ascontiguousarray(array).reshape(shape)


def _is_differentiable(spec: Spec, value: Any) -> bool:
    if isinstance(spec, Floats):
        return spec.differentiable
    literal = isinstance(spec, Drawn) or (isinstance(spec, Literal) and spec.differentiable)
    return literal and isinstance(value, np.ndarray) and np.issubdtype(value.dtype, np.floating)


def _is_fixed(spec: Spec) -> bool:
    return isinstance(spec, OneHot) or (isinstance(spec, (Floats, Literal)) and not spec.differentiable)
