"""What an entry of the zoo is, and how its inputs are drawn; it knows no layer and no checker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Make = Callable[[np.random.Generator, float], list[Array]]


@dataclass(frozen=True)
class Kind:
    """One kind of correct layer, in functions that compute in the dtype that comes in: longdouble gives the truth.

    ``make(rng, scale)`` draws the inputs. Inputs of an integer dtype are labels or indices.
    ``forward(*inputs)`` is an array (a loss has shape (1,)); ``backward(dout, *inputs)`` is one gradient per input,
    None for labels and indices. ``linear_in`` are the positions of the inputs in which forward is linear or affine.
    ``kinked``: the first derivative jumps somewhere (joints where only the second one jumps, as in elu, do not count).
    ``held_out``: the numeric engine's constants were chosen without this kind.
    """

    name: str
    make: Make
    forward: Callable[..., Array]
    backward: Callable[..., list[Array | None]]
    kinked: bool = False
    held_out: bool = False
    linear_in: frozenset[int] = frozenset()


def normal(*shapes: str, scaled: tuple[int, ...] = (0,), least: int = 1, most: int = 8) -> Make:
    """Standard normal inputs of the named shapes ("4h" is four times h); those in ``scaled`` times the scale."""

    def make(rng: np.random.Generator, scale: float) -> list[Array]:
        sides = draw_sides(rng, shapes, least, most)
        return [rng.standard_normal(side) * (scale if i in scaled else 1.0) for i, side in enumerate(sides)]

    return make


def draw_sides(
    rng: np.random.Generator, shapes: tuple[str, ...], least: int = 1, most: int = 8
) -> list[tuple[int, ...]]:
    """The shapes in numbers, each named dim drawn once from least..most."""
    dims: dict[str, int] = {"": 1}  # a bare number is that many times nothing named

    def side(token: str) -> int:
        name = token.lstrip("0123456789")
        if name not in dims:
            dims[name] = int(rng.integers(least, most + 1))
        return int(token.removesuffix(name) or 1) * dims[name]

    return [tuple(side(token) for token in shape.split()) for shape in shapes]


def labels(rng: np.random.Generator, rows: int, classes: int) -> Array:
    """One integer label below ``classes`` for each row."""
    return rng.integers(0, classes, rows)


def one_hot(t: Array, like: Array) -> Array:
    """Labels (n,) -> (n, c), in the dtype of ``like`` (n, c)."""
    return np.eye(like.shape[-1], dtype=like.dtype)[t.astype(np.intp)]


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)) by the exponential that cannot overflow."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def softplus(x: Array) -> Array:
    """log(1 + exp(x)) without overflow."""
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def sech2(z: Array) -> Array:
    """1 - tanh(z)^2 without the cancellation."""
    e = np.exp(-2 * np.abs(z))
    return 4 * e / (1 + e) ** 2


def softmax(x: Array) -> Array:
    """exp(x) over its sum along the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def log_softmax(x: Array) -> Array:
    """log(softmax(x)) along the last axis."""
    z = x - x.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
