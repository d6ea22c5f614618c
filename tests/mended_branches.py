"""Layers that one small change makes right: a branch that is missing, an order, a count, a running sum; no tests."""

from __future__ import annotations

import numpy as np

from gradproof import constant, floats, labels, positive
from mended import Slip


def beats(x, low, high):
    slow, fast = np.sin(x * low), np.sin(x * high)
    return slow * fast, (x, low, high, slow, fast)


def beats_of_the_low_one(dout, cache):
    x, low, high, slow, fast = cache
    dx = dout * fast * np.cos(x * low) * low
    dlow = (dout * fast * np.cos(x * low) * x).sum(axis=0)
    dhigh = (dout * slow * np.cos(x * high) * x).sum(axis=0)
    return dx, dlow, dhigh


def power(x, real, imaginary):
    re, im = x @ real, x @ imaginary
    return re**2 + im**2, (x, real, imaginary, re, im)


def power_of_the_real_part(dout, cache):
    x, real, imaginary, re, im = cache  # noqa: RUF059  the slip: the imaginary part is not used
    dx = (2 * dout * re) @ real.T
    return dx, x.T @ (2 * dout * re), x.T @ (2 * dout * im)


def one_word_twice(W, pair):
    return W[pair[:, 0]] + W[pair[:, 1]], (W, pair)


def one_word_once(dout, cache):
    W, pair = cache
    dW = np.zeros_like(W)
    np.add.at(dW, pair[:, 0], dout)
    return dW


def survivors(x):
    return np.cumsum(x**2, axis=1), x


def survivors_in_the_same_direction(dout, x):
    return 2 * x * np.cumsum(dout, axis=1)


def growth(x):
    return np.cumsum(x), x


def growth_step_by_step(dout, x):
    return dout.copy()


def ordered(x):
    order = np.argsort(x)
    return x[order] * np.arange(1, len(x) + 1), order


def ordered_once_more(dout, order):
    g = dout * np.arange(1, len(dout) + 1)
    return g[order]


def rows_ordered(x):
    order = np.argsort(x, axis=1)
    return np.take_along_axis(x, order, axis=1) * np.arange(1, x.shape[1] + 1), order


def rows_ordered_once_more(dout, order):
    g = dout * np.arange(1, dout.shape[1] + 1)
    return np.take_along_axis(g, order, axis=1)


def groups(x):
    n, c, h, w = x.shape
    g = x.reshape(n, 2, c // 2, h, w)
    mean = g.mean(axis=(2, 3, 4), keepdims=True)
    sd = np.sqrt(((g - mean) ** 2).mean(axis=(2, 3, 4), keepdims=True) + 0.1)
    z = (g - mean) / sd
    return z.reshape(x.shape), (z, sd)


def groups_over_the_pixels(dout, cache):
    z, sd = cache
    n, c, h, w = dout.shape
    d = dout.reshape(n, 2, c // 2, h, w)
    m = h * w
    total = d.sum(axis=(2, 3, 4), keepdims=True)
    along = (d * z).sum(axis=(2, 3, 4), keepdims=True)
    return ((d - total / m - z * along / m) / sd).reshape(dout.shape)


def gated(x, w):
    c = np.tanh(x)
    return c * w, (c, w)


def gated_without_the_square(dout, cache):
    c, w = cache
    dc = dout * w
    return dc * (1 - c), (dout * c).sum(axis=0)


def excess(a, x):
    return np.log(1 + np.exp(a - x[:, None])).sum(axis=1) - a.sum(), (a, x)


def excess_with_a_bare_term(dout, cache):
    a, x = cache
    s = 1 / (1 + np.exp(x[:, None] - a))
    da = (dout[:, None] * s - np.ones_like(s)).sum(axis=0)
    return da, -(dout[:, None] * s).sum(axis=1)


def leaky_sum(x, h0, r):
    h, out = h0, np.zeros_like(x)
    for t in range(x.shape[1]):
        h = r * h + x[:, t]
        out[:, t] = h**2
    return out, (x, h0, r, out)


def leaky_sum_cut_at_each_step(dout, cache):
    x, h0, r, _ = cache
    hs = [h0]
    for t in range(x.shape[1]):
        hs.append(r * hs[-1] + x[:, t])
    dx, dh, dr = np.zeros_like(x), np.zeros_like(h0), 0.0
    for t in reversed(range(x.shape[1])):
        dh = 2 * dout[:, t] * hs[t + 1]
        dx[:, t] = dh
        dr += (dh * hs[t]).sum()
        dh = dh * r
    return dx, dh, dr


def residual(x, g):
    sd = np.sqrt((x**2).mean(axis=1, keepdims=True) + 0.1)
    y = x / sd
    return x + y * g, (x, y, sd, g)


def residual_past_its_norm(dout, cache):
    _, y, sd, g = cache
    dy = dout * g
    dx = (dy - y * (dy * y).mean(axis=1, keepdims=True)) / sd  # noqa: F841  the slip: nothing reads it
    return dout + dy, (dout * y).sum(axis=0)


def between(z, old, new):
    return (1 - z) * old + z * new, (z, old, new)


def between_the_other_way(dout, cache):
    z, old, new = cache
    return dout * (old - new), dout * (1 - z), dout * z


def pointwise(x, W):
    return np.tensordot(x, W, axes=(1, 1)).transpose(0, 3, 1, 2), (x, W)


def pointwise_in_the_order_of_memory(dout, cache):
    x, W = cache
    n, c, h, w = x.shape
    flat = dout.reshape(-1, W.shape[0])
    dW = flat.T @ x.transpose(0, 2, 3, 1).reshape(-1, c)
    return (flat @ W).reshape(n, h, w, c).transpose(0, 3, 1, 2), dW


def hinges(x, y):
    rows = np.arange(len(x))
    over = np.maximum(0, x - x[rows, y][:, None] + 0.7)
    over[rows, y] = 0
    return over.sum(axis=1), (over, y)


def hinges_of_one_rival(dout, cache):
    over, y = cache
    dx = (over > 0).astype(float)
    dx[np.arange(len(y)), y] -= np.any(over > 0, axis=1)
    return dout[:, None] * dx


def mixed(x, W):
    return np.einsum("ngd,gdh->ngh", x, W), (x, W)


def mixed_over_the_groups(dout, cache):
    x, W = cache
    return np.einsum("ngh,gdh->ngd", dout, W), np.einsum("nkd,ngh->gdh", x, dout)


def focal(x):
    p = 1 / (1 + np.exp(-x))
    return (1 - p) ** 2 * np.log(p), (p,)


def focal_of_two_signs(dout, cache):
    (p,) = cache
    return dout * (1 - p) ** 2 * (-2 * p * np.log(p) - 1 + p)


def ahead(x, w):
    y = 2 * x
    y[:, 1:] += w * x[:, :-1]
    return y, (x, w)


def ahead_but_for_the_first(dout, cache):
    x, w = cache
    dx = 2 * dout
    dx[:, 1:-1] += w * dout[:, 2:]
    return dx, (dout[:, 1:] * x[:, :-1]).sum()


def counter(x, w):
    h, hs = np.zeros(len(x)), []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] + w * h)
        hs.append(h)
    return np.stack(hs, axis=1), (x, w, hs)


def counter_that_forgets(dout, cache):
    x, w, hs = cache
    dx, dw, carried = np.zeros_like(x), np.zeros(()), np.zeros(len(x))
    for t in reversed(range(x.shape[1])):
        dh = dout[:, t]
        da = dh * (1 - hs[t] ** 2)
        dx[:, t] = da
        dw = dw + da @ hs[t - 1] * (t > 0)
        carried = da * w  # noqa: F841  the slip: nothing reads it
    return dx, dw


def blend(old, new, a):
    return (1 - a) * old + a * new, (old, new, a)


def blend_of_the_new_twice(dout, cache):
    old, new, a = cache
    return dout * a, dout * a, (dout * (new - old)).sum(axis=0)


def boxes(x, scale):
    return np.stack([x[:, 0] * scale, scale * np.exp(x[:, 1])], axis=1), (x, scale)


def boxes_of_one_kind(dout, cache):
    x, scale = cache
    dx = np.zeros_like(x)
    dx[:, 0] = dout[:, 0] * scale
    dx[:, 1] = dout[:, 1] * scale
    return dx, (dout[:, 0] * x[:, 0] + dout[:, 1] * np.exp(x[:, 1])).sum()


def recent(x):
    out = np.zeros_like(x)
    for t in range(x.shape[1]):
        lo = max(0, t - 2)
        out[:, t] = x[:, lo : t + 1].mean(axis=1)
    return out, None


def recent_of_full_width(dout, cache):
    dx, width = np.zeros_like(dout), 3
    for t in range(dout.shape[1]):
        lo = max(0, t - 2)
        dx[:, lo : t + 1] += dout[:, t][:, None] / width
    return dx


def chosen(W, ids):
    return np.tanh(W).sum() - W[ids].sum(axis=1), (W, ids)


def chosen_once(dout, cache):
    W, ids = cache
    dW = dout.sum() * (1 - np.tanh(W) ** 2)
    dW[ids] -= dout[:, None]
    return dW


def heard(h, x):
    return (h[:, None, :] * x).sum(axis=2), (h, x)


def heard_at_the_end(dout, cache):
    h, x = cache
    parts = dout[:, :, None] * x
    return parts[:, -1], dout[:, :, None] * h[:, None, :]


def weight_norm(x, v, g):
    norm = np.sqrt((v**2).sum(axis=0) + 0.1)
    w = g * v / norm
    return x @ w, (x, v, g, norm, w)


def weight_norm_of_a_fixed_length(dout, cache):
    x, v, g, norm, w = cache
    dw = x.T @ dout
    along = (dw * v).sum(axis=0)
    dg = along / norm
    return dout @ w.T, g / norm * dw, dg


def tracker(x, gain):
    m = np.zeros((len(x) + 1, *x.shape[1:]))
    for t in range(len(x)):
        m[t + 1] = m[t] + gain * (x[t] - m[t])
    return m[1:].copy(), (x, gain, m)


def tracker_of_the_state_after(dout, cache):
    x, gain, m = cache
    dx, dgain, dm = np.zeros_like(x), np.zeros_like(gain), np.zeros_like(gain)
    for t in range(len(x) - 1, -1, -1):
        dm = dm + dout[t]
        dgain += dm * (x[t] - m[t + 1])
        dx[t] = dm * gain
        dm = dm * (1 - gain)
    return dx, dgain


def both_uses(E, past):
    return E.sum(axis=1).sum() + E[past].sum(axis=1), (E, past)


def both_uses_begun_twice(dout, cache):
    E, past = cache
    dE = dout.sum() * np.ones_like(E)
    dE = np.zeros_like(E)
    np.add.at(dE, past, dout[:, None] * np.ones(E.shape[1]))
    return dE


PLANES = {"x": "n c h w", "dims": {"n": (1, 3), "c": (1, 3), "h": (1, 3), "w": (1, 3)}}


def margins(W, X, y):
    loss = 0.0
    for i in range(len(X)):
        scores = X[i] @ W
        for j in range(W.shape[1]):
            if j != y[i]:
                loss += max(scores[j] - scores[y[i]] + 1, 0.0)
    return loss, (W, X, y)


def margins_of_all_classes(cache):
    W, X, y = cache
    dW = np.zeros_like(W)
    for i in range(len(X)):
        scores = X[i] @ W
        for j in range(W.shape[1]):
            if j == y[i]:
                continue
            margin = scores[j] - scores[y[i]] + 1
            dW[:, j] += X[i]
            dW[:, y[i]] -= X[i]
            if margin > 0:
                pass
    return dW


def surprise(W, X, y):
    e = np.exp(X @ W)
    p = e / e.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(X)), y]).sum(), (X, y, p)


def surprise_of_the_true_class(cache):
    X, y, p = cache
    dW = np.zeros((X.shape[1], p.shape[1]))
    for i in range(len(X)):
        for j in range(p.shape[1]):
            dW[:, j] += X[i] * (p[i, y[i]] - (j == y[i]))
    return dW


def evened(x):
    m = x.mean(axis=(0, 2, 3), keepdims=True)
    return (x - m) ** 2 + m**2, (x, m)


def evened_over_the_batch(dout, cache):
    x, m = cache
    n, c, h, w = x.shape  # noqa: RUF059  one of them is the slip
    ahead = 2 * dout * (x - m)
    return ahead - ahead.sum(axis=(0, 2, 3), keepdims=True) / n + (2 * dout * m).sum(axis=(0, 2, 3), keepdims=True) / n


def penalized(W, X, reg):
    return (X @ W).sum() + reg * (W**2).sum(), (W, X, reg)


def not_penalized(cache):
    W, X, reg = cache
    return X.sum(axis=0)[:, None] * np.ones_like(W) + 0 * reg


def shifted(x, b):
    return x**2 + b, x


def shifted_by_ones(dout, x):
    return 2 * dout * x, np.ones(dout.shape[1])


SLIPS = (
    Slip(beats, beats_of_the_low_one, "what this line does with fast and low is missing for slow and high",
         "+ dout * slow * np.cos(x * high) * high", {"x": "n d", "low": "d", "high": "d"}),
    Slip(power, power_of_the_real_part, "is missing for im and imaginary", "+ 2 * dout * im @ imaginary.T",
         {"x": "n d", "real": "d k", "imaginary": "d k"}),
    Slip(one_word_twice, one_word_once, "what this one does for index 0 is missing for index 1",
         "np.add.at(dW, pair[:, 1], dout)", {"W": "v d", "pair": labels("n 2", "v")}),
    Slip(survivors, survivors_in_the_same_direction, "the sum runs in the wrong direction",
         "np.flip(np.cumsum(np.flip(dout, axis=1), axis=1), axis=1)", {"x": "n d"}),
    Slip(growth, growth_step_by_step, "backward does not carry dx back", "np.flip(np.cumsum(np.flip(dout.copy())))",
         {"x": "n"}),
    Slip(ordered, ordered_once_more, "g[order] takes by order what has to go back by it", "g[np.argsort(order)]",
         {"x": "n"}),
    Slip(rows_ordered, rows_ordered_once_more, "takes by order what has to go back by it",
         "np.argsort(order, axis=1)", {"x": "n d"}),
    Slip(groups, groups_over_the_pixels, "the size h * w stands where c // 2 * h * w belongs", "m = c // 2 * h * w",
         {**PLANES, "x": "n 2*c h w"}),
    Slip(gated, gated_without_the_square, "the power is wrong: c stands where c ** 2 belongs", "1 - c ** 2",
         {"x": "n d", "w": "d"}),
    Slip(excess, excess_with_a_bare_term, "dout is not used here: the factor dout[:, None] is missing",
         "dout[:, None] * np.ones_like(s)", {"a": "k", "x": "n"}),
    Slip(leaky_sum, leaky_sum_cut_at_each_step, "backward does not carry dx back",
         "dh += 2 * dout[:, t] * hs[t + 1]",
         {"x": "n t", "h0": "n", "r": floats("", min_value=-1, max_value=1)}),
    Slip(residual, residual_past_its_norm, "dy stands where dx belongs, which nothing reads", "return (dout + dx,",
         {"x": "n d", "g": "d"}),
    Slip(between, between_the_other_way, "dz has the wrong sign",
         "dout * (new - old)", {"z": positive("n"), "old": "n", "new": "n"}),
    Slip(pointwise, pointwise_in_the_order_of_memory, "the axes are in another order than in forward",
         "dout.transpose(0, 2, 3, 1).reshape(", {**PLANES, "W": "f c"}),
    Slip(hinges, hinges_of_one_rival, "it is not summed: any stands where sum belongs", "np.sum(over > 0, axis=1)",
         {"x": "n c", "y": labels("n", "c")}),
    Slip(mixed, mixed_over_the_groups, "the letters of einsum are wrong: 'nkd,ngh->gdh' stands where 'ngd,ngh->gdh'",
         "np.einsum('ngd,ngh->gdh', x, dout)", {"x": "n g d", "W": "g d h"}),
    Slip(focal, focal_of_two_signs, "the sign of two terms is wrong: - 1 + p stands where + 1 - p belongs", "+ 1 - p",
         {"x": "n d"}),
    Slip(ahead, ahead_but_for_the_first, "entries are left out: forward's go back to [:, :-1] from [:, 1:]",
         "dx[:, :-1] += w * dout[:, 1:]", {"x": "n t", "w": "", "dims": {"t": (3, 6)}}),
    Slip(counter, counter_that_forgets, "nothing reads carried, which each round leaves for the next",
         "dh = dout[:, t] + carried", {"x": "n t", "w": ""}),
    Slip(blend, blend_of_the_new_twice, "", "dout * (1 - a)", {"old": "n d", "new": "n d", "a": "d"}),
    Slip(boxes, boxes_of_one_kind, "in the line for dx[:, 1]", "np.exp(x[:, 1])", {"x": "n 2", "scale": ""}),
    Slip(recent, recent_of_full_width, "width stands where (t + 1 - lo) belongs: so many entries are taken here",
         "/ (t + 1 - lo)", {"x": "n t"}),
    Slip(chosen, chosen_once, "dW[ids] counts an index that occurs twice once",
         "np.subtract.at(dW, ids, dout[:, None])", {"W": "v d", "ids": labels("n", "v")}),
    Slip(heard, heard_at_the_end, "takes nothing from every column but the last of dout",
         "parts.sum(axis=1)", {"h": "n d", "x": "n t d"}),
    Slip(weight_norm, weight_norm_of_a_fixed_length, "a term is missing: - w * along / norm ** 2",
         "- w * along / norm ** 2", {"x": "n d", "v": "d h", "g": "h"}),
    Slip(tracker, tracker_of_the_state_after, "another entry is taken: t + 1 stands where t belongs", "x[t] - m[t])",
         {"x": "t d", "gain": "d"}),
    Slip(both_uses, both_uses_begun_twice, "dE begins anew here: what it held before is lost", "(without this line)",
         {"E": "v d", "past": labels("n", "v")}),
    Slip(margins, margins_of_all_classes, "belongs to the case of line", "dW[:, j] += X[i]",
         {"W": "d c", "X": constant("n d"), "y": labels("n", "c"), "dims": {"c": (2, 5)}}),
    Slip(surprise, surprise_of_the_true_class, "another entry is taken: y[i] stands where j belongs", "p[i, j]",
         {"W": "d c", "X": constant("n d"), "y": labels("n", "c"), "dims": {"c": (2, 5)}}),
    Slip(evened, evened_over_the_batch, "the size n stands where", "/ (", {"x": "n c h w"}),
    Slip(penalized, not_penalized, "a term is missing: + 2 * reg * W", "2 * reg * W",
         {"W": "d h", "X": constant("n d"), "reg": 0.37}),
    Slip(shifted, shifted_by_ones, "computes db without dout", "dout.sum(axis=0)", {"x": "n d", "b": "d"}),
)  # fmt: skip
