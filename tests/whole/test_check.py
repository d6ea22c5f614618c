"""check(): what it takes, what it refuses, what it says of crashes, and what an interrupt leaves behind."""

from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

from elementwise import node, normal, report_of, tanh_slope
from gradproof import Case, GradientFault, Settings, UsageError, Verdict, check
from gradproof.checking import check_case
from gradproof.report.lines import lines

pytestmark = pytest.mark.table

X = normal(4, 3)


class Affine:
    def __init__(self, W, b):
        self.params, self.grads = [W, b], [np.zeros_like(W), np.zeros_like(b)]

    def forward(self, x):
        W, b = self.params
        self.x = x
        return x @ W + b

    def backward(self, dout):
        W, _ = self.params
        self.grads[0][...] = self.x.T @ dout
        self.grads[1][...] = dout.sum(axis=0)
        return dout @ W.T


class AffineMeanBias(Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[1][...] = dout.mean(axis=0)
        return dx


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def affine_backward_halved(dout, cache):
    dx, dw, db = affine_backward(dout, cache)
    return dx, dw / 2, db


SHAPES = {"W": "d h", "b": "h", "x": "n d"}
PAIR = {"x": "n d", "w": "d h", "b": "h"}
FEW = Settings(examples=5)  # beside the corner shapes


def test_a_class_is_checked_at_many_shapes():
    report = check(Affine, **SHAPES)
    (subject,) = report.subjects
    assert (report.verdict, subject.findings) == (Verdict.PASS, ())
    assert {tensor.name for tensor in subject.tensors} == {"x", "W", "b"}
    assert subject.dims["n"][0] <= 1 < subject.dims["n"][1]
    assert subject.location == "Affine"


def test_a_wrong_class_raises_with_the_report_and_names_the_tensor():
    with pytest.raises(GradientFault, match="GP102") as caught:
        check(AffineMeanBias, **SHAPES)
    (finding,) = caught.value.report.findings
    assert (finding.tensor, finding.dims["n"]) == ("b", 2)
    assert dict(lines(finding))["reproduce"] == 'check(AffineMeanBias, W="d h", b="h", x="n d")'


def test_a_pair_of_functions_is_checked_and_its_wrong_gradient_found():
    assert check(affine_forward, affine_backward, settings=FEW, **PAIR).verdict is Verdict.PASS
    with pytest.raises(GradientFault) as caught:
        check(affine_forward, affine_backward_halved, settings=FEW, **PAIR)
    assert [finding.tensor for finding in caught.value.report.findings] == ["w"]


def test_a_case_is_checked_with_its_own_settings():
    report = check(Case(Affine, settings=Settings(examples=3, seed=9), **SHAPES))
    assert (report.verdict, report.subjects[0].seed) == (Verdict.PASS, 9)
    assert report.subjects[0].examples < check(Affine, **SHAPES).subjects[0].examples


def test_a_layer_object_is_checked_and_left_as_it_was():
    layer = Affine(normal(3, 2), normal(2))
    before = [array.copy() for array in (*layer.params, *layer.grads)]
    report = check(layer, X)
    assert (report.verdict, report.subjects[0].examples) == (Verdict.PASS, 3)
    assert all(np.array_equal(a, b) for a, b in zip(before, (*layer.params, *layer.grads), strict=True))
    assert not hasattr(layer, "x")


@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_slopes_at_the_ends_of_the_range_bring_no_warning(scale):
    assert report_of(node(lambda x: scale * x, lambda x: scale + 0 * x), X).verdict is Verdict.PASS
    assert report_of(node(lambda x: scale * x, lambda x: 1.001 * scale + 0 * x), X).verdict is Verdict.FAIL


def half_forward(x):
    return x / 2, None


class NoBackward:
    def forward(self, x):
        return x


class Pointwise:
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, dout):
        return dout * 2 * self.x


class Locked(Pointwise):
    def __init__(self):
        self.lock = threading.Lock()


def test_a_class_without_shapes_is_inferred_as_the_command_does():
    report = check(Pointwise, settings=Settings(examples=3))
    assert report.verdict is Verdict.PASS
    assert report.subjects[0].notes[0] == 'no Case was declared; checked as Case(Pointwise, x="n d")'


POINTWISE = Case(Pointwise, x="n d")

REFUSED = {
    "a number": (lambda: check(3), r"got 3 \(type int\), which has no method forward"),
    "no backward": (lambda: check(NoBackward(), X), "has no method backward"),
    "no input": (lambda: check(Pointwise()), "Pointwise.forward needs x: give forward's inputs as arrays"),
    "too many inputs": (lambda: check(Pointwise(), X, X), "Pointwise.forward takes x, got 2 values"),
    "an unknown input": (lambda: check(Pointwise(), X, y=X), "Pointwise.forward takes no y"),
    "an input given twice": (lambda: check(Pointwise(), X, x=X), "Pointwise.forward got twice x"),
    "a shape for an object": (lambda: check(Pointwise(), "n d"), "got a string for x: give forward's inputs as arrays"),
    "settings of another kind": (
        lambda: check(Pointwise(), X, settings=3),
        r"expected settings=Settings\(...\), got settings=3",
    ),
    "a Case with inputs": (lambda: check(POINTWISE, X), r"check\(Pointwise's Case\) takes nothing else"),
    "a Case with shapes": (lambda: check(POINTWISE, x="n d"), "takes nothing else"),
    "a Case with settings": (lambda: check(POINTWISE, settings=Settings()), "takes nothing else"),
    "a function alone": (lambda: check(half_forward, x="n"), "expected its backward function"),
    "a layer that cannot be copied": (lambda: check(Locked(), X), r"a part that cannot .*lock.*check\(Locked, ...\)"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_arguments_that_cannot_work_are_refused_with_a_remedy(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_the_class_of_a_layer_that_cannot_be_copied_is_checked():
    assert check(Locked, x="n d").verdict is Verdict.PASS


def fails(self, *args):
    raise ValueError("no more")


def leaves(self, *args):
    sys.exit(3)


def recurses(self, *args):
    return recurses(self)


@pytest.mark.parametrize("way", [fails, leaves, recurses], ids=lambda way: way.__name__)
@pytest.mark.parametrize(("method", "code"), [("__init__", "GP301"), ("forward", "GP302"), ("backward", "GP303")])
def test_a_crash_is_a_finding_with_the_users_frames(method, code, way):
    broken = type("Broken", (Pointwise,), {method: way})
    report = report_of(broken, x="n d", settings=Settings(examples=2))
    (finding,) = report.findings
    assert (report.verdict, finding.code) == (Verdict.FAIL, code)
    assert f"in {way.__name__}" in finding.traceback
    assert "gradproof/" not in finding.traceback


def test_a_result_that_is_nothing_is_a_finding():
    class Returns(Pointwise):
        result = ()

        def forward(self, x):
            return self.result

    for result in ((), None, "text"):
        layer = Returns()
        layer.result = result
        assert [finding.code for finding in report_of(layer, X).findings] == ["GP207"]


class Imprecise(Affine):
    def backward(self, dout):
        dx = super().backward(dout)
        self.grads[0] *= 1 + 1e-7 * np.cos(self.grads[0])
        return dx


class ImpreciseAndWrong(Imprecise):
    def backward(self, dout):
        return 2 * super().backward(dout)


def test_an_allowed_code_is_silenced_visibly():
    assert [finding.code for finding in report_of(Imprecise, settings=FEW, **SHAPES).findings] == ["GP108"]
    report = check(Imprecise, settings=Settings(allow=("GP108",), examples=5), **SHAPES)
    assert report.verdict is Verdict.PASS
    assert [(finding.code, finding.severity) for finding in report.findings] == [("GP108", "allowed")]
    assert "GP108 for W is allowed (in its Settings)" in report.subjects[0].notes


def test_an_allowed_code_silences_no_other():
    report = report_of(ImpreciseAndWrong, settings=Settings(allow=("GP108",), examples=5), **SHAPES)
    assert report.verdict is Verdict.FAIL
    assert {(finding.code, finding.severity) for finding in report.findings} == {
        ("GP102", "error"),
        ("GP108", "allowed"),
    }


class Interrupted(Affine):
    calls = 0

    def backward(self, dout):
        Interrupted.calls += 1
        if Interrupted.calls > 60:
            raise KeyboardInterrupt
        return super().backward(dout)


def test_an_interrupt_passes_through_and_leaves_what_was_found_so_far():
    Interrupted.calls = 0
    left = []
    case = Case(Interrupted, settings=Settings(examples=200), **SHAPES)
    with pytest.raises(KeyboardInterrupt):
        check_case(case, location="layers.py::Interrupted", into=left)
    (report,) = left
    assert (report.verdict, report.reason) == (Verdict.INCONCLUSIVE, "interrupted: the search did not end")
    assert report.examples > 0
    assert any(tensor.judged for tensor in report.tensors)


def test_without_a_place_for_it_an_interrupt_leaves_nothing():
    Interrupted.calls = 0
    with pytest.raises(KeyboardInterrupt):
        check_case(Case(Interrupted, settings=Settings(examples=200), **SHAPES), location="layers.py::Interrupted")


def test_the_same_seed_finds_the_same():
    first, second = (report_of(AffineMeanBias, settings=Settings(seed=4, examples=5), **SHAPES) for _ in range(2))
    assert first.findings == second.findings
    assert first.forwards == second.forwards


def test_examples_and_seed_of_the_call_come_before_those_of_the_case():
    case = Case(Affine, settings=Settings(examples=2, seed=1), **SHAPES)
    assert check_case(case, location="x", seed=8).seed == 8
    assert check_case(case, location="x", examples=30).examples > check_case(case, location="x").examples


def test_nothing_to_differentiate_is_not_a_pass():
    class Constant:
        def forward(self, n):
            return np.ones(3)

        def backward(self, dout):
            return None

    report = report_of(Constant(), 3)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "nothing has a gradient" in report.reason


def test_a_gradient_right_by_the_numbers_passes_at_every_kind_of_argument():
    layer = node(np.tanh, tanh_slope)
    assert check(layer, x=X).verdict is Verdict.PASS
    assert check(layer, X, settings=Settings(seed=3)).subjects[0].seed == 3
