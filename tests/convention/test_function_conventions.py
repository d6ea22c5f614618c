"""Functions and their derivatives, however they are written: found by name, called as their author meant, judged."""

from __future__ import annotations

import numpy as np
import pytest

from function_conventions import HELPERS, WAYS
from gradproof import Case, GradientFault, Settings, Verdict, check
from gradproof.collect.collect import items
from gradproof.convention.argument_names import ROLES, has_role, predictions, role_of, targets
from gradproof.convention.function_names import WORDS, forward_of, may_be_backward
from gradproof.convention.plans import plans
from gradproof.errors import UsageError
from gradproof.shell.runner import Options, check_item

pytestmark = pytest.mark.table

FEW = Settings(examples=3)


@pytest.mark.parametrize("row", WORDS, ids=lambda row: row.word)
def test_each_word_of_a_name_leads_to_the_forward_function(row):
    backward, forward = row.example
    assert may_be_backward(backward)
    assert forward_of(backward, ["other", backward, forward]) == forward
    assert forward_of(backward, ["other", backward]) is None


@pytest.mark.parametrize(
    ("backward", "forward"),
    [
        ("dsigmoid", "sigmoid"),
        ("backward_affine", "affine"),
        ("derivative_of_f", "f"),
        ("grad_f", "f"),
        ("sigmoid_output_to_derivative", "sigmoid"),
        ("reluBackward", "reluForward"),
        ("conv_backward_naive", "conv_forward"),
        ("compute_gradient", "compute_cost"),
    ],
)
def test_other_orders_of_the_words_lead_there_too(backward, forward):
    assert forward_of(backward, ["other", backward, forward]) == forward


@pytest.mark.parametrize("name", ["dropout", "gradually", "primes", "backwards"])
def test_a_word_within_a_word_is_none(name):
    assert forward_of(name, [name, "gr", "prime", "s", "forwards", "forward"]) is None


@pytest.mark.parametrize("row", ROLES, ids=lambda row: row.role)
def test_each_role_of_an_argument_has_its_names(row):
    assert [name for name in row.examples if not has_role(name, row.role)] == []


@pytest.mark.parametrize("name", ["data", "dim", "depth", "dropout", "dtype", "theta", "things"])
def test_a_name_that_only_begins_like_a_gradient_is_no_upstream_gradient(name):
    assert role_of(name) != "dout"


@pytest.mark.parametrize(
    ("names", "target", "prediction"),
    [
        (("y_true", "y_pred"), ("y_true",), ("y_pred",)),
        (("y", "t"), ("t",), ()),
        (("a", "y"), ("y",), ()),
        (("x", "w"), (), ()),
    ],
)
def test_what_a_loss_compares_is_read_from_its_names(names, target, prediction):
    assert (targets(names), predictions(names)) == (target, prediction)


def report_on(path, source):
    """The verdicts of what a file holds, by name, with nothing declared."""
    path.write_text("import numpy as np\n\n\n" + source, encoding="utf-8")
    reports = []
    for item in items(path, None):
        check_item(item, Options(examples=2), reports)
    return {report.name: report for report in reports}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_right_pair_passes_with_nothing_declared(tmp_path, way):
    report = report_on(tmp_path / "pairs.py", way.source)[way.name]
    assert report.verdict is Verdict.PASS, report.findings
    assert sum(tensor.judged for tensor in report.tensors) > 0


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_its_wrong_twin_fails_with_nothing_declared(tmp_path, way):
    assert report_on(tmp_path / "pairs.py", way.faulty)[way.name].verdict is Verdict.FAIL


def test_functions_that_only_sound_like_derivatives_are_no_subjects(tmp_path):
    with pytest.raises(UsageError, match="nothing to check"):
        report_on(tmp_path / "helpers.py", HELPERS)


def test_a_reading_that_names_settle_is_never_replaced_by_one_that_passes():
    def swapped(dout, cache):
        cosine, upstream = dout, cache
        return 3.0 * np.cos(upstream) * cosine

    forward_that_keeps_x = lambda x: (3.0 * np.sin(x), x)  # noqa: E731
    right = lambda cache, dout: swapped(dout, cache)  # noqa: E731
    assert check(Case(forward_that_keeps_x, right, x="n d", settings=FEW)).verdict is Verdict.PASS
    with pytest.raises(GradientFault):
        check(Case(forward_that_keeps_x, lambda cache, dout: swapped(cache, dout), x="n d", settings=FEW))


def test_the_only_way_to_call_that_is_right_is_told():
    def unnamed_backward(first, second):
        return 3.0 * first * second[0]

    report = check(Case(lambda x: (3.0 * np.sin(x), (np.cos(x), 1)), unnamed_backward, x="n d", settings=FEW))
    (subject,) = report.subjects
    assert subject.verdict is Verdict.PASS
    assert any("first=dout, second=the cache" in note for note in subject.notes)


def test_where_no_way_to_call_is_right_the_likeliest_is_judged():
    def unnamed_backward(first, second):
        return 2.0 * first * second[0]

    with pytest.raises(GradientFault, match="the gradient of x is wrong"):
        check(Case(lambda x: (3.0 * np.sin(x), (np.cos(x), 1)), unnamed_backward, x="n d", settings=FEW))


ONE_VECTOR = """
def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def softmax_grad(z):
    s = softmax(z)
    return np.diag(s) - np.outer(s, s)
"""


def test_what_only_its_name_makes_a_derivative_is_not_accused_where_it_does_not_run_as_one(tmp_path):
    report = report_on(tmp_path / "vectors.py", ONE_VECTOR)["softmax"]
    assert report.verdict is not Verdict.FAIL


class OfItsOutput:
    def forward(self, x):
        return np.tanh(x)

    def derivative(self, y):
        return 1 - y**2


class OfItsOutputWithoutSquare(OfItsOutput):
    def derivative(self, y):
        return 1 - y


class OfX(OfItsOutput):
    def backward(self, g, inp):
        return (1 - np.tanh(inp) ** 2) * g

    derivative = None


def test_forwards_argument_under_another_name_is_given_to_a_method_too():
    assert check(Case(OfX, x="n d", settings=FEW)).verdict is Verdict.PASS


def test_a_derivative_of_the_output_is_one_for_classes_too():
    assert check(Case(OfItsOutput, x="n d", settings=FEW)).verdict is Verdict.PASS
    with pytest.raises(GradientFault):
        check(Case(OfItsOutputWithoutSquare, x="n d", settings=FEW))


@pytest.mark.parametrize("arguments", ["g, state=None", "g, unused", "g, _"])
def test_an_argument_that_nothing_uses_does_not_stop_the_check(arguments):
    (way,) = plans(eval(f"lambda {arguments}: 2 * g"), 1, ("x",))
    assert (way.sources[0], way.untold) == (("g", "dout"), ())
