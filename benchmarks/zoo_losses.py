"""Correct losses, each a mean over the batch unless it says otherwise; it knows no checker."""

from __future__ import annotations

import numpy as np
from zoo_kind import Array, Kind, Make, labels, log_softmax, normal, one_hot, sigmoid, softmax, softplus

BOOK_EPSILON = 1e-7  # inside the logarithm of Deep Learning from Scratch's cross-entropy
FOCUS = 2  # gamma of the focal loss (Lin et al. 2017)
BETA = 0.5  # where smooth-L1 turns from a parabola into a line


def scores_and_labels(rng: np.random.Generator, scale: float) -> list[Array]:
    """Scores (n, c) and one label a row."""
    (x,) = normal("n c")(rng, scale)
    return [x, labels(rng, *x.shape)]


def scores_and_distribution(rng: np.random.Generator, scale: float) -> list[Array]:
    """Scores (n, c) and a positive target distribution a row."""
    x, p = normal("n c", "n c")(rng, scale)
    return [x, softmax(p)]


def scores_and_probability(rng: np.random.Generator, scale: float) -> list[Array]:
    """Scores (n, d) and a target in (0, 1) for each."""
    x, t = normal("n d", "n d")(rng, scale)
    return [x, sigmoid(t)]


def batch_mean(rows: Array) -> Array:
    """The sum over everything, divided by the batch size, with shape (1,)."""
    return rows.sum().reshape(1) / rows.shape[0]


def softmax_loss(x: Array, t: Array) -> Array:
    """The book's cross-entropy: -log(p_t + 1e-7)."""
    p = (softmax(x) * one_hot(t, x)).sum(axis=-1)
    return batch_mean(-np.log(p + BOOK_EPSILON))


def softmax_loss_backward(dout: Array, x: Array, t: Array) -> list[Array | None]:
    """With the epsilon:  p_t / (p_t + epsilon) (y - onehot) / n."""
    y, hot = softmax(x), one_hot(t, x)
    p = (y * hot).sum(axis=-1, keepdims=True)
    return [dout * p / (p + BOOK_EPSILON) * (y - hot) / len(x), None]


def focal_backward(dout: Array, x: Array, t: Array) -> list[Array | None]:
    """With L = log p_t, q = 1 - p_t:  d(-q^2 L)/dL = 2 q p_t L - q^2,  dL/dx = onehot - softmax."""
    hot = one_hot(t, x)
    log_p = (log_softmax(x) * hot).sum(axis=-1, keepdims=True)
    q = -np.expm1(log_p)
    slope = FOCUS * q * np.exp(log_p) * log_p - q**FOCUS
    return [dout * slope * (hot - softmax(x)) / len(x), None]


def focal(x: Array, t: Array) -> Array:
    """-(1 - p_t)^2 log p_t."""
    log_p = (log_softmax(x) * one_hot(t, x)).sum(axis=-1)
    return batch_mean(-((-np.expm1(log_p)) ** FOCUS) * log_p)


def hinge_margins(x: Array, t: Array) -> Array:
    """How far each wrong class comes within 1 of the right one; 0 for the right one."""
    hot = one_hot(t, x)
    right = (x * hot).sum(axis=-1, keepdims=True)
    return np.maximum(x - right + 1, 0) * (1 - hot)


def hinge_backward(dout: Array, x: Array, t: Array) -> list[Array | None]:
    """1 for each violating class, minus their number at the right class."""
    active = (hinge_margins(x, t) > 0).astype(x.dtype)
    return [dout * (active - one_hot(t, x) * active.sum(axis=-1, keepdims=True)) / len(x), None]


def huber(x: Array, y: Array) -> Array:
    """r^2 / 2 within 1, |r| - 1/2 beyond."""
    r = np.abs(x - y)
    return batch_mean(np.where(r <= 1, 0.5 * r * r, r - 0.5))


def smooth_l1(x: Array, y: Array) -> Array:
    """Entry by entry: r^2 / (2 beta) within beta, |r| - beta / 2 beyond."""
    r = np.abs(x - y)
    return np.where(r < BETA, 0.5 * r * r / BETA, r - 0.5 * BETA)


def both(slope: Array) -> list[Array | None]:
    """The gradients of a function of x - y."""
    return [slope, -slope]


def kl_backward(dout: Array, x: Array, p: Array) -> list[Array | None]:
    """For sum p (log p - log q):  dx = q sum(p) - p,  dp = log p - log q + 1."""
    dx = softmax(x) * p.sum(axis=-1, keepdims=True) - p
    return [dout * dx / len(x), dout * (np.log(p) - log_softmax(x) + 1) / len(x)]


PAIR: Make = normal("n d", "n d", scaled=(0, 1))
LOSSES = (
    Kind("softmax_cross_entropy", scores_and_labels, softmax_loss, softmax_loss_backward),
    Kind(
        "mean_squared_error",
        PAIR,
        lambda x, y: batch_mean(0.5 * (x - y) ** 2),
        lambda dout, x, y: both(dout * (x - y) / len(x)),
    ),
    Kind("huber", PAIR, huber, lambda dout, x, y: both(dout * np.clip(x - y, -1, 1) / len(x)), held_out=True),
    Kind("smooth_l1", PAIR, smooth_l1, lambda dout, x, y: both(dout * np.clip((x - y) / BETA, -1, 1)), held_out=True),
    Kind(
        "kl_divergence",
        scores_and_distribution,
        lambda x, p: batch_mean(p * (np.log(p) - log_softmax(x))),
        kl_backward,
        held_out=True,
    ),
    Kind(
        "hinge",
        scores_and_labels,
        lambda x, t: batch_mean(hinge_margins(x, t)),
        hinge_backward,
        kinked=True,
        held_out=True,
    ),
    Kind("focal", scores_and_labels, focal, focal_backward, held_out=True),
    Kind(
        "sigmoid_bce_with_logits",
        scores_and_probability,
        lambda x, t: batch_mean(softplus(x) - x * t),
        lambda dout, x, t: [dout * (sigmoid(x) - t) / len(x), -dout * x / len(x)],
        held_out=True,
        linear_in=frozenset({1}),
    ),
)
