"""Tests of the optimizers against closed forms and against the papers' own formulas."""

import copy

import numpy as np
import pytest

from plainnet import SGD, AdaGrad, Adam, InputError, Momentum, Nesterov, RMSprop

OPTIMIZERS = [SGD, Momentum, Nesterov, AdaGrad, RMSprop, Adam]
every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.__name__)

CURVATURE = np.array([[3.0, 1.0], [1.0, 2.0]])  # of the quadratic p^T A p / 2, whose gradient is A p
START = np.array([1.0, -2.0])


def descend(optimizer, steps):
    """The path of p over the quadratic: (steps + 1, 2)."""
    p, path = START.copy(), [START.copy()]
    for _ in range(steps):
        optimizer.update([p], [CURVATURE @ p])
        path.append(p.copy())
    return np.array(path)


def follow(optimizer, gradients):
    """The path of p under given gradients (steps, ...): the same shape."""
    p, path = np.zeros(gradients.shape[1:]), []
    for g in gradients:
        optimizer.update([p], [g])
        path.append(p.copy())
    return np.array(path)


def running_mean(values, decay):
    """(1 - decay) times the sum over i <= k of decay^(k - i) values_i, written out: Kingma and Ba 2015, eq. 1."""
    steps = len(values)
    weights = np.array(
        [[(1 - decay) * decay ** (k - i) if i <= k else 0.0 for i in range(steps)] for k in range(steps)]
    )
    return np.tensordot(weights, values, axes=1)


def test_sgd_shrinks_a_quadratic_by_the_power_of_its_matrix():
    path = descend(SGD(lr=0.1), 20)
    np.testing.assert_allclose(path[20], np.linalg.matrix_power(np.eye(2) - 0.1 * CURVATURE, 20) @ START, rtol=1e-12)


def test_momentum_is_the_power_of_its_matrix_in_parameter_and_velocity():
    lr, momentum, eye = 0.1, 0.8, np.eye(2)
    both = np.block([[eye - lr * CURVATURE, momentum * eye], [-lr * CURVATURE, momentum * eye]])
    expected = np.linalg.matrix_power(both, 20) @ np.concatenate([START, np.zeros(2)])
    np.testing.assert_allclose(descend(Momentum(lr, momentum), 20)[20], expected[:2], rtol=1e-11)


def test_momentum_of_zero_is_sgd():
    np.testing.assert_array_equal(descend(Momentum(0.1, momentum=0), 5), descend(SGD(0.1), 5))


def papers_nesterov(lr, momentum, steps):
    """Sutskever et al. 2013, eqs. 3 and 4, in the parameter q; returns the look-ahead points q + momentum v."""
    q, v, ahead = START.copy(), np.zeros(2), [START.copy()]
    for _ in range(steps):
        v = momentum * v - lr * (CURVATURE @ (q + momentum * v))
        q = q + v
        ahead.append(q + momentum * v)
    return np.array(ahead)


def nesterov_with_overwritten_velocity(lr, momentum, steps):
    """A common slip: the one-variable form needs the old velocity, and gets the one just updated."""
    p, v, path = START.copy(), np.zeros(2), [START.copy()]
    for _ in range(steps):
        g = CURVATURE @ p
        v = momentum * v - lr * g
        p = p + momentum * momentum * v - (1 + momentum) * lr * g
        path.append(p)
    return np.array(path)


def test_nesterov_holds_the_look_ahead_point_of_the_paper():
    np.testing.assert_allclose(descend(Nesterov(0.1, 0.9), 20), papers_nesterov(0.1, 0.9, 20), rtol=1e-11)


def test_nesterov_with_an_overwritten_velocity_is_not_the_papers_from_the_first_step_on():
    paper, slip = papers_nesterov(0.1, 0.9, 20), nesterov_with_overwritten_velocity(0.1, 0.9, 20)
    # from rest: the paper moves by -(1 + momentum) lr g, the slip by another -momentum^2 lr g
    np.testing.assert_allclose(slip[1] - paper[1], -0.81 * 0.1 * (CURVATURE @ START), rtol=1e-12)
    assert np.abs(slip - paper)[1:].max(axis=1).min() > 1e-3


def test_adagrad_divides_by_the_root_of_the_sum_of_squares():
    gradients = np.random.default_rng(10).standard_normal((30, 3))
    roots = np.sqrt(np.cumsum(gradients**2, axis=0))
    np.testing.assert_allclose(
        follow(AdaGrad(lr=0.1), gradients), -np.cumsum(0.1 * gradients / (roots + 1e-8), axis=0), rtol=1e-11
    )


def test_adagrad_takes_steps_of_one_over_root_k_under_a_steady_gradient():
    path = follow(AdaGrad(lr=0.5), np.full((9, 1), -3.0))
    np.testing.assert_allclose(path[:, 0], np.cumsum(0.5 / np.sqrt(np.arange(1, 10))), rtol=1e-8)


def test_rmsprop_divides_by_the_root_of_the_running_mean_of_squares():
    gradients = np.random.default_rng(11).standard_normal((30, 3))
    roots = np.sqrt(running_mean(gradients**2, decay=0.9))
    np.testing.assert_allclose(
        follow(RMSprop(lr=0.1, decay_rate=0.9), gradients),
        -np.cumsum(0.1 * gradients / (roots + 1e-8), axis=0),
        rtol=1e-11,
    )


def test_adam_divides_one_unbiased_running_mean_by_the_root_of_the_other():
    gradients = np.random.default_rng(12).standard_normal((30, 3))
    k = np.arange(1, 31)[:, np.newaxis]
    mean = running_mean(gradients, decay=0.9) / (1 - 0.9**k)
    square = running_mean(gradients**2, decay=0.999) / (1 - 0.999**k)
    np.testing.assert_allclose(
        follow(Adam(lr=0.1), gradients), -np.cumsum(0.1 * mean / (np.sqrt(square) + 1e-8), axis=0), rtol=1e-10
    )


def test_adam_steps_by_its_learning_rate_under_a_steady_gradient():
    path = follow(Adam(lr=0.01), np.tile([5.0, -0.2], (7, 1)))
    np.testing.assert_allclose(path, np.outer(np.arange(1, 8), [-0.01, 0.01]), rtol=1e-6)


@every_optimizer
def test_every_optimizer_goes_downhill(optimizer):
    path = descend(optimizer(lr=0.05), 200)
    heights = [p @ CURVATURE @ p for p in path]
    assert heights[-1] < 0.5 * heights[0]


@every_optimizer
def test_a_zero_gradient_moves_nothing_at_first(optimizer):
    for dtype in (np.float16, np.float32, np.float64):
        p = np.ones(3, dtype=dtype)
        optimizer(lr=0.1).update([p], [np.zeros(3, dtype=dtype)])
        np.testing.assert_array_equal(p, np.ones(3))


@every_optimizer
def test_updates_are_in_place_keep_float32_and_leave_gradients_alone(optimizer):
    params = [np.ones((2, 3), dtype=np.float32), np.ones(2, dtype=np.float32)]
    grads = [np.full((2, 3), 0.5), np.full(2, -0.5, dtype=np.float32)]
    held = list(params)
    one = optimizer(lr=0.1)
    for _ in range(3):
        one.update(params, grads)
    assert all(a is b for a, b in zip(held, params, strict=True))
    assert [p.dtype for p in params] == [np.float32, np.float32]
    assert (params[0] < 1).all()
    assert (params[1] > 1).all()
    assert (grads[0] == 0.5).all()
    assert (grads[1] == -0.5).all()


@every_optimizer
def test_a_layer_without_parameters_is_no_problem(optimizer):
    optimizer(lr=0.1).update([], [])


def read_only():
    p = np.ones(3)
    p.flags.writeable = False
    return p


GOOD = (2, 3), (3,)
BAD_UPDATES = [
    pytest.param([np.ones((2, 3))], [np.ones((2, 3))], "the shapes of the first update", id="fewer"),
    pytest.param([np.ones((2, 3)), np.ones(4)], [np.ones((2, 3)), np.ones(4)], "first update", id="other shapes"),
    pytest.param(
        [np.ones((2, 3)), np.ones(3)], [np.ones((2, 3))], "as many grads as params, got 1 and 2", id="lengths"
    ),
    pytest.param(
        [np.ones((2, 3)), np.ones(3)],
        [np.ones((2, 3)), np.ones((1, 3))],
        r"grads\[1\]: expected the parameter's shape \(3,\), got \(1, 3\)",
        id="a gradient that would broadcast",
    ),
    pytest.param(
        [np.ones((2, 3)), np.ones(3, dtype=int)],
        [np.ones((2, 3)), np.ones(3)],
        r"params\[1\]: expected floats, got dtype int64; use .astype",
        id="integer parameters",
    ),
    pytest.param([np.ones((2, 3)), np.ones(3)], [np.ones((2, 3)), None], r"grads\[1\]: .* got None", id="None"),
    pytest.param([np.ones((2, 3)), [1.0] * 3], [np.ones((2, 3)), np.ones(3)], r"params\[1\]: .* \(list\)", id="a list"),
    pytest.param([np.ones((2, 3)), read_only()], [np.ones((2, 3)), np.ones(3)], "read-only", id="read-only"),
    pytest.param(np.ones((2, 3)), np.ones((2, 3)), "params: expected a list of arrays, got ndarray", id="no list"),
]


@every_optimizer
@pytest.mark.parametrize(("params", "grads", "message"), BAD_UPDATES)
def test_a_refused_update_changes_neither_parameters_nor_state(optimizer, params, grads, message):
    seen, twin = optimizer(lr=0.1), optimizer(lr=0.1)
    p, q = ([np.ones(shape) for shape in GOOD] for _ in range(2))
    g = [np.arange(1.0, 7).reshape(2, 3), np.arange(3.0)]
    seen.update(p, g)
    twin.update(q, g)
    before = copy.deepcopy(params)
    with pytest.raises(InputError, match=message):
        seen.update(params, grads)
    assert all(np.array_equal(one, two) for one, two in zip(before, params, strict=True))
    seen.update(p, g)
    twin.update(q, g)
    assert all(np.array_equal(one, two) for one, two in zip(p, q, strict=True))


@every_optimizer
def test_a_refused_first_update_does_not_fix_the_shapes(optimizer):
    one, p = optimizer(lr=0.1), np.ones(3)
    with pytest.raises(InputError):
        one.update([np.ones(2)], [np.ones(5)])
    one.update([p], [np.ones(3)])
    assert (p < 1).all()


@every_optimizer
@pytest.mark.parametrize("lr", [0, -0.1, np.nan, np.inf, "0.1", None, True], ids=repr)
def test_a_learning_rate_that_is_no_positive_number_is_refused(optimizer, lr):
    with pytest.raises(InputError, match=rf"{optimizer.__name__}: lr: expected a number in \(0, inf\), got "):
        optimizer(lr=lr)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        pytest.param(
            lambda: Momentum(momentum=1), r"Momentum: momentum: expected a number in \[0, 1\), got 1", id="Mo"
        ),
        pytest.param(lambda: Nesterov(momentum=-0.1), r"Nesterov: momentum: .* got -0.1", id="Nesterov"),
        pytest.param(lambda: RMSprop(decay_rate=1.5), r"RMSprop: decay_rate: .* got 1.5", id="RMSprop"),
        pytest.param(lambda: Adam(beta1=1), r"Adam: beta1: .* got 1", id="Adam beta1"),
        pytest.param(lambda: Adam(beta2=None), r"Adam: beta2: .* got None \(NoneType\)", id="Adam beta2"),
    ],
)
def test_a_decay_outside_zero_to_one_is_refused(build, message):
    with pytest.raises(InputError, match=message):
        build()
