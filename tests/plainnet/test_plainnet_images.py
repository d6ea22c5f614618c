"""Tests of convolution and pooling: values derived by hand, the definition in plain loops, and the errors."""

import numpy as np
import pytest

from plainnet import AveragePool2D, Conv2D, InputError, MaxPool2D


def test_a_kernel_is_laid_upon_the_image_without_flipping():
    layer = Conv2D(np.array([[[[1.0, 0.0], [0.0, -1.0]]]]), np.array([0.5]))
    np.testing.assert_array_equal(layer.forward(np.arange(9.0).reshape(1, 1, 3, 3)), np.full((1, 1, 2, 2), -3.5))
    dx = layer.backward(np.ones((1, 1, 2, 2)))
    np.testing.assert_array_equal(dx[0, 0], [[1, 1, 0], [1, 0, -1], [0, -1, -1]])
    np.testing.assert_array_equal(layer.grads[0][0, 0], [[8, 12], [20, 24]])
    np.testing.assert_array_equal(layer.grads[1], [4])


def convolution(x, W, b, stride, pad):
    """The definition, entry by entry."""
    n, _, height, width = x.shape
    f, _, i, j = W.shape
    padded = np.zeros((*x.shape[:2], height + 2 * pad, width + 2 * pad))
    padded[:, :, pad : pad + height, pad : pad + width] = x
    y = np.zeros((n, f, (height + 2 * pad - i) // stride + 1, (width + 2 * pad - j) // stride + 1))
    for at in np.ndindex(y.shape):
        sample, kernel, p, q = at
        window = padded[sample, :, stride * p : stride * p + i, stride * q : stride * q + j]
        y[at] = b[kernel] + (window * W[kernel]).sum()
    return y


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("pad", [0, 1, 2])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 4)], ids=str)
def test_a_convolution_is_its_definition(stride, pad, size):
    rng = np.random.default_rng(1)
    x, W, b = rng.standard_normal((2, 3, 5, 6)), rng.standard_normal((4, 3, *size)), rng.standard_normal(4)
    y = Conv2D(W, b, stride, pad).forward(x)
    np.testing.assert_allclose(y, convolution(x, W, b, stride, pad), rtol=1e-12, atol=1e-13)


def test_pixels_that_no_window_reaches_get_no_gradient():
    layer = Conv2D(np.ones((1, 1, 1, 1)), np.zeros(1), stride=2)
    layer.forward(np.ones((1, 1, 4, 4)))
    dx = layer.backward(np.ones((1, 1, 2, 2)))
    np.testing.assert_array_equal(dx[0, 0], [[1, 0, 1, 0], [0, 0, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]])


IMAGE = np.array([[[[1.0, 2.0, 0.0], [4.0, 3.0, 5.0], [0.0, 0.0, 6.0]]]])


def test_the_largest_pixel_of_each_window_gets_the_gradient_and_overlaps_add_up():
    layer = MaxPool2D(2, stride=1)
    np.testing.assert_array_equal(layer.forward(IMAGE)[0, 0], [[4, 5], [4, 6]])
    dx = layer.backward(np.array([[[[1.0, 10.0], [100.0, 1000.0]]]]))
    np.testing.assert_array_equal(dx[0, 0], [[0, 0, 0], [101, 0, 10], [0, 0, 1000]])


def test_the_first_of_equal_pixels_gets_the_gradient():
    layer = MaxPool2D(2)
    layer.forward(np.ones((1, 1, 2, 2)))
    np.testing.assert_array_equal(layer.backward(np.ones((1, 1, 1, 1)))[0, 0], [[1, 0], [0, 0]])


def test_a_mean_shares_the_gradient_equally_and_overlaps_add_up():
    layer = AveragePool2D(2, stride=1)
    np.testing.assert_array_equal(layer.forward(IMAGE)[0, 0], [[2.5, 2.5], [1.75, 3.5]])
    dx = layer.backward(np.array([[[[4.0, 8.0], [12.0, 16.0]]]]))
    np.testing.assert_array_equal(dx[0, 0], [[1, 3, 2], [4, 10, 6], [3, 7, 4]])


@pytest.mark.parametrize("kind", [MaxPool2D, AveragePool2D])
def test_windows_stand_side_by_side_and_a_rest_is_left_out(kind):
    layer = kind(2)
    assert layer.forward(np.ones((2, 3, 5, 4))).shape == (2, 3, 2, 2)
    assert not layer.backward(np.ones((2, 3, 2, 2)))[:, :, 4].any()


W, B = np.zeros((4, 3, 2, 2)), np.zeros(4)


@pytest.mark.parametrize(
    "layer", [Conv2D(W, B), MaxPool2D(2), AveragePool2D(2)], ids=lambda layer: type(layer).__name__
)
def test_an_empty_batch_of_images_goes_through(layer):
    y = layer.forward(np.zeros((0, 3, 4, 4)))
    assert layer.backward(np.zeros_like(y)).shape == (0, 3, 4, 4)
    assert not any(grad.any() for grad in layer.grads)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(lambda: Conv2D(W[0], B), r"Conv2D: W: expected 4 axes, got shape \(3, 2, 2\)", id="one kernel"),
        pytest.param(lambda: Conv2D(W[:, :, :0], B), "Conv2D: W: .* one kernel of one pixel", id="no pixel"),
        pytest.param(
            lambda: Conv2D(W, B[:3]), r"Conv2D: b: expected shape \(4,\), as W has shape \(4, 3, 2, 2\)", id="b short"
        ),
        pytest.param(lambda: Conv2D(W, B, stride=0), "Conv2D: stride: .* at least 1, got 0", id="no stride"),
        pytest.param(lambda: Conv2D(W, B, pad=-1), "Conv2D: pad: .* at least 0, got -1", id="pad"),
        pytest.param(
            lambda: Conv2D(W, B).forward(np.zeros((1, 2, 5, 5))),
            r"Conv2D.forward: x: expected shape \(n, 3, h, w\), got shape \(1, 2, 5, 5\)",
            id="other channels",
        ),
        pytest.param(
            lambda: Conv2D(W, B).forward(np.zeros((1, 3, 5, 1))),
            r"Conv2D.forward: x: expected an image of at least 2 x 2, got shape \(1, 3, 5, 1\)",
            id="narrow image",
        ),
        pytest.param(lambda: MaxPool2D(0), "MaxPool2D: size: .* at least 1, got 0", id="no window"),
        pytest.param(lambda: AveragePool2D(2, 1.5), r"AveragePool2D: stride: .* got 1.5 \(float\)", id="half a pixel"),
        pytest.param(
            lambda: MaxPool2D(2).forward(np.zeros((3, 3))),
            r"MaxPool2D.forward: x: expected shape \(n, c, h, w\), got shape \(3, 3\)",
            id="no channels",
        ),
        pytest.param(
            lambda: AveragePool2D(4).forward(np.zeros((1, 1, 3, 9))),
            r"AveragePool2D.forward: x: expected an image of at least 4 x 4, got shape \(1, 1, 3, 9\)",
            id="small image",
        ),
    ],
)
def test_what_does_not_fit_an_image_is_refused_with_its_name(call, message):
    with pytest.raises(InputError, match=message):
        call()
