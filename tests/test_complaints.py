"""What the exceptions of NumPy and Python say of shapes: each text is one that NumPy itself raises here."""

from __future__ import annotations

import numpy as np
import pytest

from gradproof.guard import SubjectError, call
from gradproof.infer.complaints import complaint_of, is_own_fault
from gradproof.values import LayerError


def raised(function):
    with pytest.raises(SubjectError) as caught:
        call("forward", function)
    return caught.value.error


def zeros(*shape):
    return np.zeros(shape)


@pytest.mark.parametrize(
    ("function", "pairs"),
    [
        pytest.param(lambda: np.dot(zeros(2, 3), zeros(5, 7)), [(3, 5)], id="dot"),
        pytest.param(lambda: zeros(2, 3) @ zeros(5, 7), [(3, 5)], id="matmul"),
        pytest.param(lambda: zeros(2, 3) + zeros(5), [(3, 5)], id="broadcast"),
        pytest.param(lambda: zeros(2, 3, 5) * zeros(7, 5), [(3, 7)], id="broadcast in the middle"),
        pytest.param(lambda: zeros(2, 3).__setitem__(slice(None), zeros(2, 5)), [(5, 3)], id="an assignment"),
        pytest.param(lambda: np.concatenate([zeros(2, 3), zeros(5, 3)], axis=1), [(2, 5)], id="concatenate"),
        pytest.param(lambda: zeros(3, 2)[np.arange(3), np.arange(5) % 2], [(3, 5)], id="two index arrays"),
        pytest.param(lambda: zeros(3)[np.ones(5, dtype=bool)], [(3, 5)], id="a mask"),
    ],
)
def test_the_sizes_that_ought_to_be_equal_are_read(function, pairs):
    found = complaint_of(raised(function)).equal
    assert [set(pair) for pair in found] == [set(pair) for pair in pairs]


@pytest.mark.parametrize(
    ("function", "ratio"),
    [
        pytest.param(lambda: zeros(2, 3).reshape(5, 7), (6, 35), id="all sizes given"),
        pytest.param(lambda: zeros(2, 3).reshape(5, -1), (6, 5), id="one size left open"),
    ],
)
def test_a_reshape_tells_how_many_entries_there_are_and_ought_to_be(function, ratio):
    assert complaint_of(raised(function)).ratio == ratio


def test_an_index_tells_the_least_size_that_holds_it():
    assert complaint_of(raised(lambda: zeros(3)[np.array([0, 6])])).overrun == (7, 3)


def unpack(array, count):
    def body():
        shape = array.shape
        if count == 2:
            _, _ = shape
        else:
            _, _, _, _ = shape

    return body


@pytest.mark.parametrize(
    ("function", "rank"),
    [
        pytest.param(unpack(zeros(2, 3), 4), (4, 2), id="too few values"),
        pytest.param(lambda: zeros(2, 3).sum(axis=2), (None, 2), id="an axis too far"),
        pytest.param(lambda: zeros(2, 3)[0, 0, 0], (3, 2), id="too many indices"),
        pytest.param(lambda: zeros(2, 3).transpose(0, 2, 1), (None, None), id="a transpose of more axes"),
        pytest.param(lambda: zeros(2).shape[1], (None, None), id="an entry of the shape"),
    ],
)
def test_the_number_of_axes_that_is_wanted_is_read(function, rank):
    assert complaint_of(raised(function)).rank == rank


def test_too_many_axes_tell_how_many_are_wanted():
    assert complaint_of(raised(unpack(zeros(2, 3, 5), 2))).rank[0] == 2


def test_an_array_of_floats_as_an_index_asks_for_integers():
    assert complaint_of(raised(lambda: zeros(3)[zeros(2)])).integers
    assert not complaint_of(raised(lambda: zeros(3)[np.array([7])])).integers


def test_the_argument_whose_shape_is_unpacked_is_named():
    def forward(frames):
        _, _, _ = frames.shape

    found = complaint_of(raised(lambda: forward(zeros(2, 3))))
    assert found.unpacked == "frames"
    assert "frames" in found.names


@pytest.mark.parametrize(
    ("kind", "message", "own"),
    [
        pytest.param("NameError", "name 'npp' is not defined", True, id="a name"),
        pytest.param("AttributeError", "'Affine' object has no attribute 'x'", True, id="an attribute of the layer"),
        pytest.param("AttributeError", "'NoneType' object has no attribute 'shape'", False, id="an attribute of None"),
        pytest.param("AttributeError", "'int' object has no attribute 'forward'", False, id="an attribute of a size"),
        pytest.param("ValueError", "operands could not be broadcast", False, id="a shape"),
        pytest.param("TypeError", "'int' object is not callable", False, id="a size where a function belongs"),
    ],
)
def test_an_exception_that_no_arguments_avoid_is_the_layers_own(kind, message, own):
    assert is_own_fault(LayerError("forward", kind, message, "")) is own
