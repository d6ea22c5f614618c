"""Formulas that are solved for: products of two arrays, and what a value would do, without a run."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from elementwise import normal
from gradproof.mend.contractions import contractions, value, written
from gradproof.mend.expressions import LONGEST, Expressions, harmless_expressions
from gradproof.mend.patch import HOOK
from gradproof.mend.sensitivity import Sensitivity
from gradproof.mend.slots import Slot
from gradproof.mend.solved import compound, simple
from gradproof.report.facts import phrase

SHAPES = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)


@given(a=SHAPES, b=SHAPES, out=SHAPES, seed=st.integers(0, 99))
def test_what_is_written_is_what_was_multiplied(a, b, out, seed):
    names = {"a": normal(*a, seed=seed), "b": normal(*b, seed=seed + 1)}
    for subscripts in contractions(names["a"], names["b"], out):
        expected = value(subscripts, names["a"], names["b"])
        assert expected.shape == out
        np.testing.assert_allclose(eval(written(subscripts, "a", "b"), {"np": np}, names), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "out", "told"),
    [
        ((2, 3), (3, 4), (2, 4), "a @ b"),
        ((2, 3), (2, 4), (3, 4), "a.T @ b"),
        ((2, 3), (4, 3), (2, 4), "a @ b.T"),
        ((3, 4), (2, 3), (2, 4), "b @ a"),
        ((2, 3), (3,), (2,), "a @ b"),
        ((2, 3), (3,), (2, 3), "a * b"),
        ((2,), (3,), (2, 3), "a[:, None] * b"),
        ((2, 4), (2, 3), (2, 4, 3), "a[:, :, None] * b[:, None, :]"),
        ((2, 4, 3), (2, 4), (2, 3), "np.einsum('isj,is->ij', a, b)"),
    ],
)
def test_a_product_is_written_as_one_would(a, b, out, told):
    arrays = normal(*a), normal(*b)
    assert told in [written(subscripts, "a", "b") for subscripts in contractions(*arrays, out)]


def test_a_product_of_expressions_is_bracketed():
    assert written("is,sj->ij", "x - y", "w") == "(x - y) @ w"


def slot_of(text: str) -> Slot:
    statement = ast.parse(f"dx = {text}").body[0]
    return Slot(statement, "value", None, statement)


def sensitivity(text: str, names: Mapping[str, np.ndarray], right: np.ndarray) -> Sensitivity:
    """At a gradient that is the value itself."""
    own = np.asarray(eval(text, {"np": np}, dict(names)), dtype=np.float64)
    gap = (right - own).reshape(-1)
    return Sensitivity(slot_of(text), (own,), (names,), np.eye(own.size), gap, np.full(own.size, 1e-9))


X, Y, W = normal(4, 3), normal(4, 3, seed=1), normal(3, 2, seed=2)
DZ, P, T = normal(4, 2, seed=3), abs(normal(4, 3, seed=4)), np.array([0, 2, 1, 1])


@pytest.mark.parametrize(
    ("names", "right", "likely"),
    [
        ({"x": X, "y": Y}, X * Y, "the factor y is missing"),
        ({"x": X, "y": Y}, X * (1 - Y**2), "a derivative is missing: the factor (1 - y ** 2)"),
        ({"x": X, "y": Y}, X / Y, "the division by y is missing"),
        ({"x": X, "y": Y}, np.cos(Y), "x stands where np.cos(y) belongs"),
        ({"x": X, "y": Y}, X - 2 * Y, "a term is missing: - 2 * y"),
        ({"x": X, "y": Y, "n": np.array(4)}, X + Y / 4, "a term is missing: + 1 / n * y"),
    ],
)
def test_a_formula_of_one_array_is_found(names, right, likely):
    assert likely in [phrase(change.slip.fact, "x") for change in simple(sensitivity("x", names, right))]


@pytest.mark.parametrize(
    ("names", "right", "likely"),
    [
        ({"x": X, "dz": DZ, "w": W}, X + DZ @ W.T, "a term is missing: + dz @ w.T"),
        ({"x": X, "dz": DZ, "w": W}, DZ @ W.T, "x stands where dz @ w.T belongs"),
        ({"x": X, "y": Y, "p": P}, X + (1 - Y) / (1 - P), "a term is missing: + (1 - y) / (1 - p)"),
        ({"x": X}, X - X.mean(axis=0), "a term is missing: the mean over axis 0 is not subtracted"),
        (
            {"x": X, "p": P},
            P * (X - (X * P).sum(axis=1, keepdims=True)),
            "a derivative is missing: that of the softmax",
        ),
        ({"x": X, "t": T}, X - np.eye(3)[T], "1 is not subtracted at the true class"),
    ],
)
def test_a_formula_of_two_arrays_or_of_sums_is_found(names, right, likely):
    assert any(likely in phrase(change.slip.fact, "x") for change in compound(sensitivity("x", names, right)))


def test_what_no_formula_gives_is_given_none():
    found = sensitivity("x", {"x": X, "y": Y, "p": P}, np.arctan(X**3 + Y))
    assert [*simple(found), *compound(found)] == []


def test_a_value_that_moves_too_little_does_not_suffice():
    moves = np.eye(12)[:, :6]  # half of what is wrong does not depend on it
    held = Sensitivity(slot_of("x"), (X.reshape(-1)[:6],), ({},), moves, np.ones(12), np.full(12, 1e-9))
    assert not held.suffices
    assert Sensitivity(slot_of("x"), (X,), ({},), np.eye(12), np.ones(12), np.full(12, 1e-9)).suffices


def test_only_what_does_no_harm_is_evaluated():
    told = list(
        harmless_expressions(
            [ast.parse("self.layer.backward(dout); dx = np.add.at(a, i, b) + f(x) + np.exp(x[i]).sum()")]
        )
    )
    assert "np.exp(x[i]).sum()" in told
    assert not any(call in text for text in told for call in ("backward(", "add.at(", "f(x)"))
    assert all(len(text) <= LONGEST for text in told)


def test_arrays_at_hand_are_told_once_each_by_their_shortest_name():
    held = Expressions(["x", "x * 1", "missing", "n", "mask"]).evaluate({}, {"x": X, "n": 4, "mask": X > 0})
    assert list(held) == ["x", "n", "mask"]
    assert held["mask"].dtype == np.float64


def test_the_hook_leaves_nothing_behind():
    assert HOOK not in globals()
