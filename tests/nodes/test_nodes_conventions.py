"""The ways to write an operation of an autograd library: each finds its operations and accuses no right one."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest

from autograd_libraries import (
    ARRAYS_WITH_CLOSURES,
    COMPUTE_AND_GRADIENT,
    CONTEXTS,
    NODES_IN_CONTEXTS,
    NUMBERS_WITH_CLOSURES,
    SET_UP_APART,
    library,
    reports,
    verdicts,
)
from gradproof import Case, check
from gradproof.nodes.conventions import operations_of
from gradproof.report.lines import lines
from gradproof.values import Verdict

pytestmark = pytest.mark.table

OPERATIONS = {
    CONTEXTS: ("Scale", "Product", "Power", "Logarithm"),
    NODES_IN_CONTEXTS: ("Mul",),
    SET_UP_APART: ("Exponential",),
    COMPUTE_AND_GRADIENT: ("Multiply", "Reshape", "BroadcastTo", "Summation"),
    NUMBERS_WITH_CLOSURES: ("Value.__add__", "Value.__mul__", "Value.__pow__", "Value.log", "Value.relu"),
    ARRAYS_WITH_CLOSURES: ("Tensor.__add__", "Tensor.matmul", "Tensor.mean", "tanh"),
}
FAULTS = [
    (CONTEXTS, "return grad * ctx.factor", "return grad", "Scale"),
    (CONTEXTS, "return grad @ b.T, a.T @ grad", "return grad @ b, a.T @ grad", "Product"),
    (CONTEXTS, "grad * exponent * a", "grad * a", "Power"),
    (CONTEXTS, "return grad / a", "return grad * a", "Logarithm"),
    (NODES_IN_CONTEXTS, "grad_output.data * b.data), Tensor", "grad_output.data * a.data), Tensor", "Mul"),
    (SET_UP_APART, "return grad_output * y", "return grad_output", "Exponential"),
    (COMPUTE_AND_GRADIENT, "return out_grad * b, out_grad * a", "return out_grad * a, out_grad * b", "Multiply"),
    (COMPUTE_AND_GRADIENT, "out_grad.numpy().sum(axis=0)", "out_grad.numpy().mean(axis=0)", "BroadcastTo"),
    (NUMBERS_WITH_CLOSURES, "self.grad += power * self", "self.grad += self", "Value.__pow__"),
    (NUMBERS_WITH_CLOSURES, "(out.data > 0) * out.grad", "(out.data < 0) * out.grad", "Value.relu"),
    (ARRAYS_WITH_CLOSURES, "grad * (1 - t ** 2)", "grad * (1 - t)", "tanh"),
    (ARRAYS_WITH_CLOSURES, "/ self.data.size", "", "Tensor.mean"),
]


@pytest.mark.parametrize("source", OPERATIONS)
def test_every_operation_is_judged_and_nothing_else(source: str) -> None:
    assert verdicts(library(source)) == dict.fromkeys(OPERATIONS[source], "PASS")


@pytest.mark.parametrize(("source", "right", "wrong", "operation"), FAULTS)
def test_a_wrong_operation_is_the_only_one_that_fails(source: str, right: str, wrong: str, operation: str) -> None:
    assert source.count(right) == 1
    found = verdicts(library(source.replace(right, wrong)))
    assert [name for name, verdict in found.items() if verdict != "PASS"] == [operation]


def test_a_method_may_be_declared_by_the_names_of_its_arguments() -> None:
    value = vars(library(NUMBERS_WITH_CLOSURES))["Value"]
    assert check(Case(value.__mul__, self="", other="")).verdict is Verdict.PASS
    assert Case(value.__pow__, self="", power=2).declaration() == 'Case(Value.__pow__, self="", power=2)'


def test_the_line_of_a_closure_is_told() -> None:
    wrong = NUMBERS_WITH_CLOSURES.replace("other.grad += self.data * out.grad", "other.grad += out.grad")
    (finding,) = reports(library(wrong))["Value.__mul__"].findings
    assert "other.grad += out.grad" in dict(lines(finding))["look at"]


def test_the_functions_of_pytorch_are_given_its_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tensor(np.ndarray):
        """What is asked of a tensor here."""

        def detach(self) -> Tensor:
            return self

        def numpy(self) -> np.ndarray:
            return np.asarray(self)

    torch = ModuleType("torch")
    vars(torch)["from_numpy"] = lambda array: array.view(Tensor)
    vars(torch)["Function"] = type("Function", (), {"__module__": "torch.autograd.function"})
    monkeypatch.setitem(sys.modules, "torch", torch)
    source = """
import torch

class Square(torch.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x.detach())
        return x.detach() ** 2

    @staticmethod
    def backward(ctx, grad_output):
        x, = ctx.saved_tensors
        return 2 * x * grad_output.detach()
"""
    assert verdicts(library(source)) == {"Square": "PASS"}
    assert verdicts(library(source.replace("2 * x *", "x *"))) == {"Square": "FAIL"}


def test_an_activation_of_static_methods_without_a_context_is_no_operation() -> None:
    source = """
import numpy as np

class Tanh:
    @staticmethod
    def forward(x):
        return np.tanh(x)

    @staticmethod
    def backward(x):
        return 1 - np.tanh(x) ** 2
"""
    assert operations_of(vars(library(source))["Tanh"]) == ()
