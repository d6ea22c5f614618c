"""Correct normalisations and norms; it knows no checker."""

from __future__ import annotations

import numpy as np
from zoo_kind import Array, Kind, normal

NORM_EPSILON = 1e-5
GROUPS = 2


def rows_for_norm(rng: np.random.Generator, scale: float) -> list[Array]:
    """Rows (n, d), gamma and beta (d,); now and then x is nearly constant, where a norm is hardest to measure."""
    x, gamma, beta = normal("n d", "d", "d")(rng, scale)
    offset = rng.choice([0.0, 0.0, 0.0, 1.0])
    return [x * (1e-3 if offset else 1.0) + offset * scale, gamma, beta]


def wide_rows(rng: np.random.Generator, scale: float) -> list[Array]:
    """Rows of at least two entries."""
    return normal("n d", least=2)(rng, scale)


def shifted_columns(rng: np.random.Generator, scale: float) -> list[Array]:
    """Columns whose mean may be three times their spread."""
    return [wide_rows(rng, scale)[0] + 3 * scale * int(rng.integers(0, 2))]


def standardised(x: Array, axis: int | tuple[int, ...]) -> tuple[Array, Array]:
    """(x - mean) / sd along the axis, and the sd with the epsilon in it."""
    centred = x - x.mean(axis=axis, keepdims=True)
    sd = np.sqrt((centred * centred).mean(axis=axis, keepdims=True) + NORM_EPSILON)
    return centred / sd, sd


def standardised_backward(dout: Array, x: Array, axis: int | tuple[int, ...]) -> Array:
    """(dout - mean dout - xhat mean(dout xhat)) / sd."""
    xhat, sd = standardised(x, axis)
    return (dout - dout.mean(axis=axis, keepdims=True) - xhat * (dout * xhat).mean(axis=axis, keepdims=True)) / sd


def norm(name: str, axis: int, held_out: bool = False) -> Kind:
    """Normalise x (n, d) along one axis, then scale and shift each column."""

    def forward(x: Array, gamma: Array, beta: Array) -> Array:
        return gamma * standardised(x, axis)[0] + beta

    def backward(dout: Array, x: Array, gamma: Array, beta: Array) -> list[Array | None]:
        xhat = standardised(x, axis)[0]
        return [standardised_backward(dout * gamma, x, axis), (dout * xhat).sum(axis=0), dout.sum(axis=0)]

    return Kind(name, rows_for_norm, forward, backward, held_out=held_out, linear_in=frozenset({1, 2}))


def naive_variance_norm(x: Array) -> Array:
    """Batch norm by E[x^2] - E[x]^2: right on paper, and a loss of digits in floating point."""
    mean = x.mean(axis=0)
    return (x - mean) / np.sqrt((x * x).mean(axis=0) - mean * mean + NORM_EPSILON)


def in_groups(x: Array) -> Array:
    """(n, c, l) -> (n, groups, entries of one group)."""
    return x.reshape(x.shape[0], GROUPS, -1)


def rms(x: Array) -> Array:
    """Root mean square of each row, with the epsilon in it."""
    return np.sqrt((x * x).mean(axis=-1, keepdims=True) + NORM_EPSILON)


def rms_backward(dout: Array, x: Array, gamma: Array) -> list[Array | None]:
    """With xhat = x / rms:  (dout gamma - xhat mean(dout gamma xhat)) / rms."""
    xhat, d = x / rms(x), dout * gamma
    return [(d - xhat * (d * xhat).mean(axis=-1, keepdims=True)) / rms(x), (dout * xhat).sum(axis=0)]


def length(x: Array, epsilon: float = 0.0) -> Array:
    """Euclidean length of each row, kept as a column."""
    return np.sqrt((x * x).sum(axis=-1, keepdims=True) + epsilon)


def l2_backward(dout: Array, x: Array) -> list[Array | None]:
    """For x / r:  (dout - x (dout . x) / r^2) / r."""
    r = length(x, 1e-12)
    return [(dout - x * (dout * x).sum(axis=-1, keepdims=True) / (r * r)) / r]


def cosine_backward(dout: Array, x: Array, y: Array) -> list[Array | None]:
    """For cos = u . v with u = x/|x|, v = y/|y|:  dx = dout (v - cos u) / |x|, and the same with x and y exchanged."""
    u, v, d = x / length(x), y / length(y), dout[:, None]
    cos = (u * v).sum(axis=-1, keepdims=True)
    return [d * (v - cos * u) / length(x), d * (u - cos * v) / length(y)]


def p_norm_backward(dout: Array, x: Array) -> list[Array | None]:
    """For y = (sum |x|^3)^(1/3):  dx = dout sign(x) (x / y)^2."""
    y = np.cbrt((np.abs(x) ** 3).sum(axis=-1, keepdims=True))
    return [dout[:, None] * np.sign(x) * (x / y) ** 2]


def std_backward(dout: Array, x: Array) -> list[Array | None]:
    """For sd over d entries:  dout (x - mean) / (d sd)."""
    centred = x - x.mean(axis=-1, keepdims=True)
    return [dout[:, None] * centred / (x.shape[-1] * x.std(axis=-1, keepdims=True))]


NORMS = (
    norm("layer_norm", axis=-1),
    norm("batch_norm", axis=0),
    Kind(
        "batch_norm_naive_variance",
        shifted_columns,
        naive_variance_norm,
        lambda dout, x: [standardised_backward(dout, x, 0)],
    ),
    Kind("l2_normalise", normal("n d"), lambda x: x / length(x, 1e-12), l2_backward),
    Kind(
        "rms_norm",
        lambda rng, scale: rows_for_norm(rng, scale)[:2],
        lambda x, gamma: gamma * x / rms(x),
        rms_backward,
        held_out=True,
        linear_in=frozenset({1}),
    ),
    Kind(
        "group_norm",
        normal("n 2c l", most=4),
        lambda x: standardised(in_groups(x), -1)[0].reshape(x.shape),
        lambda dout, x: [standardised_backward(in_groups(dout), in_groups(x), -1).reshape(x.shape)],
        held_out=True,
    ),
    Kind(
        "instance_norm",
        normal("n c h w", most=4),
        lambda x: standardised(x, (2, 3))[0],
        lambda dout, x: [standardised_backward(dout, x, (2, 3))],
        held_out=True,
    ),
    Kind(
        "cosine_similarity",
        normal("n d", "n d", least=2),
        lambda x, y: (x / length(x) * (y / length(y))).sum(axis=-1),
        cosine_backward,
        held_out=True,
    ),
    Kind(
        "p_norm",
        normal("n d"),
        lambda x: np.cbrt((np.abs(x) ** 3).sum(axis=-1)),
        p_norm_backward,
        held_out=True,
    ),
    Kind("std", wide_rows, lambda x: x.std(axis=-1), std_backward, held_out=True),
)
