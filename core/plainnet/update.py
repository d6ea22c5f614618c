"""The frame of every optimizer: the checks before a step and the state between steps; it knows no rule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, TypeAlias

import numpy as np

from plainnet.arrays import FloatArray, number
from plainnet.errors import InputError

State: TypeAlias = list[FloatArray]  # of one parameter: arrays of its shape and dtype


class Optimizer(ABC):
    """Turns gradients into steps of the parameters. ``lr`` is the learning rate, ``steps`` how many there have been.

    An update checks everything before it changes anything: after an error neither parameters nor state have moved.
    """

    slots: ClassVar[int] = 0  # how many state arrays the rule keeps for each parameter; they start at zero

    def __init__(self, lr: float) -> None:
        self.lr = number(lr, f"{type(self).__name__}: lr", low=0)
        self.steps = 0
        self._shapes: list[tuple[int, ...]] | None = None  # those of the first update
        self._states: list[State] = []

    def update(self, params: Sequence[FloatArray], grads: Sequence[FloatArray]) -> None:
        """Moves every parameter by one step, in place.

        params, grads: as many float arrays, of the same shapes, in the same order at every call.
        Raises InputError, before anything has changed, where they do not fit each other or the earlier calls.
        """
        name = type(self).__name__
        _check_pairs(params, grads, name)
        shapes = [p.shape for p in params]
        if self._shapes is None:
            self._shapes = shapes
            self._states = [[np.zeros_like(p) for _ in range(self.slots)] for p in params]
        elif shapes != self._shapes:
            raise InputError(
                f"{name}.update: expected params of the shapes of the first update, {self._shapes}, got {shapes}; "
                f"other parameters need a {name} of their own"
            )
        self.steps += 1
        for p, g, state in zip(params, grads, self._states, strict=True):
            self._step(p, g, state)

    @abstractmethod
    def _step(self, p: FloatArray, g: FloatArray, state: State) -> None:
        """Moves one parameter p, of gradient g, and its state, in place."""


def _check_pairs(params: Sequence[FloatArray], grads: Sequence[FloatArray], name: str) -> None:
    for what, arrays in (("params", params), ("grads", grads)):
        if not isinstance(arrays, list | tuple):
            raise InputError(f"{name}.update: {what}: expected a list of arrays, got {type(arrays).__name__}")
        for i, array in enumerate(arrays):
            _check_float_array(array, f"{name}.update: {what}[{i}]")
    if len(params) != len(grads):
        raise InputError(f"{name}.update: expected as many grads as params, got {len(grads)} and {len(params)}")
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        if p.shape != g.shape:
            raise InputError(f"{name}.update: grads[{i}]: expected the parameter's shape {p.shape}, got {g.shape}")
        if not p.flags.writeable:
            raise InputError(f"{name}.update: params[{i}]: expected an array that can be written, got a read-only one")


def _check_float_array(array: object, what: str) -> None:
    if not isinstance(array, np.ndarray):
        raise InputError(f"{what}: expected a NumPy array, got {array!r} ({type(array).__name__})")
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(f"{what}: expected floats, got dtype {array.dtype}; use .astype(np.float64)")
