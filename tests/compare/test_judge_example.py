"""One example becomes one outcome."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from elementwise import normal
from faulty.contract import Affine, WorksInFloat32
from gradproof import Case, Verdict
from gradproof.compare.judge_example import judge_example
from gradproof.subject.subject import subject_of
from gradproof.values import Example, Reason


class Scale:
    """y = x * w, with one weight for each column."""

    def __init__(self, w):
        self.w, self.params, self.grads = w, [w], [np.zeros_like(w)]

    def forward(self, x):
        self.x = x
        return x * self.w

    def backward(self, dout):
        self.grads[0][...] = (dout * self.x).sum(0)
        return dout * self.w


class MeanOfBatch:
    """Divides by the batch size: NaN for an empty one."""

    def forward(self, x):
        self.x = x
        return x.sum(0)

    def backward(self, dout):
        if not len(self.x):
            raise ZeroDivisionError
        return np.ones_like(self.x) * dout


def outcome(case, dims, *, init=None, seed=0, **inputs):
    example = Example(dims, init or {}, inputs, seed, frozenset(inputs))
    return judge_example(example, functools.partial(subject_of, case, example))


SCALE = Case(Scale, w="d", x="n d")
DIMS = {"n": 4, "d": 3}


def test_every_tensor_is_examined_under_its_own_name():
    found = outcome(SCALE, DIMS, init={"w": normal(3)}, x=normal(4, 3))
    assert [(t.name, str(t.role), t.verdict) for t in found.tensors] == [
        ("x", "input", Verdict.PASS),
        ("w", "parameter", Verdict.PASS),
    ]
    assert found.forwards >= sum(t.forwards for t in found.tensors)


def test_the_same_example_has_the_same_outcome():
    first, second = (outcome(SCALE, DIMS, init={"w": normal(3)}, x=normal(4, 3), seed=7) for _ in range(2))
    assert [np.array_equal(a.analytic, b.analytic) for a, b in zip(first.tensors, second.tensors, strict=True)] == [
        True,
        True,
    ]
    other = outcome(SCALE, DIMS, init={"w": normal(3)}, x=normal(4, 3), seed=8)
    assert not np.array_equal(first.tensors[0].analytic, other.tensors[0].analytic)


def test_the_examples_own_arrays_are_left_alone():
    w, x = normal(3), normal(4, 3)
    before = w.copy(), x.copy()
    outcome(SCALE, DIMS, init={"w": w}, x=x)
    assert np.array_equal(w, before[0])
    assert np.array_equal(x, before[1])


@pytest.mark.parametrize(
    ("method", "stage"), [("__init__", "the constructor"), ("forward", "forward"), ("backward", "backward")]
)
def test_an_exception_is_part_of_the_outcome(method, stage):
    def fails(self, *args):
        raise ValueError("no")

    broken = type("Broken", (Scale,), {method: fails})
    case = Case(broken, x="n d") if method == "__init__" else Case(broken, w="d", x="n d")
    found = outcome(case, DIMS, init={} if method == "__init__" else {"w": normal(3)}, x=normal(4, 3))
    assert (found.error.stage, found.error.kind, found.tensors) == (stage, "ValueError", ())


def test_an_empty_batch_may_be_refused():
    found = outcome(Case(MeanOfBatch, x="n d"), {"n": 0, "d": 3}, x=np.zeros((0, 3)))
    assert (found.error, found.unjudged) == (None, Reason.NOT_EXAMINED)
    assert found.notes == ("an empty batch is refused: ZeroDivisionError",)


def test_an_exception_at_any_other_batch_is_not_forgiven():
    class Refuses(MeanOfBatch):
        def backward(self, dout):
            raise ZeroDivisionError

    assert outcome(Case(Refuses, x="n d"), {"n": 1, "d": 3}, x=np.zeros((1, 3))).error is not None


def test_warnings_of_the_subject_are_not_shown():
    class Log(MeanOfBatch):
        def forward(self, x):
            self.x = x
            return np.log(x)

        def backward(self, dout):
            return dout / self.x

    # pytest turns a warning into an error here: x is so small that steps leave the domain
    assert outcome(Case(Log, x="n d"), DIMS, x=np.full((4, 3), 1e-9)).tensors[0].verdict is not Verdict.FAIL


class Direction:
    """x / (|x| + 1e-12): a step from -1 to 1 around zero, whose slope there is 1e12."""

    def forward(self, x):
        self.x = x
        return x / (np.abs(x) + 1e-12)

    def backward(self, dout):
        return dout * 1e-12 / (np.abs(self.x) + 1e-12) ** 2


class DirectionOfOneFactor(Direction):
    def backward(self, dout):
        return dout / (np.abs(self.x) + 1e-12)


@pytest.mark.parametrize(
    ("layer", "x", "verdict"),
    [
        (Direction, np.zeros((2, 3)), Verdict.INCONCLUSIVE),
        (Direction, np.array([[0.0, 0.5, -0.25]]), Verdict.PASS),  # of the two entries that were judged
        (DirectionOfOneFactor, np.array([[0.75, 0.5, -0.25]]), Verdict.FAIL),
    ],
    ids=["all at the step", "one of them", "wrong beside it"],
)
def test_a_step_that_looks_like_round_off_is_a_jump_and_no_accusation(layer, x, verdict):
    (result,) = outcome(Case(layer, x="n d"), {"n": len(x), "d": 3}, x=x).tensors
    assert result.verdict is verdict
    assert verdict is Verdict.FAIL or Reason.JUMP in result.unjudged


class SumInALoop:
    """Of no rows, the sum is the integer with which it began."""

    def forward(self, x):
        self.x, total = x, 0
        for row in x:
            total = total + (row**2).sum()
        return total

    def backward(self, dout=1):
        return 2 * self.x * dout


def test_a_sum_over_an_empty_batch_that_is_an_integer_is_no_step():
    found = outcome(Case(SumInALoop, x="n d"), {"n": 0, "d": 2}, x=np.zeros((0, 2)))
    assert (found.unjudged, found.tensors, found.defects) == (Reason.NOT_EXAMINED, (), ())
    assert found.notes == (
        "an empty batch is refused: the output has dtype int64: it moves in steps and has no gradient",
    )


class AffineThatLosesDigits(Affine):
    """Backward casts what comes back to float32; forward keeps all digits."""

    def backward(self, dout):
        return super().backward(dout.astype("f"))


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize(("layer", "wrong"), [(WorksInFloat32, False), (AffineThatLosesDigits, True)])
def test_digits_that_forward_loses_as_well_are_not_held_against_backward(layer, wrong, seed):
    one = np.ones((1, 1))  # exact in float32: no noise tells of a cast
    case, dims = Case(layer, W="d h", b="h", x="n d"), {"n": 1, "d": 1, "h": 1}
    found = outcome(case, dims, init={"W": one, "b": np.ones(1)}, seed=seed, x=one)
    assert (Verdict.FAIL in {tensor.verdict for tensor in found.tensors}) is wrong
