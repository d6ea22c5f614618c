"""Pairs of functions with a cache that are wrong on purpose, each named after its bug."""

import numpy as np

from faulty.base import Pair, fault
from gradproof import just, labels


def affine_forward(x, w, b):
    """x (n, a, b) is flattened to (n, d)."""
    return x.reshape(len(x), -1) @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def affine_backward_weights_averaged(dout, cache):
    dx, dw, db = affine_backward(dout, cache)
    return dx, dw / len(dout), db


def affine_backward_input_not_unflattened(dout, cache):
    dx, dw, db = affine_backward(dout, cache)
    return dx.reshape(len(dx), -1), dw, db


def affine_backward_bias_for_weights(dout, cache):
    dx, dw, db = affine_backward(dout, cache)
    return dx, db, dw


def affine_backward_bias_of_the_last_sample(dout, cache):
    dx, dw, _ = affine_backward(dout, cache)
    return dx, dw, dout[-1]


def standardize_forward(x, gamma, beta):
    centred = x - x.mean(axis=0)
    sd = np.sqrt((centred**2).mean(axis=0) + 1e-5)
    return gamma * centred / sd + beta, (centred, sd, gamma)


def standardize_backward(dout, cache):
    centred, sd, gamma = cache
    d, x_hat = dout * gamma, centred / sd
    dx = (d - d.mean(axis=0) - x_hat * (d * x_hat).mean(axis=0)) / sd
    return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)


def standardize_backward_variance_for_sd(dout, cache):
    centred, sd, gamma = cache
    d, x_hat = dout * gamma, centred / sd
    dx = (d - d.mean(axis=0) - x_hat * (d * x_hat).mean(axis=0)) / sd**2
    return dx, *standardize_backward(dout, cache)[1:]


def standardize_backward_scale_from_centred(dout, cache):
    dx, _, dbeta = standardize_backward(dout, cache)
    return dx, (dout * cache[0]).sum(axis=0), dbeta


def standardize_backward_mean_over_features(dout, cache):
    centred, sd, gamma = cache
    d, x_hat = dout * gamma, centred / sd
    dx = (d - d.mean(axis=1, keepdims=True) - x_hat * (d * x_hat).mean(axis=0)) / sd
    return dx, *standardize_backward(dout, cache)[1:]


def channel_scale_forward(x, gamma, beta):
    """x (n, c, h, w), one gamma and one beta a channel."""
    return gamma[:, None, None] * x + beta[:, None, None], (x, gamma)


def channel_scale_backward(dout, cache):
    x, gamma = cache
    return gamma[:, None, None] * dout, (dout * x).sum(axis=(0, 2, 3)), dout.sum(axis=(0, 2, 3))


def channel_scale_backward_last_unscaled(dout, cache):
    dx, dgamma, dbeta = channel_scale_backward(dout, cache)
    dx[:, -1] = dout[:, -1]
    return dx, dgamma, dbeta


def channel_scale_backward_averaged_over_pixels(dout, cache):
    dx, dgamma, _ = channel_scale_backward(dout, cache)
    return dx, dgamma, dout.mean(axis=(2, 3)).sum(axis=0)


def channel_scale_backward_exchanged(dout, cache):
    dx, dgamma, dbeta = channel_scale_backward(dout, cache)
    return dx, dbeta, dgamma


def rnn_step_forward(x, h, wx, wh, b):
    out = np.tanh(x @ wx + h @ wh + b)
    return out, (x, h, wx, wh, out)


def rnn_step_backward(dout, cache):
    x, h, wx, wh, out = cache
    da = dout * (1 - out**2)
    return da @ wx.T, da @ wh.T, x.T @ da, h.T @ da, da.sum(axis=0)


def rnn_step_backward_without_tanh(dout, cache):
    x, h, wx, wh, _ = cache
    return dout @ wx.T, dout @ wh.T, x.T @ dout, h.T @ dout, dout.sum(axis=0)


def rnn_step_backward_of_the_new_state(dout, cache):
    dx, dh, dwx, _, db = rnn_step_backward(dout, cache)
    out = cache[4]
    return dx, dh, dwx, out.T @ (dout * (1 - out**2)), db


def lookup_forward(ids, w):
    return w[ids], (ids, w)


def lookup_backward(dout, cache):
    ids, w = cache
    dw = np.zeros_like(w)
    np.add.at(dw, ids, dout)
    return dw


def lookup_backward_overwriting(dout, cache):
    ids, w = cache
    dw = np.zeros_like(w)
    for row, number in enumerate(ids):
        dw[number] = dout[row]
    return dw


def softmax_scores_forward(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    y = e / e.sum(axis=axis, keepdims=True)
    return y, (y, axis)


def softmax_scores_backward(dout, cache):
    y, axis = cache
    return y * (dout - (dout * y).sum(axis=axis, keepdims=True))


def softmax_scores_backward_other_axis(dout, cache):
    return softmax_scores_backward(dout, (cache[0], 0))


AFFINE = {"x": "n a b", "w": "a*b h", "b": "h"}
NORM = {"x": "n d", "gamma": "d", "beta": "d"}
IMAGES = {"x": "n c h w", "gamma": "c", "beta": "c"}
STEP = {"x": "n d", "h": "n h", "wx": "d h", "wh": "h h", "b": "h"}
SCORES = {"x": "n c", "axis": just(-1)}
LOOK_UP = {"ids": labels("n", "v"), "w": "v d"}
RIGHT_AFFINE = Pair(affine_forward, affine_backward)
RIGHT_NORM = Pair(standardize_forward, standardize_backward)
RIGHT_CHANNELS = Pair(channel_scale_forward, channel_scale_backward)
RIGHT_STEP = Pair(rnn_step_forward, rnn_step_backward)
RIGHT_LOOK_UP = Pair(lookup_forward, lookup_backward)
RIGHT_SCORES = Pair(softmax_scores_forward, softmax_scores_backward)


def slip(right, wrong_backward, tensors, *causes, **specs):
    """Only backward is wrong."""
    return fault(Pair(right.forward, wrong_backward), right, tensors, *causes, **specs)


OVERWRITTEN, AXIS = "overwritten, not added", "sum over the wrong axis"
FACTOR, SWAPPED = "a factor left out", "gradients swapped"
POST_FOR_PRE, OTHER = "post-activation used for pre-activation", "the wrong operand"
FAULTS = (
    slip(RIGHT_AFFINE, affine_backward_weights_averaged, "w", "extra mean over the batch", **AFFINE),
    slip(RIGHT_AFFINE, affine_backward_input_not_unflattened, "x", "wrong form", **AFFINE),
    slip(
        RIGHT_AFFINE,
        affine_backward_bias_for_weights,
        "w b",
        SWAPPED,
        "wrong form",
        **AFFINE,
    ),
    slip(RIGHT_AFFINE, affine_backward_bias_of_the_last_sample, "b", "not summed", **AFFINE),
    slip(RIGHT_NORM, standardize_backward_variance_for_sd, "x", "wrong power", FACTOR, **NORM),
    slip(RIGHT_NORM, standardize_backward_scale_from_centred, "gamma", FACTOR, OTHER, **NORM),
    slip(RIGHT_NORM, standardize_backward_mean_over_features, "x", AXIS, **NORM),
    slip(
        RIGHT_CHANNELS,
        channel_scale_backward_last_unscaled,
        "x",
        "one channel wrong",
        FACTOR,
        **IMAGES,
    ),
    slip(RIGHT_CHANNELS, channel_scale_backward_averaged_over_pixels, "beta", "a dim as factor", **IMAGES),
    slip(RIGHT_CHANNELS, channel_scale_backward_exchanged, "gamma beta", SWAPPED, **IMAGES),
    slip(
        RIGHT_STEP,
        rnn_step_backward_without_tanh,
        "x h wx wh b",
        "derivative left out",
        FACTOR,
        **STEP,
    ),
    slip(
        RIGHT_STEP,
        rnn_step_backward_of_the_new_state,
        "wh",
        OTHER,
        POST_FOR_PRE,
        **STEP,
    ),
    slip(
        RIGHT_LOOK_UP,
        lookup_backward_overwriting,
        "w",
        OVERWRITTEN,
        **LOOK_UP,
    ),
    slip(
        RIGHT_SCORES,
        softmax_scores_backward_other_axis,
        "x",
        AXIS,
        x="n c",
        axis=just(-1),
    ),
)
