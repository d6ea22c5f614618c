"""Correct nodes of linear algebra, reductions and gates; it knows no checker."""

from __future__ import annotations

import numpy as np
from zoo_kind import Array, Kind, log_softmax, normal, sigmoid, softmax


def division_inputs(rng: np.random.Generator, scale: float) -> list[Array]:
    """A numerator, and a denominator of either sign that stays off zero."""
    x, y = normal("n d", "n d", scaled=())(rng, scale)
    return [x, np.copysign(0.5 + np.abs(y), y) * scale]


def dominant_matrices(rng: np.random.Generator, scale: float) -> list[Array]:
    """A stack (n, d, d) of well-conditioned matrices."""
    (a,) = normal("n d d", scaled=(), most=4)(rng, scale)
    return [scale * (a + 4 * a.shape[-1] * np.eye(a.shape[-1]))]


def prod_backward(dout: Array, x: Array) -> list[Array | None]:
    """The product of the others, without dividing by an entry that may be zero."""
    ones = np.ones_like(x[:, :1])
    before = np.cumprod(np.concatenate([ones, x[:, :-1]], axis=1), axis=1)
    after = np.cumprod(np.concatenate([ones, x[:, :0:-1]], axis=1), axis=1)[:, ::-1]
    return [dout[:, None] * before * after]


def softmax_backward(dout: Array, x: Array) -> list[Array | None]:
    """For y = softmax(x):  y (dout - sum(dout y))."""
    y = softmax(x)
    return [y * (dout - (dout * y).sum(axis=-1, keepdims=True))]


def logsumexp(x: Array) -> Array:
    """Log of the row's sum of exp, shifted by the row's maximum."""
    top = x.max(axis=-1, keepdims=True)
    return top[:, 0] + np.log(np.exp(x - top).sum(axis=-1))


def inverse(a: Array) -> Array:
    """LAPACK's inverse; in longdouble, two Newton steps from it."""
    x = np.linalg.inv(a.astype(np.float64)).astype(a.dtype)
    for _ in range(2 if a.dtype == np.longdouble else 0):
        x = x @ (2 * np.eye(a.shape[-1], dtype=a.dtype) - a @ x)
    return x


def inverse_backward(dout: Array, a: Array) -> list[Array | None]:
    """-A^-T dout A^-T."""
    transposed = inverse(a).swapaxes(-1, -2)
    return [-transposed @ dout @ transposed]


def bilinear_backward(dout: Array, x: Array, w: Array, z: Array) -> list[Array | None]:
    """y_k = x W_k z, one output for each slice of W."""
    return [
        np.einsum("nk,kde,ne->nd", dout, w, z),
        np.einsum("nk,nd,ne->kde", dout, x, z),
        np.einsum("nk,nd,kde->ne", dout, x, w),
    ]


def glu_backward(dout: Array, x: Array) -> list[Array | None]:
    """For y = a sigmoid(b):  da = dout s,  db = dout a s (1 - s)."""
    a, b = np.split(x, 2, axis=1)
    return [np.concatenate([dout * sigmoid(b), dout * a * sigmoid(b) * sigmoid(-b)], axis=1)]


def glu(x: Array) -> Array:
    """The first half of each row, gated by the second."""
    a, b = np.split(x, 2, axis=1)
    return a * sigmoid(b)


def maxout_backward(dout: Array, x: Array) -> list[Array | None]:
    """All of dout goes to the first largest piece."""
    dx = np.zeros_like(x)
    np.put_along_axis(dx, x.argmax(axis=-1)[..., None], dout[..., None], axis=-1)
    return [dx]


def rotate(x: Array, sign: int) -> Array:
    """Rotary position embedding (Su et al. 2021) of x (t, 2h): position p turns pair i by p 10000^(-i/h) radians."""
    half = x.shape[1] // 2
    angle = np.arange(len(x))[:, None] * 10000.0 ** (-np.arange(half) / half)
    cos, sin = np.cos(angle), sign * np.sin(angle)
    a, b = x[:, :half], x[:, half:]
    return np.concatenate([a * cos - b * sin, a * sin + b * cos], axis=1)


LAYERS = (
    Kind(
        "affine",
        normal("n d", "d h", "h"),
        lambda x, w, b: x @ w + b,
        lambda dout, x, w, b: [dout @ w.T, x.T @ dout, dout.sum(axis=0)],
        linear_in=frozenset({0, 1, 2}),
    ),
    Kind(
        "matmul",
        normal("n d", "d h"),
        lambda x, w: x @ w,
        lambda dout, x, w: [dout @ w.T, x.T @ dout],
        linear_in=frozenset({0, 1}),
    ),
    Kind(
        "multiply",
        normal("n d", "n d"),
        lambda x, y: x * y,
        lambda dout, x, y: [dout * y, dout * x],
        linear_in=frozenset({0, 1}),
    ),
    Kind(
        "divide",
        division_inputs,
        lambda x, y: x / y,
        lambda dout, x, y: [dout / y, -dout * x / (y * y)],
        linear_in=frozenset({0}),
    ),
    Kind(
        "sum",
        normal("n d"),
        lambda x: x.sum(axis=0),
        lambda dout, x: [np.broadcast_to(dout, x.shape).copy()],
        linear_in=frozenset({0}),
    ),
    Kind(
        "repeat",
        normal("1 d"),
        lambda x: np.repeat(x, 5, axis=0),
        lambda dout, x: [dout.sum(axis=0, keepdims=True)],
        linear_in=frozenset({0}),
    ),
    Kind("softmax", normal("n c"), softmax, softmax_backward),
    Kind(
        "logsumexp_naive",
        lambda rng, scale: [np.clip(normal("n c")(rng, scale)[0], -300, 300)],
        lambda x: np.log(np.exp(x).sum(axis=-1)),
        lambda dout, x: [dout[:, None] * softmax(x)],
    ),
    Kind("logsumexp", normal("n c"), logsumexp, lambda dout, x: [dout[:, None] * softmax(x)], held_out=True),
    Kind(
        "log_softmax",
        normal("n c"),
        log_softmax,
        lambda dout, x: [dout - softmax(x) * dout.sum(axis=-1, keepdims=True)],
        held_out=True,
    ),
    Kind(
        "outer",
        normal("n d", "n e"),
        lambda x, y: x[:, :, None] * y[:, None, :],
        lambda dout, x, y: [(dout @ y[:, :, None])[:, :, 0], (x[:, None, :] @ dout)[:, 0]],
        held_out=True,
        linear_in=frozenset({0, 1}),
    ),
    Kind(
        "bilinear",
        normal("n d", "k d e", "n e", most=5),
        lambda x, w, z: np.einsum("nd,kde,ne->nk", x, w, z),
        bilinear_backward,
        held_out=True,
        linear_in=frozenset({0, 1, 2}),
    ),
    Kind(
        "cumsum",
        normal("n d"),
        lambda x: np.cumsum(x, axis=1),
        lambda dout, x: [np.cumsum(dout[:, ::-1], axis=1)[:, ::-1]],
        held_out=True,
        linear_in=frozenset({0}),
    ),
    Kind("prod", normal("n d"), lambda x: x.prod(axis=1), prod_backward, held_out=True),
    Kind("inverse", dominant_matrices, inverse, inverse_backward, held_out=True),
    Kind(
        "rotary",
        normal("t 2h"),
        lambda x: rotate(x, 1),
        lambda dout, x: [rotate(dout, -1)],
        held_out=True,
        linear_in=frozenset({0}),
    ),
    Kind("glu", normal("n 2h"), glu, glu_backward, held_out=True),
    Kind("maxout", normal("n h k"), lambda x: x.max(axis=-1), maxout_backward, kinked=True, held_out=True),
)
