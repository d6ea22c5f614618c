"""Whose fault an exception is, and what is told of it."""

import numpy as np
import pytest

import raising
from gradproof import Case, Settings
from gradproof.checking import check_case
from gradproof.guard import SubjectError, call
from gradproof.infer.infer import infer
from gradproof.infer.inference import Inference, judged
from gradproof.infer.own_faults import is_own_fault
from gradproof.report.lines import lines
from gradproof.values import Verdict

pytestmark = pytest.mark.table

SHAPES = {"W": "d h", "b": "h", "x": "n d"}


def checked(*functions, **arguments):
    case = Case(*functions, **arguments, settings=Settings(examples=8))
    return check_case(case, location="here"), Inference(case)


def told(report):
    return [
        (finding.code, finding.severity, finding.everywhere) for finding in report.findings if finding.code[2] == "3"
    ]


def test_a_backward_that_raises_wherever_forward_runs_is_wrong_with_an_inferred_case_too():
    report, inference = checked(raising.DenseWithoutTranspose, **SHAPES)
    report = judged(report, inference)
    assert report.verdict is Verdict.FAIL
    assert told(report) == [("GP303", "error", True)]
    (finding,) = (f for f in report.findings if f.code == "GP303")
    shown = dict(lines(finding))
    assert shown["shapes there"] == "dout (2, 4), self.W (3, 4)"
    assert shown["look at"].endswith("return dout @ self.W")
    assert shown["change to"].split("\n")[0].endswith("return dout @ self.W.T")


def test_a_backward_that_raises_at_some_sizes_is_a_matter_of_the_inferred_shapes():
    report, inference = checked(raising.Pooled, x="n d")
    assert report.verdict is Verdict.FAIL  # declared so, it is at fault
    softened = judged(report, inference)
    assert softened.verdict is Verdict.INCONCLUSIVE
    assert ("GP303", "warning", False) in told(softened)


def test_shapes_that_are_in_doubt_accuse_no_backward():
    report, inference = checked(raising.DenseWithoutTranspose, **SHAPES)
    in_doubt = Inference(inference.case, doubts=("it was only found to run where two axes of x are equal",))
    assert ("GP303", "warning", True) in told(judged(report, in_doubt))


@pytest.mark.parametrize(
    ("cls", "own"),
    [
        pytest.param(raising.TanhOfAnotherName, True, id="an attribute that nothing sets"),
        pytest.param(raising.Prepared, False, id="an attribute that a method sets"),
        pytest.param(raising.Refuses, False, id="a line that refuses"),
        pytest.param(raising.Once, True, id="the second call"),
    ],
)
def test_an_exception_is_the_layers_own_only_where_no_call_avoids_it(cls, own):
    report, inference = checked(cls, x="n d")
    assert judged(report, inference).verdict is (Verdict.FAIL if own else Verdict.INCONCLUSIVE)


def test_a_key_that_is_missing_in_a_dict_made_up_for_the_layer_accuses_nobody():
    report, inference = checked(raising.scale_forward, raising.scale_backward, x="n d", scale={"by": 2.0})
    assert judged(report, inference).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "functions",
    [
        pytest.param((raising.cube_forward, raising.cube_backward), id="forward hands over nothing"),
        pytest.param((raising.root_forward, raising.root_backward), id="a name that is imported as another"),
    ],
)
def test_a_function_that_cannot_use_what_its_forward_hands_over_is_wrong(functions):
    report, inference = checked(*functions, x="n d")
    assert judged(report, inference).verdict is Verdict.FAIL


def test_arguments_that_python_refuses_have_no_line_of_the_authors():
    with pytest.raises(SubjectError) as raised:
        call("backward", raising.Tanh().backward)
    assert (raised.value.error.kind, raised.value.error.line) == ("TypeError", 0)
    assert not is_own_fault(raised.value.error, raising.Tanh)


def test_the_arrays_on_the_line_that_raised_are_told_with_their_shapes():
    layer = raising.DenseWithoutTranspose(np.ones((3, 4)), np.ones(4))
    layer.forward(np.ones((2, 3)))
    with pytest.raises(SubjectError) as raised:
        call("backward", layer.backward, np.ones((2, 4)))
    error = raised.value.error
    assert error.operands == (("dout", (2, 4)), ("self.W", (3, 4)))
    assert error.text == "return dout @ self.W"


def test_a_change_that_only_stops_the_exception_is_not_told():
    report, _ = checked(raising.outer_forward, raising.outer_backward, x="n d", w="d")
    (finding,) = (f for f in report.findings if f.code == "GP303")
    change = dict(lines(finding)).get("change to", "")
    assert change == "" or "dw and dx" in change


class ForgetsItsOutput:
    def __init__(self):
        self.squashed = None

    def forward(self, x):
        return 1 / (1 + np.exp(-x))

    def backward(self, dout):
        return dout * (1.0 - self.squashed) * self.squashed


class KeptFromOutside:
    def __init__(self):
        self.handed_in = None

    def forward(self, x):
        return 1 / (1 + np.exp(-x))

    def backward(self, dout):
        return dout * (1.0 - self.handed_in) * self.handed_in


class GivenNothing:
    """The argument that is None by default may be given."""

    def __init__(self, factor_given=None):
        self.factor_given = factor_given

    def forward(self, x):
        return x * 2.0

    def backward(self, dout):
        return dout * self.factor_given


class TakesABuiltin:
    """``input`` is a function of Python's own: its argument is called input_."""

    def forward(self, input_):
        self.kept = np.exp(input_)
        return self.kept

    def backward(self, dout):
        return dout * np.exp(input)


class CommaForPoint:
    """``self,kept`` is a tuple that begins with the layer itself."""

    def forward(self, x):
        self.kept = np.exp(x)
        return self.kept

    def backward(self, dout):
        return dout - self, self.kept


class Chained:
    """It has no layers until it is given some."""

    def __init__(self):
        self.layers = []

    def add(self, layer):
        if hasattr(layer, "backward"):
            self.layers.append(layer)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in reversed(self.layers[1:]):
            dout = layer.backward(dout)
        return self.layers[0].backward(dout)


class ReadsWhatItNeverKept:
    """Its own forward could fill the list, and does not fill it far enough."""

    def __init__(self):
        self.kept = []

    def forward(self, x):
        self.kept = [x]
        return x**2

    def backward(self, dout):
        return 2 * dout * self.kept[1]


def train(layer, x):
    layer.handed_in = layer.forward(x)


@pytest.mark.parametrize(
    ("subject", "verdict"),
    [
        (ForgetsItsOutput, Verdict.FAIL),
        (KeptFromOutside, Verdict.INCONCLUSIVE),
        (GivenNothing, Verdict.INCONCLUSIVE),
        (TakesABuiltin, Verdict.FAIL),
        (CommaForPoint, Verdict.FAIL),
        (Chained, Verdict.INCONCLUSIVE),
        (ReadsWhatItNeverKept, Verdict.FAIL),
    ],
)
def test_what_nothing_could_have_given_the_layer_is_its_own_fault(subject, verdict):
    found = infer(subject)
    report = check_case(found.case.under(Settings(examples=5)), location="x", inferred=True)
    assert judged(report, found).verdict is verdict
