"""Layers that one small change of the source makes right, each with the words for that change; they hold no test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradproof import Case, constant, floats, labels, positive


class Slip(NamedTuple):
    """A backward that is wrong by one slip: what must be told of it, and what it must be changed to."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    likely: str
    change: str
    specs: dict[str, Any]

    @property
    def case(self) -> Case:
        return Case(self.forward, self.backward, **self.specs)


def gate(x, w):
    s = 1 / (1 + np.exp(-x))
    return s * w, (s, w)


def gate_of_the_wrong_sign(dout, cache):
    s, w = cache
    return dout * w * s * (1 + s), (dout * s).sum(axis=0)


def gate_divided(dout, cache):
    s, w = cache
    return dout / w * s * (1 - s), (dout * s).sum(axis=0)


def gate_unpacked_in_the_wrong_order(dout, cache):
    w, s = cache
    return dout * w * s * (1 - s), (dout * s).sum(axis=0)


def gate_of_the_wrong_name(dout, cache):
    s, w = cache
    return dout * w * s * (1 - s), (dout * w).sum(axis=0)


def gate_without_a_factor(dout, cache):
    s, w = cache
    return dout * w * (1 - s) + 0 * s, (dout * s).sum(axis=0)


def gate_of_the_mean(dout, cache):
    s, w = cache
    return dout * w * s * (1 - s), (dout * s).mean(axis=0)


def gate_of_the_wrong_power(dout, cache):
    s, w = cache
    return dout * w * s**2 * (1 - s), (dout * s).sum(axis=0)


def huber(x):
    return np.where(np.abs(x) < 1, 0.5 * x**2, np.abs(x) - 0.5), x


def huber_of_the_wrong_comparison(dout, x):
    return dout * np.where(np.abs(x) > 1, x, np.sign(x))


def root(x):
    y = np.sqrt(x + 1e-3)
    return y, (x, y)


def root_without_its_epsilon(dout, cache):
    x, y = cache
    return 0.5 * dout / np.sqrt(x) + 0 * y


def root_of_another_constant(dout, cache):
    x, y = cache
    return 0.4871 * dout / np.sqrt(x + 1e-3) + 0 * y


def spread(x):
    return x - x.mean(axis=1, keepdims=True), x


def spread_without_its_mean(dout, x):
    return dout + 0 * x


def spread_over_the_batch(dout, x):
    return dout - dout.mean(axis=0, keepdims=True)


def look_up(table, ids):
    return table[ids], (table, ids)


def look_up_of_the_last(dout, cache):
    table, ids = cache
    dtable = np.zeros_like(table)
    dtable[ids] = dout
    return dtable


def running(x):
    return np.cumsum(x, axis=1), x


def running_of_the_last_step(dout, x):
    dx, carried = np.zeros_like(x), np.zeros(len(x))
    for t in reversed(range(x.shape[1])):
        carried = dout[:, t]
        dx[:, t] = carried
    return dx


def running_without_the_last_step(dout, x):
    dx, carried = np.zeros_like(x), np.zeros(len(x))
    for t in reversed(range(x.shape[1] - 1)):
        carried = carried + dout[:, t]
        dx[:, t] = carried
    return dx


def running_in_the_wrong_order(dout, x):
    dx, carried = np.zeros_like(x), np.zeros(len(x))
    for t in range(x.shape[1]):
        carried = carried + dout[:, t]
        dx[:, t] = carried
    return dx


def affine(x, w, b):
    return x @ w + b, (x, w)


def affine_not_summed(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout


def affine_that_raises(dout, cache):
    x, w = cache
    return dout @ w, x.T @ dout, dout.sum(axis=0)


def cubed(x):
    return x**3, x


def cubed_in_few_digits(dout, x):
    return 3 * dout * (x**2).astype(np.float16)


def cubed_that_overwrites(dout, x):
    dx = 3 * dout * x**2
    dx[:, 0] = dout[:, 0]
    return dx


def squashed(x, w):
    z = x * w
    return np.tanh(z), (x, w, z)


def squashed_of_the_pre_activation(dout, cache):
    x, w, z = cache
    dz = dout * (1 - z**2)
    return dz * w, (dz * x).sum(axis=0)


def three_ways(x, u, v, w):
    return x @ u + np.tanh(x @ v) + (x @ w) ** 2, (x, u, v, w)


def three_ways_of_which_the_last_counts(dout, cache):
    x, u, v, w = cache
    dv, dw = dout * (1 - np.tanh(x @ v) ** 2), 2 * dout * (x @ w)
    dx = dout @ u.T
    dx = dv @ v.T
    dx = dw @ w.T
    return dx, x.T @ dout, x.T @ dv, x.T @ dw


def boxes(x):
    y = x.copy()
    y[:, 0] = np.exp(x[:, 0])
    y[:, 1] = np.exp(x[:, 1])
    return y, (x, y.copy())


def boxes_of_one_side(dout, cache):
    x, y = cache
    dx = dout.copy() + 0 * x
    dx[:, 0] *= y[:, 0]
    return dx


def skipped(x, w):
    z = np.maximum(x @ w, 0)
    return x + z, (x, w, z)


def skipped_in_place(dout, cache):
    x, w, z = cache
    dz = dout
    dz[z <= 0] = 0
    return dout + dz @ w.T, x.T @ dz


def last_bias(x, b):
    return np.cumsum(x + b, axis=1), (x, b)


def last_bias_behind_the_loop(dout, cache):
    x, _ = cache
    dx, db, carried = np.zeros_like(x), 0.0, np.zeros(len(x))
    for t in reversed(range(x.shape[1])):
        carried = carried + dout[:, t]
        dx[:, t] = carried
    db += carried.sum()
    return dx, np.array(db)


def margin(x, ids):
    return x.sum(axis=1) - x[np.arange(len(ids)), ids], (x, ids)


def margin_of_every_row(dout, cache):
    x, ids = cache
    d = np.ones_like(x)
    d[:, ids] -= 1
    return d * dout[:, None]


def total(x):
    return x.sum(axis=1, keepdims=True), x


def total_not_spread(dout, x):
    return 2 * dout / 2


def logistic(x):
    return 1 / (1 + np.exp(-x)), x


def logistic_without_brackets(dout, x):
    s = 1 / 1 + np.exp(-x)
    return dout * s * (1 - s)


def blend(x, y, w):
    z = 1 / (1 + np.exp(-w))
    return z * x + (1 - z) * y, (x, y, z)


def blend_exchanged(dout, cache):
    x, y, z = cache
    dx = (1 - z) * dout
    dy = z * dout
    return dx, dy, dout * (x - y) * z * (1 - z)


def blend_without_a_term(dout, cache):
    x, y, z = cache
    return dout * z, dout * (1 - z) + 0 * y, dout * x * z * (1 - z)


def limited(x, t):
    r = x - t
    return np.where(np.abs(r) < 0.75, 0.5 * r**2, 0.75 * np.abs(r) - 0.28125), (r, 0.75)


def limited_not_cut_off(dout, cache):
    r, limit = cache
    return dout * r, -dout * np.clip(r, -limit, limit)


def update(x, h, w):
    z = 1 / (1 + np.exp(-(x @ w)))
    return (1 - z) * h + z * x, (x, h, w, z)


def update_without_the_direct_path(dout, cache):
    x, h, w, z = cache
    da = dout * (x - h) * z * (1 - z)
    return da @ w.T, dout * (1 - z), x.T @ da


def two_ways(x, u, w):
    z = np.tanh(x @ w)
    return x @ u + z, (x, u, w, z)


def two_ways_of_which_one_comes_back(dout, cache):
    x, u, w, z = cache
    dz = dout * (1 - z**2)
    return dout @ u.T, x.T @ dout, x.T @ dz


def choose(s, v):
    e = np.exp(s - s.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p @ v, (p, v)


def choose_without_the_sum(dout, cache):
    p, v = cache
    dp = dout @ v.T
    return dp * p, p.T @ dout


def choose_without_the_softmax(dout, cache):
    p, v = cache
    dp = dout @ v.T
    return dp, p.T @ dout


def centred(x):
    return x - x.mean(axis=(1, 2), keepdims=True), None


def centred_not_at_all(dout, cache):
    return 1.0 * dout


def pointing(x):
    length = np.sqrt((x**2).sum(axis=1, keepdims=True))
    return x / length, (x, length)


def pointing_of_a_fixed_length(dout, cache):
    x, length = cache
    return dout / length


def margins(s, ids):
    rows = np.arange(len(ids))
    m = s - s[rows, ids][:, None] + 1
    m[rows, ids] = 0
    return np.maximum(m, 0).sum(axis=1), (m, ids)


def margins_without_the_true_class(dout, cache):
    m, ids = cache
    ds = (m > 0) * 1.0
    return dout[:, None] * ds


def cross_entropy_without_its_one(dout, cache):
    p, ids = cache
    d = p.copy()
    return dout * d / len(ids)


def cross_entropy(s, ids):
    e = np.exp(s - s.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(ids)), ids]).mean(), (p, ids)


def squash_like_a_gate(dout, cache):
    y, w = cache
    return dout * y * (1 - y) * w, (dout * y).sum(axis=0)


def squash(x, w):
    y = np.tanh(x)
    return y * w, (y, w)


def gate_like_a_squash(dout, cache):
    s, w = cache
    return dout * w * (1 - s**2), (dout * s).sum(axis=0)


def standard(x):
    c = x - x.mean(axis=1, keepdims=True)
    s = np.sqrt((c**2).mean(axis=1, keepdims=True) + 0.125)
    return c / s, (c / s, s)


def standard_over_the_batch(dout, cache):
    y, s = cache
    mean = dout.mean(axis=0, keepdims=True)
    return (dout - mean - y * (dout * y).mean(axis=0, keepdims=True)) / s


def standard_of_a_bare_deviation(dout, cache):
    x, y, eps = cache
    d = dout - dout.mean(axis=1, keepdims=True) - y * (dout * y).mean(axis=1, keepdims=True)
    return d / x.std(axis=1, keepdims=True)


def standard_anew(x):
    y = standard(x)[0]
    return y, (x, y, 0.125)


def pixels(x):
    n, c, h, w = x.shape
    return x.sum(axis=(2, 3)) / (h * w), x.shape


def pixels_counting_channels(dout, shape):
    n, c, h, w = shape
    m = c
    return dout[:, :, None, None] / m * np.ones(shape)


def rectified(x):
    y = np.log1p(np.exp(x))
    return y, y


def rectified_of_the_output(dout, y):
    return dout / (1 + np.exp(-y))


def squared_hinge(x, t):
    over = np.maximum(0, 1 - x * t)
    return over**2, (t, over)


def squared_hinge_without_the_margin(dout, cache):
    t, over = cache
    active = (over > 0) * 1.0
    return -2 * dout * t * active


def quadratic(x, a):
    return ((x @ a) * x).sum(axis=1), (x, a)


def quadratic_taken_for_symmetric(dout, cache):
    x, a = cache
    return 2 * dout[:, None] * (x @ a), (dout[:, None] * x).T @ x


def binary(p, t):
    return -(t * np.log(p) + (1 - t) * np.log(1 - p)), (p, t)


def binary_of_the_positives(dout, cache):
    p, t = cache
    d = -t / p
    return dout * d


def weighted(x, w):
    return x**2 * w[:, None], (x, w)


def weighted_not_at_all(dout, cache):
    x, w = cache
    return 2 * dout * x, (dout * x**2).sum(axis=1) + 0 * w


def scores(hs, q):
    return np.einsum("ntd,nd->nt", hs, q), (hs, q)


def scores_of_the_last_state(ds, cache):
    hs, q = cache
    return ds[:, :, None] * q[:, None, :], ds[:, -1:] * hs[:, -1]


def steps(xs, w):
    ys = np.zeros((len(xs), xs.shape[1], w.shape[1]))
    for t in range(xs.shape[1]):
        ys[:, t] = xs[:, t] @ w
    return ys, (xs, w)


def steps_of_which_the_last_counts(dys, cache):
    xs, w = cache
    dxs = np.zeros(xs.shape)
    for t in range(xs.shape[1]):
        dxs[:, t] = dys[:, t] @ w.T
        dw = xs[:, t].T @ dys[:, t]
    return dxs, dw


def polynomial(x):
    return x + 0.25 * x**3, x


def polynomial_without_its_number(dout, x):
    inner = 0.25 * x**2
    return dout * (1 + inner)


def slope_of_some(x, a):
    return np.where(x > 0, x, a * x), (x, a)


def slope_of_all(dout, cache):
    x, a = cache
    return np.where(x > 0, dout, a * dout), (dout * x).sum(axis=0)


def padded(x):
    return np.pad(x, 1), None


def padded_cut_at_one_end(dout, cache):
    return dout[2:, 2:] + 0.0


def smoothed(x, t):
    soft = 0.75 * t + 0.25 / x.shape[1]
    return (x * soft).sum(axis=1), t


def smoothed_by_hard_ones(dout, t):
    return dout[:, None] * t


def rectified_and_clipped(x):
    return np.maximum(x, 0), x > 0


def rectified_with_a_clipped_dout(dout, mask):
    return mask * np.maximum(dout, 0)


def normal_by_the_variance(x):
    c = x - x.mean(axis=1, keepdims=True)
    s = (c**2).mean(axis=1, keepdims=True) + 0.125
    y = c / s
    return y, (y, np.sqrt(s))


def normal_by_the_deviation(dout, cache):
    y, s = cache
    d = dout - dout.mean(axis=1, keepdims=True)
    return (d - y * (dout * y).mean(axis=1, keepdims=True)) / s


def powered(x, p):
    y = x**p
    return y, (x, p, y)


def powered_without_the_logarithm(dout, cache):
    x, p, y = cache
    return dout * p * x ** (p - 1), (dout * y).sum(axis=0)


def halves(x):
    return x**3, x.astype(np.float16)


def halves_of_few_digits(dout, kept):
    return 3.0 * dout * kept**2


LONG = {"t": (2, 6)}
SLIPS = (
    Slip(gate, gate_of_the_wrong_sign, "the sign of a term is wrong", "(1 - s)", {"x": "n d", "w": "d"}),
    Slip(gate, gate_divided, "divides by w where it must multiply", "dout * w * s", {"x": "n d", "w": "d"}),
    Slip(gate, gate_unpacked_in_the_wrong_order, "unpacked in the wrong order", "s, w = cache", {"x": "n d", "w": "d"}),
    Slip(gate, gate_of_the_wrong_name, "", "(dout * s).sum(axis=0)", {"x": "n d", "w": "d"}),
    Slip(gate, gate_without_a_factor, "", "", {"x": "n d", "w": "d"}),
    Slip(gate, gate_of_the_mean, "", "(dout * s).sum(axis=0)", {"x": "n d", "w": "d"}),
    Slip(gate, gate_of_the_wrong_power, "", "", {"x": "n d", "w": "d"}),
    Slip(huber, huber_of_the_wrong_comparison, "the mask is", "np.abs(x) < 1", {"x": "n d"}),
    Slip(root, root_without_its_epsilon, "an epsilon is left out", "np.sqrt(x + 0.001)", {"x": positive("n d")}),
    Slip(root, root_of_another_constant, "", "0.5 * dout", {"x": positive("n d")}),
    Slip(spread, spread_without_its_mean, "the mean over axis 1", ".mean(axis=1, keepdims=True)", {"x": "n d"}),
    Slip(spread, spread_over_the_batch, "", "axis=1", {"x": "n d"}),
    Slip(look_up, look_up_of_the_last, "counts an index that occurs twice once", "np.add.at(dtable, ids, dout)",
         {"table": "v d", "ids": labels("n", "v")}),
    Slip(running, running_of_the_last_step, "", "carried += dout[:, t]",
         {"x": "n t", "dims": LONG}),
    Slip(running, running_without_the_last_step, "", "range(x.shape[1])", {"x": "n t", "dims": LONG}),
    Slip(running, running_in_the_wrong_order, "", "reversed(range(x.shape[1]))", {"x": "n t", "dims": LONG}),
    Slip(affine, affine_not_summed, "it is not summed", ".sum(axis=0)", {"x": "n d", "w": "d h", "b": "h"}),
    Slip(affine, affine_that_raises, "a transpose is missing", "w.T", {"x": "n d", "w": "d h", "b": "h"}),
    Slip(last_bias, last_bias_behind_the_loop, "this line stands behind the loop", "at the end of the loop above it",
         {"x": "n t", "b": "", "dims": LONG}),
    Slip(margin, margin_of_every_row, "takes the columns ids of every row", "d[np.arange(len(ids)), ids] -= 1",
         {"x": "n c", "ids": labels("n", "c")}),
    Slip(total, total_not_spread, "", "np.ones_like(x)", {"x": "n d"}),
    Slip(logistic, logistic_without_brackets, "", "1 / (1 + np.exp(-x))", {"x": "n d"}),
    Slip(blend, blend_exchanged, "", "dx = z * dout", {"x": "n d", "y": "n d", "w": "n d"}),
    Slip(blend, blend_without_a_term, "a term is missing: - y", "(x - y)", {"x": "n d", "y": "n d", "w": "n d"}),
    Slip(limited, limited_not_cut_off, "is not cut off as forward does it", "np.clip(r, -limit, limit)",
         {"x": "n d", "t": "n d"}),
    Slip(update, update_without_the_direct_path, "a term is missing: + dout * z", "dout * z",
         {"x": "n d", "h": "n d", "w": "d d"}),
    Slip(squashed, squashed_of_the_pre_activation, "", "np.tanh(z) ** 2", {"x": "n d", "w": "d"}),
    Slip(three_ways, three_ways_of_which_the_last_counts, "dx is assigned in several lines", "dx += dw @ w.T",
         {"x": "n d", "u": "d h", "v": "d h", "w": "d h"}),
    Slip(boxes, boxes_of_one_side, "", "dx[:, 1] *= y[:, 1]", {"x": "n 4"}),
    Slip(skipped, skipped_in_place, "dout is written to after this line", "dz = dout.copy()", {"x": "n d", "w": "d d"}),
    Slip(two_ways, two_ways_of_which_one_comes_back, "a term is missing: + dz @ w.T", "dout @ u.T + dz @ w.T",
         {"x": "n d", "u": "d h", "w": "d h"}),
    Slip(choose, choose_without_the_sum, "a term is missing: p times a sum", ".sum(axis=1, keepdims=True)",
         {"s": "n c", "v": "c d"}),
    Slip(choose, choose_without_the_softmax, "that of the softmax", "p * (", {"s": "n c", "v": "c d"}),
    Slip(centred, centred_not_at_all, "the mean over axis (1, 2)", ".mean(axis=(1, 2), keepdims=True)", {"x": "n t d"}),
    Slip(pointing, pointing_of_a_fixed_length, "a term is missing: what lies along x", "x",
         {"x": "n d", "dims": {"d": (2, 6)}}),
    Slip(margins, margins_without_the_true_class, "the true class of each row gets nothing", "ds = ",
         {"s": "n c", "ids": labels("n", "c"), "dims": {"c": (2, 6)}}),
    Slip(cross_entropy, cross_entropy_without_its_one, "1 is not subtracted at the true class", "d = p.copy() - ",
         {"s": "n c", "ids": labels("n", "c"), "dims": {"c": (2, 6)}}),
    Slip(squash, squash_like_a_gate, "a sigmoid's derivative, stands where 1 - y ** 2", "(1 - y ** 2)",
         {"x": "n d", "w": "d"}),
    Slip(gate, gate_like_a_squash, "tanh's derivative, stands where s * (1 - s)", "s * (1 - s)",
         {"x": "n d", "w": "d"}),
    Slip(standard, standard_over_the_batch, "over the wrong axis", "mean = dout.mean(axis=1, keepdims=True)",
         {"x": "n d"}),
    Slip(standard_anew, standard_of_a_bare_deviation, "forward has eps under the root", "+ eps)", {"x": "n d"}),
    Slip(pixels, pixels_counting_channels, "the size c stands where h * w belongs", "m = h * w", {"x": "n c h w"}),
    Slip(rectified, rectified_of_the_output, "softplus's derivative at the output", "np.exp(-x)",
         {"x": floats("n d", min_value=-3, max_value=3)}),
    Slip(squared_hinge, squared_hinge_without_the_margin, "the factor over is missing", "over",
         {"x": "n d", "t": constant("n d")}),
    Slip(quadratic, quadratic_taken_for_symmetric, "a is taken for symmetric", "(a + a.T) / 2",
         {"x": "n d", "a": "d d", "dims": {"d": (2, 6)}}),
    Slip(binary, binary_of_the_positives, "a term is missing: + (1 - t) / (1 - p)", "d = -t / p + (1 - t) / (1 - p)",
         {"p": floats("n d", min_value=0, max_value=1), "t": constant(floats("n d", min_value=0, max_value=1))}),
    Slip(weighted, weighted_not_at_all, "the factor w is missing", "w[:, None]", {"x": "n d", "w": "n"}),
    Slip(scores, scores_of_the_last_state, "", "np.einsum(", {"hs": "n t d", "q": "n d", "dims": LONG}),
    Slip(steps, steps_of_which_the_last_counts, "each round overwrites the one before", "dw += xs[:, t].T @ dys[:, t]",
         {"xs": "n t d", "w": "d h", "dims": LONG}),
    Slip(polynomial, polynomial_without_its_number, "the number 3 is missing as a factor", "3 * inner",
         {"x": "n d"}),
    Slip(slope_of_some, slope_of_all, "a mask is missing: the factor (x <= 0)", "(x <= 0)", {"x": "n d", "a": "d"}),
    Slip(padded, padded_cut_at_one_end, "in the wrong places", "dout[1:-1, 1:-1]", {"x": "n d"}),
    Slip(smoothed, smoothed_by_hard_ones, "t stands where soft belongs", "soft", {"x": "n c", "t": constant("n c")}),
    Slip(rectified_and_clipped, rectified_with_a_clipped_dout, "maximum is one too many: dout is a gradient",
         "mask * dout",
         {"x": "n d"}),
    Slip(normal_by_the_variance, normal_by_the_deviation, "right for another forward: the power is wrong", "np.sqrt(",
         {"x": "n d", "dims": {"d": (2, 6)}}),
    Slip(powered, powered_without_the_logarithm, "a derivative is missing: the factor (np.log(x))", "np.log(x)",
         {"x": positive("n d"), "p": "d"}),
    Slip(halves, halves_of_few_digits, "digits are lost: x.astype(np.float16)", "return (x ** 3, x)",
         {"x": floats("n d", min_value=-3, max_value=3)}),
    Slip(cubed, cubed_in_few_digits, "digits are lost", "3 * dout * x ** 2",
         {"x": floats("n d", min_value=-3, max_value=3)}),
    Slip(cubed, cubed_that_overwrites, "", "(without this line)", {"x": "n d"}),
)  # fmt: skip
