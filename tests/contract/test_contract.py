"""Every promise has a layer that breaks it, which is told, and one that keeps it, which is left in peace."""

from dataclasses import replace

import numpy as np
import pytest

import check_plainnet
from faulty.contract import (
    AFFINE,
    CHAIN,
    PROMISES,
    SQUARE,
    Accumulates,
    Affine,
    BackwardWritesToDout,
    BiasThatIsTakenAway,
    BuildsLazily,
    Chain,
    ClipsDout,
    CollectsGradsInAnotherOrder,
    Dropping,
    HalfSquareForNoDout,
    HalfSquareForNoDoutButOne,
    HalfSquareForTheSignOfDout,
    HalfSquareForTheSizeOfDout,
    HoldsALayerThatRebinds,
    KeepsItsFirstInput,
    Residual,
    Shift,
    Square,
    Stateful,
)
from gradproof import Case, Verdict
from gradproof.checking import check_case
from gradproof.codes import CODES
from gradproof.contract.contract import worth_keeping
from gradproof.explain.promises import reconciled
from gradproof.explain.ranking import told_once
from gradproof.findings import Cause, Finding
from gradproof.report.lines import lines
from gradproof.values import Example, Outcome, Role, TensorResult

pytestmark = pytest.mark.table

RIGHT = {promise.right if isinstance(promise.right, type) else promise.right[1]: promise for promise in PROMISES}
OTHERS = {Shift: SQUARE, Residual: {"W": "d d", "b": "d", "x": "n d"}, BuildsLazily: {"size": 3, "x": "n d"}}


def findings_of(layer, specs, **options):
    case = Case(*layer, **specs, **options) if isinstance(layer, tuple) else Case(layer, **specs, **options)
    return check_case(case, location="layers.py::layer", examples=3)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: f"{promise.code} {promise.name}")
def test_a_broken_promise_is_told_by_its_code_and_nothing_else_is_accused(promise):
    report = findings_of(promise.wrong, promise.specs)
    mine = [finding for finding in report.findings if finding.code == promise.code]
    assert [finding.severity for finding in mine][:1] == [promise.severity]
    errors = {finding.code for finding in report.findings if finding.severity == "error"}
    assert errors == ({promise.code} if promise.severity == "error" else set())
    assert (report.verdict is Verdict.FAIL) == (promise.severity == "error")
    labels = {label for label, _ in lines(mine[0])}
    assert {"seen", "why it matters", "what to do", "reproduce"} <= labels


@pytest.mark.parametrize(
    "promise", RIGHT.values(), ids=lambda promise: getattr(promise.right, "__name__", "square_pair")
)
def test_a_layer_that_keeps_its_promises_is_left_in_peace(promise):
    kind = SQUARE if isinstance(promise.right, type) and issubclass(promise.right, Square) else promise.specs
    specs = OTHERS.get(promise.right, kind)
    report = findings_of(promise.right, specs)
    assert (report.verdict, report.findings) == (Verdict.PASS, ())


def test_a_gradient_that_only_rounding_leaves_need_not_be_linear():
    assert findings_of(BiasThatIsTakenAway, {"b": "d", "x": "n d"}).findings == ()


@pytest.mark.parametrize(("loss", "told"), [
    (HalfSquareForNoDoutButOne, "ignores dout"),
    (HalfSquareForTheSignOfDout, "ignores the size of dout"),
    (HalfSquareForTheSizeOfDout, "ignores the sign of dout"),
], ids=lambda value: getattr(value, "__name__", ""))  # fmt: skip
def test_what_a_loss_ignores_of_its_dout_is_told(loss, told):
    (finding,) = findings_of(loss, SQUARE).findings
    assert finding.headline == f"the gradient of x {told}"


def test_a_gradient_that_ignores_a_dout_without_a_default_is_wrong():
    report = findings_of(HalfSquareForNoDout, SQUARE)
    assert report.verdict is Verdict.FAIL
    assert {finding.tensor for finding in report.findings} == {"x"}


def test_a_warning_is_no_cause_of_a_wrong_gradient():
    wrong = Finding("GP101", "Loss", tensor="x")
    warning = Finding("GP509", "Loss", "it ignores dout", tensor="x", severity="warning")
    assert reconciled([wrong], [warning]) == [wrong, warning]


def test_a_gradient_of_an_earlier_forward_is_no_matter_of_places():
    wrong = Finding("GP109", "Layer", tensor="x", cause=Cause("GP109", "in-another-order"))
    stale = Finding("GP508", "Layer", "it belongs to an earlier forward", tensor="x")
    assert [finding.code for finding in reconciled([wrong], [stale])] == ["GP508"]
    factor = replace(wrong, code="GP103", cause=Cause("GP103", "wrong-sign"))
    assert [finding.code for finding in reconciled([factor], [stale])] == ["GP103"]


def test_a_parameter_that_forward_changes_is_told_before_the_gradients_that_it_makes_wrong():
    wrong = Finding("GP101", "Layer", tensor="x")
    changed = Finding("GP502", "Layer", "forward changes W", tensor="W")
    assert told_once(reconciled([wrong], [changed])) == [changed, wrong]


@pytest.mark.parametrize("layer", [Stateful, Dropping, BuildsLazily], ids=lambda layer: layer.__name__)
def test_states_draws_and_parameters_built_late_break_no_promise(layer):
    assert findings_of(layer, OTHERS.get(layer, SQUARE)).findings == ()


@pytest.mark.parametrize("code", sorted({promise.code for promise in PROMISES}))
def test_the_table_of_codes_says_how_severe_a_broken_promise_may_be(code):
    said = {promise.severity for promise in PROMISES if promise.code == code}
    assert CODES[code].severity in said


def test_every_code_of_a_promise_has_a_layer_that_breaks_it():
    codes = {code for code in CODES if code.startswith("GP5")} - {"GP522"}  # which is about a comment
    assert {promise.code for promise in PROMISES} == codes


@pytest.mark.parametrize(("wrong", "specs", "numbers"), [
    (Accumulates, AFFINE, "after one backward"),
    (KeepsItsFirstInput, SQUARE, "on a new layer"),
    (BackwardWritesToDout, SQUARE, "was"),
    (ClipsDout, SQUARE, "for 1024 dout"),
], ids=lambda value: getattr(value, "__name__", ""))  # fmt: skip
def test_what_was_seen_is_told_with_numbers(wrong, specs, numbers):
    (finding,) = findings_of(wrong, specs).findings
    seen = dict(lines(finding))["seen"]
    assert numbers in seen
    assert any(character.isdigit() for character in seen)


def test_a_broken_promise_is_shrunk():
    (finding,) = findings_of(KeepsItsFirstInput, SQUARE).findings
    assert dict(finding.dims) == {"n": 1, "d": 1}


def test_one_finding_tells_of_all_the_tensors():
    (finding,) = findings_of(Accumulates, AFFINE).findings
    assert (finding.tensor, dict(lines(finding))["the same for"]) == ("W", "b")


def test_a_net_may_make_its_gradients_anew_but_a_layer_in_it_may_not():
    class Model(Chain):
        def backward(self, dout):
            dx = super().backward(dout)
            self.grads = [1 * gradient for gradient in self.first.grads + self.second.grads]
            return dx

    class OfItsOwnOld(Chain):
        """What it holds after the first backward is no layer's any more."""

        def backward(self, dout):
            dx = super().backward(dout)
            self.grads = [1 * gradient for gradient in self.grads]
            return dx

    (finding,) = findings_of(Model, CHAIN).findings
    assert (finding.code, finding.severity) == ("GP518", "warning")
    assert {f.code for f in findings_of(OfItsOwnOld, CHAIN).findings if f.severity == "error"} == {"GP508"}


class Wrapped(Affine):
    """An Affine in a box, whose lists are those of the box too."""

    def __init__(self, W, b):
        self.inner = Affine(W, b)
        self.params, self.grads = self.inner.params, self.inner.grads

    def forward(self, x):
        return self.inner.forward(x)

    def backward(self, dout):
        return self.inner.backward(dout)


class Shared(Chain):
    """One W in two boxes, each with its own place in the lists; the first gradient is off, and no list is to blame."""

    def __init__(self, W, b):
        self.first, self.second = Wrapped(W, b), Wrapped(W, b)
        self.collect()

    def backward(self, dout):
        dx = super().backward(dout)
        self.first.grads[0][...] *= 1.01
        return dx


def test_a_net_whose_layers_share_a_parameter_is_not_said_to_have_lost_its_gradient():
    report = findings_of(Shared, {"W": "d d", "b": "d", "x": "n d"})
    assert "W" in {finding.tensor for finding in report.findings if finding.severity == "error"}
    assert "GP521" not in {finding.code for finding in report.findings}


@pytest.mark.parametrize(
    ("net", "told"),
    [(CollectsGradsInAnotherOrder, "the net's grads do not hold"), (HoldsALayerThatRebinds, "is a new array, which")],
)
def test_a_list_in_another_order_is_told_from_one_of_old_arrays(net, told):
    found = [dict(lines(f))["likely cause"] for f in findings_of(net, CHAIN).findings if f.code == "GP521"]
    assert found
    assert all(told in likely for likely in found)


def test_the_lists_of_a_convention_without_lists_promise_nothing():
    class Attributes:
        def __init__(self, W):
            self.W = W

        def forward(self, x):
            self.x = x
            return x @ self.W

        def backward(self, dout):
            self.dW = self.x.T @ dout
            return dout @ self.W.T

    class Accumulating(Attributes):
        def __init__(self, W):
            super().__init__(W)
            self.dW = np.zeros_like(W)

        def backward(self, dout):
            self.dW += self.x.T @ dout
            return dout @ self.W.T

    for layer in (Attributes, Accumulating):
        assert findings_of(layer, {"W": "d h", "x": "n d"}).findings == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name for name in vars(check_plainnet) if isinstance(getattr(check_plainnet, name), Case)]
)
def test_plainnet_keeps_every_promise(name):
    assert check_case(getattr(check_plainnet, name), location=name, examples=3).findings == ()


class Allowed(BackwardWritesToDout):
    """The book's ReLU."""

    def backward(self, dout):  # gradproof: allow GP510, GP506 the book does so too
        return super().backward(dout)


class AllowsTooLittle(BackwardWritesToDout):
    # gradproof: allow GP516
    def backward(self, dout):
        return super().backward(dout)


class AllowsWhatIsNoCode(Square):
    def backward(self, dout):
        return 2 * self.x * dout  # gradproof: allow stale-cash


class AllowsInAString(BackwardWritesToDout):
    told = "# gradproof: allow GP510"


def test_a_comment_in_the_source_allows_a_code_visibly():
    report = findings_of(Allowed, SQUARE)
    assert [(finding.code, finding.severity) for finding in report.findings] == [("GP510", "allowed")]
    (note,) = [note for note in report.notes if "allowed" in note]
    assert note.startswith("GP510 for dout is allowed (")
    assert "test_contract.py:" in note


@pytest.mark.parametrize("layer", [AllowsTooLittle, AllowsInAString], ids=lambda layer: layer.__name__)
def test_what_is_no_comment_about_the_code_allows_nothing(layer):
    assert [(f.code, f.severity) for f in findings_of(layer, SQUARE).findings] == [("GP510", "warning")]


def test_a_comment_that_names_no_code_is_a_warning_with_the_code_that_was_meant():
    report = findings_of(AllowsWhatIsNoCode, SQUARE)
    (finding,) = report.findings
    assert (report.verdict, finding.code, finding.severity) == (Verdict.PASS, "GP522", "warning")
    assert dict(lines(finding))["what to do"] == "did you mean GP508 (stale-cache)?"


def fault(tensor, code="GP101", severity="error"):
    cause = Cause(code, "twice") if code.startswith("GP1") and code != "GP101" else None
    remarks = () if code.startswith("GP1") else (("seen", code),)
    return Finding(code, "Layer", f"{code} of {tensor}", tensor, severity, cause=cause, remarks=remarks)


@pytest.mark.parametrize(("gradients", "broken", "told"), [
    (["GP101"], ["GP508"], ["GP508"]),
    (["GP102"], ["GP508"], ["GP102"]),
    (["GP101"], ["GP512"], ["GP512"]),
    (["GP102"], ["GP512"], ["GP512", "GP102"]),
    (["GP104"], ["GP521"], ["GP521"]),
    ([], ["GP521"], []),
    ([], ["GP508"], ["GP508"]),
    (["GP101"], ["GP510"], ["GP101", "GP510"]),
], ids=lambda codes: "+".join(codes) or "nothing")  # fmt: skip
def test_a_promise_is_the_cause_of_a_wrong_gradient_or_repeats_it_or_stands_beside_it(gradients, broken, told):
    found = told_once(reconciled([fault("W", code) for code in gradients], [fault("W", code) for code in broken]))
    assert [finding.code for finding in found] == told


def test_a_promise_about_another_tensor_stays():
    found = reconciled([fault("W")], [fault("b", "GP508")])
    assert [(finding.code, finding.tensor) for finding in found] == [("GP101", "W"), ("GP508", "b")]


def outcome(**dims):
    tensor = TensorResult("x", Role.INPUT, (2,), Verdict.PASS, "entry by entry", 2, 2, 1)
    return Outcome(Example(dims, {}, {}, 0), tensors=(tensor,))


def test_the_contract_is_tried_on_the_first_examples_that_ran_through_and_are_not_tiny():
    tiny, empty, crashed = outcome(n=1), outcome(n=0), replace(outcome(n=9), tensors=())
    ordinary = [outcome(n=n) for n in (2, 3, 4, 5)]
    chosen = worth_keeping([tiny, empty, crashed, *ordinary])
    assert [example.dims["n"] for example in chosen] == [2, 3, 4]
    assert [example.dims["n"] for example in worth_keeping([tiny, empty, crashed])] == [1]
