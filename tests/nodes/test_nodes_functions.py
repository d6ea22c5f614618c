"""Operations as dezero and chainer write them: forward on arrays, backward on nodes."""

from __future__ import annotations

from types import ModuleType

import pytest

from autograd_libraries import DEFINE_BY_RUN, library, verdicts
from gradproof import Case, check
from gradproof.collect.discover import subjects
from gradproof.errors import UsageError
from gradproof.infer.infer import infer
from gradproof.nodes.conventions import is_machinery, operations_of
from gradproof.values import Verdict

pytestmark = pytest.mark.table


def test_every_operation_is_judged_and_nothing_else() -> None:
    assert verdicts(library(DEFINE_BY_RUN)) == dict.fromkeys(("Plus", "Times", "Square", "Product", "Log"), "PASS")


@pytest.mark.parametrize(
    ("right", "wrong", "operation"),
    [
        ("return g * b, g * a", "return g * a, g * b", "Times"),
        ("Variable(2 * x.data)", "Variable(x.data)", "Square"),
        ("Product()(g, Variable(w.data.T))", "Product()(g, Variable(w.data))", "Product"),
    ],
)
def test_a_wrong_operation_is_the_only_one_that_fails(right: str, wrong: str, operation: str) -> None:
    found = verdicts(library(DEFINE_BY_RUN.replace(right, wrong)))
    assert found[operation] == "FAIL"
    assert set(found.values()) == {"PASS", "FAIL"}
    assert list(found.values()).count("FAIL") == 1


def test_an_operation_may_be_declared() -> None:
    names = vars(library(DEFINE_BY_RUN))
    assert check(Case(names["Times"], a="n d", b="n d")).verdict is Verdict.PASS
    assert check(names["Product"], x="n d", w="d h").verdict is Verdict.PASS
    assert Case(names["Times"], a="n", b="n").declaration() == 'Case(Times, a="n", b="n")'


def test_an_argument_that_the_operation_does_not_take_is_refused() -> None:
    with pytest.raises(UsageError, match="no argument is called c"):
        Case(vars(library(DEFINE_BY_RUN))["Times"], a="n", b="n", c="n")


def test_nodes_and_bases_are_no_layers() -> None:
    names = vars(library(DEFINE_BY_RUN))
    assert is_machinery(names["Variable"])
    assert is_machinery(names["Function"])
    assert not operations_of(names["Function"])


def test_an_ordinary_layer_beside_a_library_stays_a_layer() -> None:
    source = """
class Layer:
    def __call__(self, x):
        return self.forward(x)

class Doubled(Layer):
    def forward(self, x):
        return 2 * x

    def backward(self, dout):
        return 2 * dout
"""
    module: ModuleType = library(DEFINE_BY_RUN + source)
    assert not operations_of(vars(module)["Doubled"])
    assert verdicts(module)["Doubled"] == "PASS"


def test_a_layer_that_is_made_of_operations_is_not_accused_and_told_where_they_are_judged() -> None:
    source = """
class Linear:
    def __init__(self, W):
        self.W = Variable(W)

    def forward(self, x):
        return Product()(x, self.W)
"""
    module = library(DEFINE_BY_RUN + source)
    found = subjects(vars(module), lambda value: getattr(value, "__module__", None) == module.__name__)
    (linear,) = [subject for subject in found if subject.name == "Linear"]
    assert linear.problem is not None
    assert "made of operations of Variable" in linear.problem


SHAPED = """

class Shaped(Function):
    def __init__(self, shape):
        self.shape = shape

    def forward(self, x):
        return lib.broadcast_to(x, self.shape)

    def backward(self, gy):
        return gy
"""


def test_an_operation_that_runs_at_no_sizes_is_told_as_such() -> None:
    found = infer(vars(library(DEFINE_BY_RUN + SHAPED))["Shaped"])
    assert found.case is None
    assert found.problem is not None
