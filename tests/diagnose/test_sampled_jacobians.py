"""Causes that show output by output: each slip by its name, and its right or near neighbour by none of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from asked import Backward, Forward, cause, outcome, problem_of
from elementwise import normal
from gradproof import Case, GradientFault, Settings, check
from gradproof.compare.jacobian import MOST, jacobians
from gradproof.diagnose.asking import worth_asking
from gradproof.report.lines import lines

FEW = Settings(examples=5)  # beside the corner shapes


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(d: Any, x: Any) -> Any:
    y = softmax(x)
    return y * (d - (d * y).sum(axis=-1, keepdims=True))


def normalised(x: Any) -> Any:
    centred = x - x.mean(axis=1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 0.1)


def normalised_backward(d: Any, x: Any, mean: int = 1, variance: int = 1) -> Any:
    centred = x - x.mean(axis=1, keepdims=True)
    sd = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 0.1)
    y = centred / sd
    return (d - mean * d.mean(axis=1, keepdims=True) - variance * y * (d * y).mean(axis=1, keepdims=True)) / sd


def carried(x: Any, weight: float = 0.5) -> Any:
    """h_t = tanh(weight * h_before + x_t) along axis 1."""
    h, steps = np.zeros(len(x)), []
    for t in range(x.shape[1]):
        h = np.tanh(weight * h + x[:, t])
        steps.append(h)
    return np.stack(steps, axis=1)


def carried_backward(d: Any, x: Any, weight: float = 0.5) -> Any:
    y, dx, dh = carried(x), np.empty_like(x), np.zeros(len(x))
    for t in reversed(range(x.shape[1])):
        dx[:, t] = (d[:, t] + dh) * (1 - y[:, t] ** 2)
        dh = weight * dx[:, t]
    return dx


def taken_twice(x: Any) -> Any:
    """Every row, then the first one again."""
    return np.concatenate([x, x[:1]])


def taken_twice_backward(d: Any, x: Any) -> Any:
    dx = d[:-1].copy()
    dx[0] += d[-1]
    return dx


def assigned(d: Any, x: Any) -> Any:
    dx = d[:-1].copy()
    dx[0] = d[-1]
    return dx


def shuffled(x: Any) -> Any:
    return np.roll(x, 1, axis=1) * np.arange(1, x.shape[1] + 1)


def shuffled_backward(d: Any, x: Any) -> Any:
    return np.roll(d * np.arange(1, x.shape[1] + 1), -1, axis=1)


def mixed(x: Any) -> Any:
    """Times a square matrix that is not symmetric."""
    return x @ np.triu(np.ones((x.shape[1], x.shape[1])))


SLIPS: dict[str, tuple[Forward, Backward, str, str]] = {
    # id: (forward, the backward with a slip, the code, what the likely cause must contain)
    "no coupling": (softmax, lambda d, x: softmax(x) * (1 - softmax(x)) * d, "GP113", "along axis 1"),
    "statistics as constants": (normalised, lambda d, x: normalised_backward(d, x, 0, 0), "GP113", "along axis 1"),
    "coupled over the batch": (
        lambda x: x - x.mean(axis=1, keepdims=True),
        lambda d, x: d - d.mean(axis=0),
        "GP116",
        "axis 0",
    ),
    "mean term missing": (
        normalised,
        lambda d, x: normalised_backward(d, x, mean=0),
        "GP113",
        "the term of a mean or a sum over axis 1",
    ),
    "variance term missing": (
        normalised,
        lambda d, x: normalised_backward(d, x, variance=0),
        "GP113",
        "the term of the variance",
    ),
    "nothing carried back": (
        carried,
        lambda d, x: d * (1 - carried(x) ** 2),
        "GP113",
        "forward carries x0 on from step to step along axis 1",
    ),
    "carried without the weight": (
        carried,
        lambda d, x: carried_backward(d, x, weight=1.0),
        "GP113",
        "what backward carries from step to step along axis 1 is wrong",
    ),
    "first row of dout only": (
        lambda x: np.concatenate([x, 2 * x, 3 * x], axis=1),
        lambda d, x: d[:, : x.shape[1]].copy(),
        "GP114",
        "of dout",
    ),
    "overwritten": (taken_twice, assigned, "GP115", "assigned where it should be added up"),
    "the maximum's gradient of a mean": (
        lambda x: x.mean(axis=1),
        lambda d, x: (x == x.max(axis=1, keepdims=True)) * d[:, None],
        "GP110",
        "right for the maximum of what each output sees, but your forward takes the mean",
    ),
    "the sum's gradient of a maximum": (
        lambda x: x.max(axis=1),
        lambda d, x: np.ones_like(x) * d[:, None],
        "GP117",
        "the derivative of the maximum is missing",
    ),
    "some outputs, in no order": (
        lambda x: np.concatenate([np.cumsum(x, axis=1), x**2], axis=1),
        lambda d, x: np.cumsum(d[:, x.shape[1] - 1 :: -1], axis=1)[:, ::-1],
        "GP114",
        "the terms that these bring are missing",
    ),
    "the first entry of a mean": (
        lambda x: x.mean(axis=1),
        lambda d, x: (np.arange(x.shape[1]) == 0) * d[:, None],
        "GP107",
        "dout is not broadcast back",
    ),
    "moved": (
        shuffled,
        lambda d, x: np.roll(d * np.arange(1, x.shape[1] + 1), 1, axis=1),
        "GP109",
        "right numbers in the wrong places",
    ),
    "operator not transposed": (
        mixed,
        lambda d, x: d @ np.triu(np.ones((x.shape[1], x.shape[1]))),
        "GP105",
        "a transpose is missing",
    ),
    "something added": (mixed, lambda d, x: (d + 1) @ np.triu(np.ones((d.shape[1],) * 2)).T, "GP113", "too many"),
    "nothing for the first entry": (
        lambda x: np.cumsum(x, axis=1)[:, -1:] * np.ones(3),
        lambda d, x: np.where(np.arange(x.shape[1]) > 0, d.sum(axis=1, keepdims=True), 0.0) * np.ones(x.shape),
        "GP107",
        "for the first column",
    ),
    "activation's slope missing": (
        lambda x: np.tanh(mixed(x)),
        lambda d, x: d @ np.triu(np.ones((d.shape[1],) * 2)).T,
        "GP117",
        "tanh's derivative 1 - out**2 is missing",
    ),
    "activation's slope of the pre-activation": (
        lambda x: np.tanh(mixed(x)),
        lambda d, x: (d * (1 - mixed(x) ** 2)) @ np.triu(np.ones((d.shape[1],) * 2)).T,
        "GP117",
        "at the pre-activation",
    ),
}


@pytest.mark.parametrize(("forward", "backward", "code", "text"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_named_by_what_each_output_gives(forward: Forward, backward: Backward, code: str, text: str) -> None:
    found, likely = cause(forward, backward)
    assert (found, text in likely) == (code, True), likely


RIGHT: dict[str, tuple[Forward, Backward]] = {
    "softmax": (softmax, softmax_backward),
    "normalised": (normalised, normalised_backward),
    "carried": (carried, carried_backward),
    "taken twice": (taken_twice, taken_twice_backward),
    "shuffled": (shuffled, shuffled_backward),
    "mixed": (mixed, lambda d, x: d @ np.triu(np.ones((x.shape[1], x.shape[1]))).T),
}


@pytest.mark.parametrize(("forward", "backward"), RIGHT.values(), ids=RIGHT)
def test_the_right_neighbour_of_a_slip_has_no_finding(forward: Forward, backward: Backward) -> None:
    assert cause(forward, backward) == ("", "")


def test_a_wrong_backward_without_a_pattern_gets_no_cause() -> None:
    def noisy(d: Any, x: Any) -> Any:
        return softmax_backward(d, x) + d * np.sin(7 * x) * np.cos(3 * x) + np.roll(d, 1, axis=1) * x**2

    assert cause(softmax, noisy)[0] == "GP101"


def test_one_example_that_contradicts_a_cause_refutes_it() -> None:
    def wrong_from_three_on(d: Any, x: Any) -> Any:
        y = softmax(x)
        return y * (1 - y) * d + (0.1 * np.roll(d, 1, axis=1) * x if x.shape[1] > 2 else 0.0)

    assert "a term of dx0 is missing: each entry" not in cause(softmax, wrong_from_three_on)[1]


def test_what_is_asked_output_by_output_stays_within_its_forwards() -> None:
    calls = 0

    def forward(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return np.tanh(x @ np.ones((x.shape[1], 3)))

    x = normal(30, 4)
    subject = problem_of(forward, lambda d, v: np.zeros_like(v), x, np.ones((30, 3)))
    calls = 0
    assert jacobians(subject, lambda given, dout: subject, ["x0"]) == {}
    small = problem_of(forward, lambda d, v: np.zeros_like(v), x[:5], np.ones((5, 3)))
    calls = 0
    assert jacobians(small, lambda given, dout: small, ["x0"])["x0"].true.shape == (15, 20)
    assert 0 < calls <= MOST


def test_examples_of_different_dims_are_asked_the_most_telling_first() -> None:
    shapes = [(1, 1), (3, 3), (2, 3), (2, 3), (3, 4)]
    outcomes = [outcome(softmax, lambda d, x: d.copy(), shape, seed) for seed, shape in enumerate(shapes)]
    assert [o.example.dims for o in worth_asking(outcomes, "x0")] == [{"n": 3, "d": 4}, {"n": 2, "d": 3}]


def test_a_parameter_whose_gradient_sums_entries_without_a_part_lacks_a_mask() -> None:
    class PReLU:
        """x where x is above zero, alpha * x elsewhere; alpha's gradient takes all entries."""

        def __init__(self, alpha):
            self.params, self.grads = [alpha], [np.zeros_like(alpha)]

        def forward(self, x):
            self.x = x
            return np.where(x > 0, x, self.params[0] * x)

        def backward(self, dout):
            self.grads[0][...] = (dout * self.x).sum(axis=0)
            return np.where(self.x > 0, dout, self.params[0] * dout)

    with pytest.raises(GradientFault) as caught:
        check(Case(PReLU, alpha="d", x="n d", settings=FEW))
    finding = caught.value.report.findings[0]
    assert (finding.code, finding.tensor) == ("GP107", "alpha")
    assert dict(lines(finding))["likely cause"] == "a mask is missing: the factor (self.x <= 0)"


def test_a_parameter_whose_gradient_sums_another_array_is_named() -> None:
    class Scale:
        def __init__(self, gamma):
            self.params, self.grads = [gamma], [np.zeros_like(gamma)]

        def forward(self, x):
            self.x = np.tanh(x)
            self.out = self.params[0] * self.x + 1
            return self.out

        def backward(self, dout):
            self.grads[0][...] = (dout * self.out).sum(axis=0)
            return dout * self.params[0] * (1 - self.x**2)

    with pytest.raises(GradientFault) as caught:
        check(Case(Scale, gamma="d", x="n d", settings=FEW))
    finding = caught.value.report.findings[0]
    assert (finding.code, finding.tensor) == ("GP117", "gamma")
    told = dict(lines(finding))
    assert told["likely cause"] == "self.out stands where self.x belongs"
    assert told["everywhere"].startswith("yours sums dout * out")


def memory_forward(c: Any, a: Any) -> Any:
    """A cell and its output: where that is 0, an entry has a share in the cell alone."""
    new = c * a
    return np.maximum(new, 0), new, (c, a, new)


def memory_backward_of_the_cell_alone(dh: Any, dnew: Any, cache: Any) -> Any:
    c, a, _ = cache
    return dnew * a, dnew * c


def test_all_of_an_output_that_is_left_out_is_not_overwritten() -> None:
    with pytest.raises(GradientFault) as caught:
        check(memory_forward, memory_backward_of_the_cell_alone, c="n h", a="n h", settings=FEW)
    first = caught.value.report.findings[0]
    assert first.code == "GP114"
    assert dict(lines(first))["likely cause"].endswith("takes nothing from output 0 of dout")


class Thresholds:
    """b0, then what softplus adds at each step; the slope of the first is that of the others."""

    def __init__(self, b):
        self.b, self.db = b, np.zeros_like(b)

    def forward(self, x):
        steps = np.logaddexp(0, self.b)
        steps[0] = self.b[0]
        return np.cumsum(steps) - x[:, None]

    def backward(self, dout):
        self.db[...] = np.cumsum(dout.sum(axis=0)[::-1])[::-1] / (1 + np.exp(-self.b))
        return -dout.sum(axis=1)


def test_the_same_share_that_is_off_at_every_output_is_no_term_without_dout() -> None:
    with pytest.raises(GradientFault) as caught:
        check(Thresholds, b="k", x="n", settings=FEW)
    (finding,) = caught.value.report.findings
    assert "dout" not in dict(lines(finding)).get("likely cause", "")
