"""What forward and backward may return, and what is wrong with the rest."""

from __future__ import annotations

import numpy as np
import pytest

from gradproof.differentiate.claims import claims_of, malformed
from gradproof.subject import outputs
from gradproof.subject.outputs import Form
from gradproof.values import Defect, Reason


@pytest.mark.parametrize(
    ("returned", "shapes"),
    [
        pytest.param((np.ones((2, 3)),), ((2, 3),), id="array"),
        pytest.param((1.5,), ((),), id="number"),
        pytest.param((np.float32(1),), ((),), id="NumPy number"),
        pytest.param((np.ones(2), 3.0), ((2,), ()), id="two outputs"),
        pytest.param((np.ones((0, 3)),), ((0, 3),), id="empty"),
    ],
)
def test_arrays_and_numbers_are_outputs(returned, shapes):
    form = outputs.form_of(returned)
    assert isinstance(form, Form)
    assert form.shapes == shapes


@pytest.mark.parametrize(
    ("returned", "headline"),
    [
        pytest.param((None,), "forward's result is None", id="None"),
        pytest.param(("abc",), "forward's result is a str", id="string"),
        pytest.param(([1, 2], [3]), "output 0 of forward is a list", id="lists"),
        pytest.param((np.ones(1), {}), "output 1 of forward is a dict", id="dict"),
        pytest.param((np.array([None]),), "forward's result is an array of dtype object", id="object array"),
        pytest.param((), "forward's result is an empty tuple", id="nothing"),
    ],
)
def test_anything_else_is_a_defect_that_says_what_came(returned, headline):
    defect = outputs.form_of(returned)
    assert isinstance(defect, Defect)
    assert (defect.code, defect.headline) == ("GP207", f"{headline}, not an array of numbers")


def test_several_outputs_are_flattened_and_split_in_their_order():
    returned = (np.array([[1.0, 2.0]]), np.float64(3.0))
    form = outputs.form_of(returned)
    flat = outputs.flat(returned, form)
    assert flat.tolist() == [1, 2, 3]
    first, second = form.split(flat)
    assert first.tolist() == [[1, 2]]
    assert (second.shape, float(second)) == ((), 3.0)


def test_outputs_of_another_shape_do_not_fit():
    form = outputs.form_of((np.ones(2), np.ones(3)))
    assert outputs.flat((np.ones(2), np.ones(4)), form) is None
    assert outputs.flat((np.ones(2),), form) is None
    assert outputs.flat((np.ones(3),), outputs.form_of((np.ones(2),))) is None


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (np.ones(2), None),
        (np.ones(2, np.float32), None),
        (np.ones(2, int), Reason.QUANTISED),
        (np.ones(2, bool), Reason.QUANTISED),
        (np.ones(2) * 1j, Reason.NOT_EXAMINED),
    ],
    ids=lambda value: str(getattr(value, "dtype", value)),
)
def test_only_real_floats_have_a_gradient(output, reason):
    found = outputs.unjudgeable(outputs.form_of((output,)))
    assert (found and found[0]) == reason


DX, DY = np.ones(2), np.zeros(3)


@pytest.mark.parametrize(
    ("returned", "wanted", "arrays", "expected"),
    [
        pytest.param(DX, ("x",), ("x",), {"x": DX}, id="one"),
        pytest.param((DX, DY), ("x", "y"), ("x", "y"), {"x": DX, "y": DY}, id="two"),
        pytest.param((DX, None), ("x",), ("x", "t"), {"x": DX}, id="None for the labels"),
        pytest.param((None, DX), ("x",), ("t", "x"), {"x": DX}, id="labels first"),
        pytest.param("whatever", (), (), {}, id="nothing wanted"),
    ],
)
def test_gradients_are_paired_by_position(returned, wanted, arrays, expected):
    assert outputs.input_gradients(returned, wanted, arrays, declared=True) == (expected, ())


def test_too_few_gradients_are_a_defect_only_where_the_inputs_were_declared():
    gradients, (defect,) = outputs.input_gradients(DX, ("x", "y"), ("x", "y"), declared=True)
    assert (gradients, defect.code) == ({}, "GP203")
    assert defect.headline == "backward returned one value for 2 inputs (x, y)"
    assert outputs.input_gradients(DX, ("x", "y"), ("x", "y"), declared=False) == ({"x": DX}, ())


def test_too_many_gradients_are_a_defect_always():
    _, (defect,) = outputs.input_gradients((DX, DX, DX), ("x", "y"), ("x", "y"), declared=False)
    assert defect.headline == "backward returned 3 values for 2 inputs (x, y)"


@pytest.mark.parametrize(
    ("gradient", "code", "hint"),
    [
        pytest.param(None, "GP202", "end backward with: return dx", id="None"),
        pytest.param(np.ones((2, 3)), None, "", id="right"),
        pytest.param(np.ones((3, 2)), "GP201", "transpose", id="transposed"),
        pytest.param(np.ones(6), "GP201", "reshape it to (2, 3)", id="flat"),
        pytest.param(np.ones((4, 2, 3)), "GP201", "an axis is left over", id="batch not summed"),
        pytest.param(np.ones(3), "GP201", "an axis is missing", id="summed away"),
        pytest.param(np.ones((2, 4)), "GP201", "the shape of its tensor", id="another size"),
        pytest.param("abc", "GP207", "", id="string"),
        pytest.param(np.ones((2, 3)) * 1j, "GP207", "", id="complex"),
    ],
)
def test_a_gradient_has_the_shape_of_its_tensor_and_is_real(gradient, code, hint):
    defect = malformed("x", gradient, (2, 3), parameter=False)
    assert (defect and defect.code) == code
    assert hint in str(defect and defect.lines)


def test_a_complex_gradient_is_named_as_one():
    defect = malformed("x", np.ones(2) * 1j, (2,), parameter=False)
    assert defect.headline == "the gradient of x is an array of dtype complex128, not a real array"


@pytest.mark.parametrize(
    ("shapes", "exchanged"),
    [(((2,), (3, 2)), True), (((2,), (2,)), False), (((3, 2), (3, 2)), False)],
    ids=["exchanged", "one summed too often", "one not summed"],
)
def test_two_gradients_that_have_each_others_shape_are_called_exchanged(shapes, exchanged):
    values = {"W": np.ones((3, 2)), "b": np.ones(2)}
    dtypes = {name: value.dtype for name, value in values.items()}
    found = claims_of(values, dict(zip(values, map(np.ones, shapes), strict=True)), dtypes).defects
    likely = [dict(defect.lines).get("likely cause", "") for defect in found]
    assert all(text.startswith("two gradients are exchanged") is exchanged for text in likely)
    assert {defect.code for defect in found} == {"GP201"}
