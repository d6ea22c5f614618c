"""Correct layers of images, sequences and small networks; it knows no checker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from zoo_kind import Array, Kind, labels, normal, sigmoid, softmax
from zoo_losses import softmax_loss, softmax_loss_backward


def image_and_filters(rng: np.random.Generator, scale: float) -> list[Array]:
    """Images (n, c, h, w), filters (f, c, kh, kw) no larger than the image, b (f,)."""
    filters, b = normal("f c p q", "f", scaled=(), most=3)(rng, scale)
    h, w = np.array(filters.shape[2:]) + rng.integers(0, 4, 2)
    return [rng.standard_normal((int(rng.integers(1, 4)), filters.shape[1], h, w)) * scale, filters, b]


def image_and_channel_filters(rng: np.random.Generator, scale: float) -> list[Array]:
    """The same with one filter (kh, kw) for each channel, and no bias."""
    x, filters, _ = image_and_filters(rng, scale)
    return [x, filters[0]]


def windows(x: Array, kernel: tuple[int, ...]) -> Array:
    """A view (n, c, oh, ow, kh, kw) on every window of x (n, c, h, w)."""
    return np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(2, 3))


def scatter(pieces: Array, shape: tuple[int, ...]) -> Array:
    """The transpose of ``windows``: add each window's entries (n, c, oh, ow, kh, kw) back where they came from."""
    x = np.zeros(shape, dtype=pieces.dtype)
    oh, ow, kh, kw = pieces.shape[2:]
    for i in range(kh):
        for j in range(kw):
            x[:, :, i : i + oh, j : j + ow] += pieces[:, :, :, :, i, j]
    return x


def conv(x: Array, w: Array, b: Array) -> Array:
    """Cross-correlation, stride 1, no padding."""
    return np.einsum("ncxyij,fcij->nfxy", windows(x, w.shape[2:]), w) + b[:, None, None]


def conv_backward(dout: Array, x: Array, w: Array, b: Array) -> list[Array | None]:
    """Each output hands its dout to the window that it saw, weighted by the filter."""
    dx = scatter(np.einsum("nfxy,fcij->ncxyij", dout, w), x.shape)
    return [dx, np.einsum("nfxy,ncxyij->fcij", dout, windows(x, w.shape[2:])), dout.sum(axis=(0, 2, 3))]


def depthwise_backward(dout: Array, x: Array, w: Array) -> list[Array | None]:
    """As conv_backward, one channel at a time."""
    dx = scatter(dout[..., None, None] * w[:, None, None], x.shape)
    return [dx, np.einsum("ncxy,ncxyij->cij", dout, windows(x, w.shape[1:]))]


def tiles(x: Array) -> Array:
    """(n, c, 2h, 2w) -> (n, c, h, w, 4): the disjoint 2 x 2 tiles."""
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, h // 2, w // 2, 4)


def untile(t: Array) -> Array:
    """The inverse of ``tiles``."""
    n, c, h, w, _ = t.shape
    return t.reshape(n, c, h, w, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, 2 * h, 2 * w)


def max_pool_backward(dout: Array, x: Array) -> list[Array | None]:
    """All of dout goes to the first largest entry of the tile."""
    t = tiles(x)
    dt = np.zeros(t.shape, dtype=np.result_type(dout, x))
    np.put_along_axis(dt, t.argmax(axis=-1)[..., None], dout[..., None], axis=-1)
    return [untile(dt)]


def table_and_ids(rng: np.random.Generator, scale: float) -> list[Array]:
    """W (v, d), and (3, 4) row numbers, where some repeat."""
    (w,) = normal("v d")(rng, scale)
    return [w, rng.integers(0, len(w), (3, 4))]


def bag_backward(dout: Array, w: Array, ids: Array) -> list[Array | None]:
    """Each of a bag's rows receives the bag's dout, repeated rows as often as they occur."""
    dw = np.zeros_like(w)
    np.add.at(dw, ids.astype(np.intp), dout[:, None])
    return [dw, None]


def lstm_gates(x: Array, h: Array, c: Array, wx: Array, wh: Array, b: Array) -> tuple[Array, ...]:
    """f, g, i, o, the next c and its tanh."""
    f, g, i, o = np.split(x @ wx + h @ wh + b, 4, axis=1)
    f, g, i, o = sigmoid(f), np.tanh(g), sigmoid(i), sigmoid(o)
    c_next = f * c + g * i
    return f, g, i, o, c_next, np.tanh(c_next)


def lstm(*inputs: Array) -> Array:
    """The next h and the next c, side by side."""
    _, _, _, o, c_next, t = lstm_gates(*inputs)
    return np.concatenate([o * t, c_next], axis=1)


def lstm_backward(dout: Array, x: Array, h: Array, c: Array, wx: Array, wh: Array, b: Array) -> list[Array | None]:
    """Through h' = o tanh(c') into c', and from c' = f c + g i into the gates."""
    f, g, i, o, _, t = lstm_gates(x, h, c, wx, wh, b)
    dh, dc = np.split(dout, 2, axis=1)
    dc = dc + dh * o * (1 - t * t)
    da = [dc * c * f * (1 - f), dc * i * (1 - g * g), dc * g * i * (1 - i), dh * t * o * (1 - o)]
    d = np.concatenate(da, axis=1)
    return [d @ wx.T, d @ wh.T, dc * f, x.T @ d, h.T @ d, d.sum(axis=0)]


def gru_gates(x: Array, h: Array, wx: Array, wh: Array, b: Array) -> tuple[Array, Array, Array, Array]:
    """z, r, the candidate, and h as the candidate's weights send it on (Cho et al. 2014, reset after the product)."""
    xz, xr, xn = np.split(x @ wx + b, 3, axis=1)
    hz, hr, hn = np.split(h @ wh, 3, axis=1)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return z, r, np.tanh(xn + r * hn), hn


def gru(x: Array, h: Array, wx: Array, wh: Array, b: Array) -> Array:
    """The next h = (1 - z) candidate + z h."""
    z, _, candidate, _ = gru_gates(x, h, wx, wh, b)
    return (1 - z) * candidate + z * h


def gru_backward(dout: Array, x: Array, h: Array, wx: Array, wh: Array, b: Array) -> list[Array | None]:
    """Through the candidate's tanh first, then through the gates that formed it."""
    z, r, candidate, hn = gru_gates(x, h, wx, wh, b)
    dn = dout * (1 - z) * (1 - candidate * candidate)
    dz = dout * (h - candidate) * z * (1 - z)
    dr = dn * hn * r * (1 - r)
    from_x = np.concatenate([dz, dr, dn], axis=1)
    from_h = np.concatenate([dz, dr, dn * r], axis=1)
    return [from_x @ wx.T, from_h @ wh.T + dout * z, x.T @ from_x, h.T @ from_h, from_x.sum(axis=0)]


def attention_weights(q: Array, k: Array) -> Array:
    """softmax(q k^T / sqrt(d))."""
    return softmax(q @ k.T / np.sqrt(q.shape[1]))


def attention_backward(dout: Array, q: Array, k: Array, v: Array) -> list[Array | None]:
    """Through the weighted sum, the softmax, and the scaled product."""
    a, da = attention_weights(q, k), dout @ v.T
    ds = a * (da - (da * a).sum(axis=-1, keepdims=True)) / np.sqrt(q.shape[1])
    return [ds @ k, ds.T @ q, a.T @ dout]


def net_inputs(rng: np.random.Generator, scale: float) -> list[Array]:
    """x, two layers of weights, and a label for each row."""
    x, w1, b1, w2, b2 = normal("n i", "i h", "h", "h o", "o")(rng, scale)
    return [x, w1, b1, w2, b2, labels(rng, len(x), len(b2))]


def two_layer_net(
    name: str, activation: Callable[[Array], Array], slope: Callable[[Array], Array], **flags: Any
) -> Kind:
    """Affine, activation, affine, softmax with loss."""

    def forward(x: Array, w1: Array, b1: Array, w2: Array, b2: Array, t: Array) -> Array:
        return softmax_loss(activation(x @ w1 + b1) @ w2 + b2, t)

    def backward(dout: Array, x: Array, w1: Array, b1: Array, w2: Array, b2: Array, t: Array) -> list[Array | None]:
        z = x @ w1 + b1
        a = activation(z)
        ds = softmax_loss_backward(dout, a @ w2 + b2, t)[0]
        dz = (ds @ w2.T) * slope(z)
        return [dz @ w1.T, x.T @ dz, dz.sum(axis=0), a.T @ ds, ds.sum(axis=0), None]

    return Kind(name, net_inputs, forward, backward, **flags)


ALL_THREE = frozenset({0, 1, 2})
NETS = (
    Kind("conv2d", image_and_filters, conv, conv_backward, linear_in=ALL_THREE),
    Kind("max_pool", normal("n c 2h 2w", most=3), lambda x: tiles(x).max(axis=-1), max_pool_backward, kinked=True),
    Kind(
        "embedding_bag",
        table_and_ids,
        lambda w, ids: w[ids.astype(np.intp)].sum(axis=1),
        bag_backward,
        linear_in=frozenset({0}),
    ),
    Kind("lstm_cell", normal("n d", "n h", "n h", "d 4h", "h 4h", "4h", most=5), lstm, lstm_backward),
    Kind(
        "attention",
        normal("t d", "s d", "s e", most=6),
        lambda q, k, v: attention_weights(q, k) @ v,
        attention_backward,
        linear_in=frozenset({2}),
    ),
    two_layer_net("two_layer_sigmoid", sigmoid, lambda z: sigmoid(z) * sigmoid(-z)),
    two_layer_net("two_layer_relu", lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(z.dtype), kinked=True),
    Kind("gru_cell", normal("n d", "n h", "d 3h", "h 3h", "3h", most=5), gru, gru_backward, held_out=True),
    Kind(
        "depthwise_conv",
        image_and_channel_filters,
        lambda x, w: np.einsum("ncxyij,cij->ncxy", windows(x, w.shape[1:]), w),
        depthwise_backward,
        held_out=True,
        linear_in=frozenset({0, 1}),
    ),
    Kind(
        "average_pool",
        normal("n c 2h 2w", most=3),
        lambda x: tiles(x).mean(axis=-1),
        lambda dout, x: [untile(np.repeat(dout[..., None] / 4, 4, axis=-1))],
        held_out=True,
        linear_in=frozenset({0}),
    ),
)
