"""More layers that one small change makes right: a line is brought in step with another one; they hold no test."""

from __future__ import annotations

import numpy as np

from gradproof import constant, floats, labels, positive
from mended import Slip

WIDE = {"x": "n l", "k": "m", "dims": {"l": (4, 6), "m": (1, 3)}}


def cosine(a, b):
    na, nb = (np.sqrt((v**2).sum(axis=1, keepdims=True) + 0.1) for v in (a, b))
    c = (a * b).sum(axis=1, keepdims=True) / (na * nb)
    return c[:, 0], (a, b, na, nb, c)


def cosine_of_a_fixed_length(dout, cache):
    a, b, na, nb, c = cache
    d = dout[:, None]
    da = d * (b / (na * nb) - c * a / na**2)
    db = d * a / (na * nb)
    return da, db


def cosine_of_the_other_length(dout, cache):
    a, b, na, nb, c = cache
    d = dout[:, None]
    return d * (b / (na * nb) - c * a / na**2), d * (a / (na * nb) - c * b / na**2)


def filtered(x, k):
    last = x.shape[1] - len(k)
    return sum(k[i] * x[:, i : i + last + 1] for i in range(len(k))), (x, k)


def filtered_without_the_last(dout, cache):
    x, k = cache
    dx, dk = np.zeros_like(x), np.zeros_like(k)
    for t in range(x.shape[1] - len(k)):
        dx[:, t : t + len(k)] += dout[:, t][:, None] * k
        dk += dout[:, t] @ x[:, t : t + len(k)]
    return dx, dk


def every_other(x, k):
    steps = (x.shape[1] - len(k)) // 2 + 1
    out = np.zeros((len(x), steps))
    for i in range(len(k)):
        out += k[i] * x[:, i : i + 2 * steps : 2]
    return out, (x, k, steps)


def every_other_from_every_one(dout, cache):
    x, k, steps = cache
    dx, dk = np.zeros_like(x), np.zeros_like(k)
    for i in range(len(k)):
        dx[:, i : i + 2 * steps : 2] += dout * k[i]
        dk[i] = (dout * x[:, i : i + steps]).sum()
    return dx, dk


def cut(z):
    n, t, d = z.shape
    return z.reshape(n, t, 2, d // 2).transpose(0, 2, 1, 3)


def join(z):
    n, h, t, m = z.shape
    return z.transpose(0, 2, 1, 3).reshape(n, t, h * m)


def heads(q, v):
    q2, v2 = cut(q), cut(v)
    a = q2 @ q2.swapaxes(2, 3)
    return join(a @ v2), (q2, v2, a)


def heads_joined_in_the_order_of_memory(dout, cache):
    q, v, a = cache
    d = cut(dout)
    da = d @ v.swapaxes(2, 3)
    dv = a.swapaxes(2, 3) @ d
    return join((da + da.swapaxes(2, 3)) @ q), dv.reshape(dout.shape)


def channels_last(x):
    return x.transpose(0, 2, 3, 1) * 2, None


def channels_last_once_more(dout, cache):
    return 2 * dout.transpose(0, 2, 3, 1)


def rare(x, t, weight=3.0):
    p = 1 / (1 + np.exp(-x))
    loss = weight * t * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x)
    return loss, (p, t, weight)


def rare_like_the_rest(dout, cache):
    p, t, weight = cache  # noqa: RUF059, the slip
    return dout * (p - t)


def rest_like_the_rare(dout, cache):
    p, t, weight = cache
    return weight * dout * (p - t)


def scaled(x, eps=0.1):
    xc = x - x.mean(axis=1, keepdims=True)
    sd = np.sqrt((xc**2).mean(axis=1, keepdims=True))
    return xc / (sd + eps), (xc, sd, eps)


def scaled_by_bare_deviations(dout, cache):
    xc, sd, eps = cache  # noqa: RUF059, the slip
    dsd = -(dout * xc).mean(axis=1, keepdims=True) / sd**2
    dxc = dout / sd + dsd * xc / sd
    return dxc - dxc.mean(axis=1, keepdims=True)


def maps(x):
    m = x.shape[2] * x.shape[3]
    total = x.sum(axis=(2, 3), keepdims=True)
    return x - total / m, x


def maps_over_their_height(dout, x):
    m = x.shape[2]
    return dout - dout.sum(axis=(2, 3), keepdims=True) / m


def soft(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p, p


def soft_like_a_gate(dout, p):
    return dout * p * (1 - p)


def cubed(x):
    return x**3, x


def cubed_and_clipped(dout, x):
    dx = 3 * x**2 * dout
    return np.clip(dx, -1, 1)


def carried(x, a):
    h = np.zeros((len(x), x.shape[1] + 1))
    for t in range(x.shape[1]):
        h[:, t + 1] = a * h[:, t] + (1 - a) * x[:, t]
    return h[:, 1:].copy(), (x, a, h)


def carried_of_half_the_rate(dout, cache):
    x, a, h = cache
    dx, dh, da = np.zeros_like(x), 0, 0
    for t in reversed(range(dout.shape[1])):
        dh = dh + dout[:, t]
        da += np.sum(dh * h[:, t])
        dx[:, t] = dh * (1 - a)
        dh = dh * a
    return dx, np.array(da)


def over_norms(x):
    r = np.sqrt((x**2).sum(axis=1, keepdims=True) + 0.1)
    return x / r, (x, r)


def over_norms_of_one_power_less(dout, cache):
    x, r = cache
    along = (dout * x).sum(axis=1, keepdims=True) / r
    return dout / r - x * along / r


def nearer(a, near, far):
    return (a - near) ** 2 - (a - far) ** 2, (a, near, far)


def nearer_by_one_of_two(dout, cache):
    a, near, far = cache
    da = 2 * dout * (a - near)
    return da, -2 * dout * (a - near), 2 * dout * (a - far)


def stretched(x):
    y = 1.7159 * np.tanh(2 * x / 3)
    return y, y


def stretched_of_its_own_output(dout, y):
    return dout * 1.7159 * (2 / 3) * (1 - y**2)


def both_ways(x, w):
    return np.concatenate([x, x[:, ::-1] * w], axis=1), (x, w)


def both_ways_the_same_way(dout, cache):
    x, w = cache
    d = x.shape[1]
    left, right = dout[:, :d], dout[:, d:]
    return left + right * w, (right * x[:, ::-1]).sum(axis=0)


def overlap(x, t, smooth=1.0):
    inside, total = (x * t).sum(), x.sum() + t.sum()
    return (2 * inside + smooth) / (total + smooth), (t, inside, total, smooth)


def overlap_not_smoothed(dout, cache):
    t, inside, total, smooth = cache  # noqa: RUF059, the slip
    top, bottom = 2 * inside, total
    return dout * (2 * t * bottom - top) / bottom**2


def frozen(x, mean, sd):
    y = (x - mean) / sd
    return y, (y, sd)


def frozen_like_in_training(dout, cache):
    y, sd = cache
    d = dout / sd
    d = d - d.mean(axis=0) - y * (d * y).mean(axis=0)
    return 1.0 * d


def pairs(x, v):
    s = x @ v
    return 0.5 * (s**2 - x**2 @ v**2), (x, v, s)


def pairs_with_themselves(dout, cache):
    x, v, s = cache
    dx = (dout * s) @ v.T - x * (dout @ (v**2).T)
    dv = x.T @ (dout * s)
    return dx, dv


def snake(x, a):
    return x + np.sin(a * x) ** 2 / a, (x, a)


def snake_of_a_fixed_width(dout, cache):
    x, a = cache
    da = x * np.sin(2 * a * x) / a
    return dout * (1 + np.sin(2 * a * x)), (dout * da).sum(axis=0)


def log_loss(y, t):
    return -(t * np.log(y) + (1 - t) * np.log(1 - y)), (y, t)


def log_loss_of_the_true_ones(dout, cache):
    y, t = cache
    return dout * -1 / np.where(t, y, 1 - y)


def kept_ones(x):
    keep = np.where(np.abs(x) > 0.3, 1, 0)
    return x * keep, keep


def kept_ones_in_a_buffer_of_ones(dout, keep):
    dx = np.zeros_like(keep)
    dx[...] = dout * keep
    return dx


def ridge(w, x, rate=0.3):
    return np.array(((x @ w) ** 2).sum() + rate * (w**2).sum()), (w, x, rate)


def ridge_without_its_two(dout, cache):
    w, x, rate = cache
    d = dout * 2 * (x @ w)
    return x.T @ d + dout * rate * w, np.outer(d, w)


def inside(x):
    wide = np.zeros((len(x), x.shape[1] + 2))
    wide[:, 1:-1] = x
    return wide**2, (wide, x.shape[1])


def inside_from_the_edge(dout, cache):
    wide, d = cache
    whole = 2 * wide * dout
    return whole[:, :d]


def huber(x):
    near = np.abs(x) < 1
    return np.where(near, 0.5 * x**2, 2 * np.abs(x) - 1.5), (x, near)


def huber_that_grows(dout, cache):
    x, near = cache
    return dout * np.where(near, x, 2 * x)


def steps(x):
    d = x.copy()
    d[:, 1:] -= x[:, :-1]
    return d, None


def steps_round(dout, cache):
    return dout - np.roll(dout, -1, axis=1)


SLIPS = (
    Slip(steps, steps_round, "np.roll carries what stands at one end round to the other", "dout[:, 1:], 0 *",
         {"x": "n d", "dims": {"d": (2, 6)}}),
    Slip(log_loss, log_loss_of_the_true_ones, "the sign is wrong where t is 0", "np.where(t, 1, -1)",
         {"y": floats("n", min_value=0, max_value=1), "t": labels("n", 2)}),
    Slip(kept_ones, kept_ones_in_a_buffer_of_ones, "digits are lost: np.zeros_like(keep) holds what keep holds",
         "np.zeros_like(keep, dtype=float)", {"x": "n d"}),
    Slip(ridge, ridge_without_its_two, "the number 2 is missing as a factor", "2 * (dout * rate * w)",
         {"w": "d", "x": "n d"}),
    Slip(inside, inside_from_the_edge, "dx has the right numbers in the wrong places",
         "whole[:, 1:1 + d]", {"x": "n d", "dims": {"d": (2, 6)}}),
    Slip(huber, huber_that_grows, "x stands where np.sign(x) belongs, in one branch of np.where", "2 * np.sign(x)",
         {"x": floats("n d", min_value=-3, max_value=3)}),
    Slip(stretched, stretched_of_its_own_output, "y stands where y / 1.7159 belongs", "(1 - (y / 1.7159) ** 2)",
         {"x": "n d"}),
    Slip(both_ways, both_ways_the_same_way, "belongs there turned round", "(right * w)[:, ::-1]",
         {"x": "n d", "w": "d", "dims": {"d": (2, 6)}}),
    Slip(overlap, overlap_not_smoothed, "an epsilon is left out", "(2 * inside + smooth, total + smooth)",
         {"x": positive("n d"), "t": labels("n d", 2)}),
    Slip(frozen, frozen_like_in_training, "this line is one too many: d was right before it", "(without this line)",
         {"x": "n d", "mean": constant("d"), "sd": constant("d")}),
    Slip(pairs, pairs_with_themselves, "a term is missing: - v * (", "v * ((x ** 2).T @ dout)",
         {"x": "n d", "v": "d k"}),
    Slip(snake, snake_of_a_fixed_width, "a term is missing: - ", "np.sin(a * x) ** 2 / a",
         {"x": "n d", "a": positive("d")}),
    Slip(cosine, cosine_of_a_fixed_length, "a term is missing: - b * c * d / nb ** 2", "c * b / nb ** 2",
         {"a": "n d", "b": "n d"}),
    Slip(cosine, cosine_of_the_other_length, "na stands where nb belongs", "/ nb ** 2)", {"a": "n d", "b": "n d"}),
    Slip(filtered, filtered_without_the_last, "", "range(x.shape[1] - len(k) + 1)", WIDE),
    Slip(every_other, every_other_from_every_one, "other entries are taken: [:, i:i + steps] stands where",
         "x[:, i:i + 2 * steps:2]", WIDE),
    Slip(heads, heads_joined_in_the_order_of_memory, "the entries are in another order than in forward",
         "join(dv)",
         {"q": "n t 2*m", "v": "n t 2*m"}),
    Slip(channels_last, channels_last_once_more, "the axes are in another order than in forward",
         "transpose(0, 3, 1, 2)", {"x": "n c h w"}),
    Slip(rare, rare_like_the_rest, "the factor weight is missing where t is 1", "np.where(t, weight, 1)",
         {"x": "n", "t": labels("n", 2)}),
    Slip(rare, rest_like_the_rare, "the factor weight is one too many where t is 0", "np.where(t, 1, 1 / weight)",
         {"x": "n", "t": labels("n", 2)}),
    Slip(scaled, scaled_by_bare_deviations, "an epsilon is left out: forward has sd + eps", "dxc = dout / (sd + eps)",
         {"x": "n d", "dims": {"d": (2, 6)}}),
    Slip(maps, maps_over_their_height, "the size x.shape[2] stands where x.shape[2] * x.shape[3] belongs",
         "m = x.shape[2] * x.shape[3]", {"x": "n c h w"}),
    Slip(soft, soft_like_a_gate, "that of the softmax, which couples the entries", "p * (dout - (dout * p).sum(",
         {"x": "n c"}),
    Slip(cubed, cubed_and_clipped, "clip is one too many: dx is a gradient, and belongs there as it is", "return dx",
         {"x": floats("n d", min_value=-3, max_value=3)}),
    Slip(carried, carried_of_half_the_rate, "a term is missing: - dh @ x[:, t]", "dh @ x[:, t]",
         {"x": "n t", "a": ""}),
    Slip(over_norms, over_norms_of_one_power_less, "", "r", {"x": "n d"}),
)  # fmt: skip
