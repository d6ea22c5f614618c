"""Reads the gradient of a backward that updates the weights itself: how far they move at a learning rate of our choice.

Optimizers that the layer holds are replaced by plain gradient descent: momentum, decay and clipping are theirs.

It is told how to run backward on a copy of the layer; it calls nothing else.
"""

from __future__ import annotations

import contextlib
import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from gradproof.convention import leaves
from gradproof.convention.attributes import Use, events_of, methods_of
from gradproof.convention.descent import RATE, RATES, Descent, is_optimizer, optimizers_in
from gradproof.convention.leaves import Path
from gradproof.convention.statement_roles import moves_by_hand, rate_by_hand

Run = Callable[[Any, float], Any]  # (a copy of the layer, a learning rate) -> what backward returns

ULPS = 64  # of the weight and its step: two rounded subtractions, and the products of the update itself


@dataclass(frozen=True, eq=False)
class Stepped:
    """One update: the layer after it, what backward returned, the gradients read from it, and what moved otherwise."""

    layer: Any
    returned: Any
    gradients: Mapping[str, Any] = field(default_factory=dict[str, Any])
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Updates:
    """Whether backward moves weights; ``read``: where those stand whose gradient it keeps nowhere beside that.

    wired: whether it runs with an optimizer of ours alone, as the layer has none of its own yet.
    """

    moves: bool = False
    wired: bool = False
    read: Mapping[str, Path] = field(default_factory=dict[str, Path])


class Kept(Protocol):
    """Where an object's parameters stand, and which of them have a place for their gradient."""

    def paths(self) -> Mapping[str, Path]:
        """Where each parameter stands."""
        ...

    def without_place(self, layer: object) -> Mapping[str, Path]:
        """Those for which ``layer``, a copy after a backward, keeps no gradient."""
        ...


def uneven(douts: Sequence[Any]) -> list[Any]:
    """Upstream gradients of these shapes of which nothing cancels in a sum."""
    return [1 + np.arange(np.size(dout)).reshape(np.shape(dout)) / 7 for dout in douts]


def updates_of(layer: Any, run: Run, forward: Callable[[Any], Any], kept: Kept) -> Updates:
    """What backward moves, run once on a copy of the layer at our learning rate.

    forward: runs forward on a copy, at the inputs at hand. What it does not read is a state of the update, as a
    velocity, and has no gradient.
    """
    twin = _at_rate(layer, RATE)
    run(twin, RATE)
    pairs = {name: (leaves.at(layer, path), leaves.at(twin, path)) for name, path in kept.paths().items()}
    moved = [name for name, (before, after) in pairs.items() if not np.array_equal(before, after)]
    free = {name: path for name, path in kept.without_place(twin).items() if name in moved}
    read = {name: path for name, path in free.items() if _matters(layer, forward, path)}
    return Updates(bool(moved), lacks_optimizer(layer), read)


def lacks_optimizer(layer: object) -> bool:
    """Whether an optimizer that its methods use is still to be handed to it."""
    return any(getattr(layer, name, None) is None for name in _optimizers_of(layer))


def wired(layer: Any) -> Any:
    """The layer, or a copy with an optimizer of ours where it lacks one."""
    return _at_rate(layer, RATE) if lacks_optimizer(layer) else layer


def _matters(layer: Any, forward: Callable[[Any], Any], path: Path) -> bool:
    """Whether forward reads what stands there."""
    returned: list[Any] = []
    for factor in (1.0, 1.5):
        twin, state = copy.deepcopy(layer), np.random.get_state()  # noqa: NPY002
        leaves.put(twin, path, factor * np.asarray(leaves.at(twin, path)) + (factor - 1))
        returned.append(forward(twin))
        np.random.set_state(state)  # noqa: NPY002
    return not _alike(*returned)


def _alike(first: Any, second: Any) -> bool:
    """Whether two results of forward hold the same numbers."""
    if isinstance(first, (tuple, list)):
        return len(first) == len(second) and all(_alike(a, b) for a, b in zip(first, second, strict=True))
    return isinstance(first, (np.ndarray, float)) and np.array_equal(first, second, equal_nan=True)


def held_rates(layer: object) -> tuple[str, ...]:
    """The attributes of the layer that are a learning rate by their name."""
    state: Mapping[str, Any] = getattr(layer, "__dict__", {})
    return tuple(name for name, value in state.items() if name.lower() in RATES and isinstance(value, (int, float)))


def may_step(layer: object, backward: str) -> bool:
    """Whether the layer holds what an update needs, a learning rate or an optimizer, or its backward makes a step."""
    cls: object = type(layer)
    return _steps_by_hand(cls, backward) or bool(held_rates(layer) or optimizers_in(layer) or _optimizers_of(layer))


@functools.lru_cache(maxsize=256)
def _steps_by_hand(cls: object, backward: str) -> bool:
    """Whether backward, or a method that it calls, makes a step of descent by the source."""
    methods = methods_of(cls) if isinstance(cls, type) else {}
    own = methods.get(backward)
    called = [methods.get(event.name) for event in events_of(own) if event.use is Use.CALLED] if own is not None else []
    return any(moves_by_hand(method) for method in (own, *called) if method is not None)


def _optimizers_of(layer: object) -> tuple[str, ...]:
    cls: object = type(layer)
    return _optimizers_used(cls)


@functools.lru_cache(maxsize=256)
def _optimizers_used(cls: object) -> tuple[str, ...]:
    """The attributes and properties that are optimizers by their names, and that a method uses: some are made late.

    ``self.optimizer.update(...)`` reads as a dict that grows.
    """
    methods = methods_of(cls) if isinstance(cls, type) else {}
    events = [event for method in methods.values() for event in events_of(method)]
    used = (event.name for event in events if event.use in (Use.READ, Use.SET))
    return tuple(dict.fromkeys(name for name in used if is_optimizer(name)))


def larger_douts(layer: object, backward: str, douts: Sequence[Any]) -> list[Any]:
    """Dout divided by the rate that stands in the source of backward, or in its module; nothing where there is none."""
    method = methods_of(type(layer)).get(backward)
    rate = None if method is None else rate_by_hand(method)
    return [] if rate is None else [dout / rate for dout in douts]


def stepped(layer: Any, run: Run, paths: Mapping[str, Path], larger: Run | None = None) -> Stepped:
    """Run backward on two copies of the layer, at two learning rates; the layer itself stays as it is.

    paths: where the parameters stand that it moves and whose gradient it keeps nowhere: it is how far they moved,
    divided by the rate, where both rates give the same: momentum, decay and clipping do not.
    """
    whole = _at_rate(layer, RATE)
    returned = run(whole, RATE)
    if not paths:
        return Stepped(whole, returned)
    half = _at_rate(layer, RATE / 2)
    run(half, RATE / 2)
    gradients: dict[str, Any] = {}
    unread: list[str] = []
    fixed: list[str] = []  # that move by a rate of their own
    for name, path in paths.items():
        before, after, between = (leaves.at(one, path) for one in (layer, whole, half))
        if not np.shape(after) == np.shape(between) == np.shape(before):
            unread.append(name)
        elif _is_one_gradient(before, after, between):
            gradients[name] = (before - after) / RATE
        elif larger is not None and np.array_equal(after, between):
            fixed.append(name)
        else:
            unread.append(name)
    if larger is not None and fixed:
        gradients |= _by_difference(layer, larger, {name: paths[name] for name in fixed})
    return Stepped(whole, returned, gradients, tuple(unread))


def _is_one_gradient(before: Any, after: Any, between: Any) -> bool:
    """Whether a step at the whole rate and one at half of it, each divided by its rate, are the same."""
    step, smaller = (before - after) / RATE, (before - between) / (RATE / 2)
    slack = ULPS * np.finfo(np.float64).eps * (np.abs(before) + np.abs(step))
    return bool(np.all(np.abs(step - smaller) <= slack))


def _by_difference(layer: Any, larger: Run, paths: Mapping[str, Path]) -> dict[str, Any]:
    """How far these parameters move where backward is handed dout divided by the rate that stands in its source."""
    twin = copy.deepcopy(layer)
    larger(twin, RATE)
    return {name: leaves.at(layer, path) - leaves.at(twin, path) for name, path in paths.items()}


def _at_rate(layer: Any, rate: float) -> Any:
    twin = copy.deepcopy(layer)
    for name in held_rates(twin):
        setattr(twin, name, rate)
    for name in _optimizers_of(layer):
        with contextlib.suppress(Exception):  # a property that is only read, or refuses ours
            setattr(twin, name, Descent(rate))
    for path in optimizers_in(twin):
        leaves.put(twin, path, Descent(rate))
    return twin
