"""Layers and functions for the inference: right ones in many dresses, and some that cannot run."""

from __future__ import annotations

from typing import Annotated

import numpy as np


class Dense:
    def __init__(self, weight, bias):
        self.params, self.grads = [weight, bias], [np.zeros_like(weight), np.zeros_like(bias)]

    def forward(self, inputs):
        self.inputs = inputs
        return inputs @ self.params[0] + self.params[1]

    def backward(self, dout):
        self.grads[0][...] = self.inputs.T @ dout
        self.grads[1][...] = dout.sum(axis=0)
        return dout @ self.params[0].T


class SizedDense(Dense):
    def __init__(self, n_in, n_out):
        rng = np.random.default_rng(0)
        super().__init__(rng.standard_normal((n_in, n_out)), rng.standard_normal(n_out))


class ColumnwiseDense:
    """Features first: y = W x, with W of shape (out, in) and x of shape (in, n)."""

    def __init__(self, kernel):
        self.params, self.grads = [kernel], [np.zeros_like(kernel)]

    def forward(self, signal):
        self.signal = signal
        return self.params[0] @ signal

    def backward(self, dout):
        self.grads[0][...] = dout @ self.signal.T
        return self.params[0].T @ dout


class Lookup:
    def __init__(self, table):
        self.params, self.grads = [table], [np.zeros_like(table)]

    def forward(self, token_ids):
        self.token_ids = token_ids
        return self.params[0][token_ids]

    def backward(self, dout):
        self.grads[0][...] = 0
        np.add.at(self.grads[0], self.token_ids, dout)


class GatedCell:
    """Two gates in one matrix each: h = sigmoid(a) * tanh(b), where (a, b) = x Wx + h Wh + bias."""

    def __init__(self, Wx, Wh, bias):
        self.params = [Wx, Wh, bias]
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, x, h_prev):
        Wx, Wh, bias = self.params
        size = h_prev.shape[1]
        both = x @ Wx + h_prev @ Wh + bias
        self.gate = 1 / (1 + np.exp(-both[:, :size]))
        self.value = np.tanh(both[:, size:])
        self.x, self.h_prev = x, h_prev
        return self.gate * self.value

    def backward(self, dout):
        Wx, Wh, _ = self.params
        dgate = dout * self.value * self.gate * (1 - self.gate)
        dvalue = dout * self.gate * (1 - self.value**2)
        dboth = np.hstack([dgate, dvalue])
        for grad, value in zip(self.grads, (self.x.T @ dboth, self.h_prev.T @ dboth, dboth.sum(axis=0)), strict=True):
            grad[...] = value
        return dboth @ Wx.T, dboth @ Wh.T


class SumOverTime:
    def forward(self, frames):
        batch, steps, width = frames.shape
        self.shape = (batch, steps, width)
        return frames.sum(axis=1)

    def backward(self, dout):
        return np.repeat(dout[:, None, :], self.shape[1], axis=1)


class ChannelMean:
    def forward(self, images):
        self.shape = images.shape
        batch, channels, height, width = images.shape
        return images.reshape(batch, channels, height * width).mean(axis=2)

    def backward(self, dout):
        return np.broadcast_to(dout[:, :, None, None], self.shape) / (self.shape[2] * self.shape[3])


class FlattenDense:
    def __init__(self, input_shape, units):
        rng = np.random.default_rng(0)
        weight = rng.standard_normal((int(np.prod(input_shape)), units))
        self.params, self.grads = [weight], [np.zeros_like(weight)]

    def forward(self, images):
        self.shape = images.shape
        n, _, _, _ = images.shape
        self.flat = images.reshape(n, -1)
        return self.flat @ self.params[0]

    def backward(self, dout):
        self.grads[0][...] = self.flat.T @ dout
        return (dout @ self.params[0].T).reshape(self.shape)


class SmoothedDifference:
    """A window of three steps: it needs at least three."""

    def forward(self, frames):
        _, steps, _ = frames.shape
        if steps < 3:
            raise ValueError("too few steps")
        self.shape = frames.shape
        return frames[:, 2:, :] - frames[:, :-2, :]

    def backward(self, dout):
        dx = np.zeros(self.shape)
        dx[:, 2:, :] += dout
        dx[:, :-2, :] -= dout
        return dx


class SoftmaxCrossEntropy:
    def forward(self, scores, labels):
        n = scores.shape[0]
        shifted = scores - scores.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.probabilities, self.labels = np.exp(logs), labels
        return -logs[np.arange(n), labels].sum() / n

    def backward(self, dout=1):
        n = len(self.labels)
        dx = self.probabilities.copy()
        dx[np.arange(n), self.labels] -= 1
        return dout * dx / n


class LogLikelihoodOfProbabilities:
    """A loss of probabilities, clipped: outside of 0 .. 1 its backward is no derivative, and need not be."""

    def forward(self, y_pred, y_true):
        self.y_pred, self.y_true = np.clip(y_pred, 1e-9, 1), y_true
        return -np.sum(y_true * np.log(self.y_pred)) / len(y_true)

    def backward(self, dout=1):
        return -dout * self.y_true / self.y_pred / len(self.y_true)


class SquaredErrorLoss:
    def forward(self, prediction, target):
        self.difference = prediction - target
        return np.mean(self.difference**2)

    def backward(self, dout=1):
        return dout * 2 * self.difference / self.difference.size


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out**2)


class Skip:
    def __init__(self, layer):
        self.layer = layer

    def forward(self, x):
        return x + self.layer.forward(x)

    def backward(self, dout):
        return dout + self.layer.backward(dout)


class Annotations:
    def __init__(self, p: Annotated[np.ndarray, "i o"]):
        self.params, self.grads = [p], [np.zeros_like(p)]

    def forward(self, q: Annotated[np.ndarray, "batch i"]):
        self.q = q
        return q @ self.params[0]

    def backward(self, dout):
        self.grads[0][...] = self.q.T @ dout
        return dout @ self.params[0].T


class Pointwise:
    def __init__(self, f, f_prime):
        self.f, self.f_prime = f, f_prime

    def forward(self, x):
        self.x = x
        return self.f(x)

    def backward(self, dout):
        return dout * self.f_prime(self.x)


class OnlySquare:
    """Written for embed_size == hidden_size, though it takes both."""

    def __init__(self, embed_size, hidden_size):
        rng = np.random.default_rng(0)
        weight = rng.standard_normal((hidden_size, hidden_size)) + np.zeros((1, embed_size))
        self.params, self.grads = [weight], [np.zeros_like(weight)]

    def forward(self, x):
        self.x = x
        return x @ self.params[0]

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout
        return dout @ self.params[0].T


class BiasNotSummed(Dense):
    """Wrong in its form: the gradient of the bias still has the batch's axis."""

    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[1] = dout
        return dx


class TransposeForgotten(Dense):
    """Wrong: its backward only runs where W is square."""

    def backward(self, dout):
        return dout @ self.params[0]


class Misspelt:
    def forward(self, x):
        return self.wieght * x

    def backward(self, dout):
        return dout


class Ignores:
    """Its output does not depend on x: no shape of x says anything."""

    def forward(self, x):
        return np.ones((3, 2))

    def backward(self, dout):
        return 0 * dout


def scale_forward(x, gamma, scale_param):
    factor = scale_param["momentum"] * gamma
    return x * factor, (x, factor, scale_param["momentum"])


def scale_backward(dout, cache):
    x, factor, momentum = cache
    return dout * factor, (dout * x).sum(axis=0) * momentum


def attend_forward(query, key, value):
    weights = np.einsum("nqd,nkd->nqk", query, key)
    return np.einsum("nqk,nkv->nqv", weights, value), (query, key, value, weights)


def attend_backward(dout, cache):
    query, key, value, weights = cache
    dweights = np.einsum("nqv,nkv->nqk", dout, value)
    return (
        np.einsum("nqk,nkd->nqd", dweights, key),
        np.einsum("nqk,nqd->nkd", dweights, query),
        np.einsum("nqk,nqv->nkv", weights, dout),
    )


def margin_loss(scores, y):
    n = scores.shape[0]
    right = scores[np.arange(n), y][:, None]
    over = np.maximum(0, scores - right + 1)
    over[np.arange(n), y] = 0
    dscores = (over > 0).astype(float)
    dscores[np.arange(n), y] = -dscores.sum(axis=1)
    return over.sum() / n, dscores / n


class ShapedDense:
    """One example at a time: both shapes are handed to the constructor as tuples."""

    def __init__(self, shape_in, shape_out):
        self.shape_in, self.shape_out = shape_in, shape_out
        rows, columns = int(np.prod(shape_out)), int(np.prod(shape_in))
        self.w = np.linspace(-1, 1, rows * columns).reshape(rows, columns)

    def forward(self, x):
        self.x = x.ravel()
        return (self.w @ self.x).reshape(self.shape_out)

    def backward(self, dout):
        self.grad_w = np.outer(dout, self.x)
        return (dout.ravel() @ self.w).reshape(self.shape_in)


class HalvedImage:
    """Means of two by two pixels of one image, whose two shapes are handed to the constructor."""

    def __init__(self, shape_in, shape_out, kernel_size):
        if tuple(n // kernel_size for n in shape_in[:2]) != tuple(shape_out[:2]) or shape_in[0] % 2 or shape_in[1] % 2:
            wrong = next(i for i in (0, 1) if shape_in[i] != 2 * shape_out[i])
            raise ValueError(f"shape_out[{wrong}] ({shape_out[wrong]}) should equal half ({shape_in[wrong] // 2})")
        if shape_in[2] != shape_out[2]:
            raise ValueError(f"channels ({shape_out[2]}) must be the same ({shape_in[2]})")
        self.shape_in = shape_in

    def forward(self, x):
        if x.shape != tuple(self.shape_in):
            raise ValueError("another shape than shape_in")
        h, w, c = x.shape
        return x.reshape(h // 2, 2, w // 2, 2, c).mean(axis=(1, 3))

    def backward(self, dout):
        return dout.repeat(2, axis=0).repeat(2, axis=1) / 4


class Heads:
    """Squares of the features, head by head."""

    def __init__(self, d_model, n_heads):
        if d_model % n_heads:
            raise ValueError("d_model must be a multiple of n_heads")
        self.n_heads = n_heads
        self.scale = np.linspace(1, 2, d_model)

    def forward(self, x):
        self.x = x
        n, t, d = x.shape
        return (self.scale * x * x).reshape(n, t, self.n_heads, d // self.n_heads)

    def backward(self, dout):
        dout = dout.reshape(self.x.shape)
        self.dscale = (dout * self.x**2).sum(axis=(0, 1))
        return 2 * self.scale * self.x * dout


class PenalisedDense:
    """Its gradient holds the slope of a penalty that forward does not return."""

    def __init__(self, n_in, n_out, l2):
        self.weights, self.l2 = np.linspace(-1, 1, n_in * n_out).reshape(n_in, n_out), l2

    def forward(self, x):
        self.x = x
        return x @ self.weights

    def backward(self, dout):
        self.dweights = self.x.T @ dout + 2 * self.l2 * self.weights
        return dout @ self.weights.T


class NotYetWritten:
    """A layer to be: it hands everything on."""

    def __init__(self, n_in, n_out):
        self.W = np.ones((n_in, n_out))
        self.dW = np.zeros_like(self.W)

    def forward(self, x):
        return x

    def backward(self, dout):
        return dout


class HandsOn:
    """Right: there is nothing that it could do with its input."""

    def forward(self, x):
        return x

    def backward(self, dout):
        return dout


class ResidualFromZero:
    """Right: its output is its input only as long as the gain is zero."""

    def __init__(self, d):
        self.gain = np.zeros(d)

    def forward(self, x):
        self.x = x
        return x + self.gain * np.tanh(x)

    def backward(self, dout):
        self.dgain = (dout * np.tanh(self.x)).sum(axis=0)
        return dout + dout * self.gain * (1 - np.tanh(self.x) ** 2)


class Chain:
    """Any number of layers, one after the other."""

    def __init__(self, *layers):
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout


def image_scale_forward(x, gamma, beta):
    n, c, h, w = x.shape
    return gamma * x.reshape(n, c, h, w) + beta, (x, gamma)


def image_scale_backward(dout, cache):
    x, gamma = cache
    return dout * gamma, (dout * x).sum(axis=(0, 2, 3), keepdims=True), dout.sum(axis=(0, 2, 3), keepdims=True)


def gated_forward(xt, a_prev, parameters):
    """Features first; all weights in one dict, and both inputs above each other."""
    both = np.concatenate([a_prev, xt], axis=0)
    a_next = np.tanh(parameters["Wa"] @ both + parameters["ba"])
    return a_next, (both, a_next, len(a_prev), parameters)


def gated_backward(da_next, cache):
    both, a_next, n_a, parameters = cache
    dz = da_next * (1 - a_next**2)
    dboth = parameters["Wa"].T @ dz
    return {"dxt": dboth[n_a:], "da_prev": dboth[:n_a], "dWa": dz @ both.T, "dba": dz.sum(axis=1, keepdims=True)}


class RotatedPairs:
    """Every second feature turned with its neighbour, by angles that are made in the constructor."""

    def __init__(self, dim, max_len=64):
        angles = np.outer(np.arange(max_len), 1 / 10 ** (np.arange(0, dim, 2) / dim))
        self.cos, self.sin = np.cos(angles), np.sin(angles)

    def turned(self, x, sin):
        steps = x.shape[1]
        even, odd, turned = x[..., 0::2], x[..., 1::2], np.empty_like(x)
        turned[..., 0::2] = even * self.cos[:steps] - odd * sin[:steps]
        turned[..., 1::2] = even * sin[:steps] + odd * self.cos[:steps]
        return turned

    def forward(self, x):
        return self.turned(x, self.sin)

    def backward(self, dout):
        return self.turned(dout, -self.sin)


class Subpixels:
    """Channels become pixels, r of them in each direction."""

    def __init__(self, r):
        self.r = r

    def forward(self, x):
        n, c, h, w = x.shape
        r = self.r
        assert c % (r * r) == 0
        self.shape = x.shape
        return x.reshape(n, c // r**2, r, r, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, c // r**2, h * r, w * r)

    def backward(self, dout):
        n, c, h, w = self.shape
        r = self.r
        return dout.reshape(n, c // r**2, h, r, w, r).transpose(0, 1, 3, 5, 2, 4).reshape(self.shape)


def layer_norm_forward(x, gamma, beta, eps):
    centred = x - x.mean(-1, keepdims=True)
    scale = np.sqrt(x.var(-1, keepdims=True) + eps)
    return gamma * centred / scale + beta, (centred / scale, scale, gamma)


def layer_norm_backward(dy, cache):
    normed, scale, gamma = cache
    d = dy * gamma
    dx = (d - d.mean(-1, keepdims=True) - normed * (d * normed).mean(-1, keepdims=True)) / scale
    return dx, (dy * normed).sum(axis=0), dy.sum(axis=0)


def similarity_forward(a, b):
    return (a * b).sum(axis=1), (a, b)


def similarity_backward(dout, cache):
    a, b = cache
    return dout[:, None] * b, dout[:, None] * a
