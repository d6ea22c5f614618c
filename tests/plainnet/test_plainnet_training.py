"""Tests of the network, the data and the trainer."""

import numpy as np
import pytest

from plainnet import SGD, Adam, DivergedError, InputError, Trainer, TwoLayerNet, accuracy, sigmoid, spiral


def test_the_net_is_affine_sigmoid_affine_with_its_loss():
    net = TwoLayerNet(2, 4, 3, np.random.default_rng(1))
    x, t = np.random.default_rng(2).standard_normal((5, 2)), np.array([0, 1, 2, 1, 0])
    W1, b1, W2, b2 = net.params
    scores = sigmoid(x @ W1 + b1) @ W2 + b2
    np.testing.assert_allclose(net.predict(x), scores, rtol=1e-14)
    expected = np.mean(np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(5), t])
    assert net.forward(x, t) == pytest.approx(expected, rel=1e-14)


def test_the_net_shares_parameters_and_gradients_with_its_layers():
    net = TwoLayerNet(2, 4, 3)
    assert [p.shape for p in net.params] == [(2, 4), (4,), (4, 3), (3,)]
    assert all(a is b for layer in net.layers for a in layer.params for b in net.params if np.shares_memory(a, b))
    net.forward(np.ones((1, 2)), np.array([0]))
    net.backward()
    np.testing.assert_array_equal(net.grads[3], net.layers[2].grads[1])
    assert net.grads[3].any()


def test_the_gradient_of_the_last_bias_is_the_mean_of_softmax_minus_one_hot():
    net = TwoLayerNet(2, 4, 2)
    for p in net.params:
        p[...] = 0
    net.forward(np.ones((4, 2)), np.array([0, 0, 0, 1]))
    net.backward(dout=2)
    np.testing.assert_allclose(net.grads[3], 2 * np.array([0.5 - 0.75, 0.5 - 0.25]), rtol=1e-15)


def test_weights_come_from_the_generator_and_two_nets_without_one_agree():
    one, same, other = (TwoLayerNet(2, 4, 3, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.params[0], same.params[0])
    assert not np.array_equal(one.params[0], other.params[0])
    assert np.array_equal(TwoLayerNet(2, 4, 3).params[2], TwoLayerNet(2, 4, 3).params[2])


def test_weights_have_variance_one_over_the_number_of_inputs_and_biases_are_zero():
    W1, b1, W2, b2 = TwoLayerNet(100, 400, 50, np.random.default_rng(1)).params
    # the standard deviation of an estimated one is 1 / sqrt(2 N): 0.4 % and 0.5 % here
    assert W1.std() == pytest.approx(1 / np.sqrt(100), rel=0.02)
    assert W2.std() == pytest.approx(1 / np.sqrt(400), rel=0.02)
    assert not b1.any()
    assert not b2.any()


def test_the_spiral_has_one_arm_a_class_within_the_unit_disc():
    x, t = spiral(50, classes=4, rng=np.random.default_rng(3))
    assert x.shape == (200, 2)
    np.testing.assert_array_equal(np.bincount(t), [50] * 4)
    assert np.hypot(*x.T).max() <= 1 + 1e-15
    np.testing.assert_array_equal(x[::50], np.zeros((4, 2)))


def test_a_spiral_without_noise_ends_four_radians_on():
    x, _ = spiral(2, classes=2, noise=0)
    np.testing.assert_allclose(x[[1, 3]], [[np.cos(4), np.sin(4)], [-np.cos(4), -np.sin(4)]], rtol=1e-12)


class Recorder:
    """A model that learns nothing and writes down its batches; its loss is the number of the batch."""

    def __init__(self):
        self.params, self.grads, self.batches, self.targets = [], [], [], []

    def predict(self, x):
        return x

    def forward(self, x, t):
        self.batches.append(x[:, 0].tolist())
        self.targets.append(t.tolist())
        return np.float64(len(self.batches))

    def backward(self):
        return np.zeros(0)


def test_every_epoch_shows_every_sample_once_in_a_new_order_with_its_target():
    model, x = Recorder(), np.arange(10.0).reshape(10, 1)
    Trainer(model, SGD(), np.random.default_rng(4)).fit(x, 100 + np.arange(10), epochs=2, batch_size=4)
    assert [len(batch) for batch in model.batches] == [4, 4, 2, 4, 4, 2]
    first, second = ([v for batch in model.batches[i : i + 3] for v in batch] for i in (0, 3))
    assert sorted(first) == sorted(second) == x[:, 0].tolist()
    assert first != second
    assert all(t == [100 + v for v in batch] for batch, t in zip(model.batches, model.targets, strict=True))


def test_a_batch_larger_than_the_data_is_all_of_it():
    model = Recorder()
    Trainer(model, SGD()).fit(np.zeros((3, 1)), np.zeros(3, dtype=int), epochs=1, batch_size=32)
    assert [len(batch) for batch in model.batches] == [3]


def test_losses_are_means_of_intervals_and_the_rest_is_not_lost():
    trainer, seen = Trainer(Recorder(), SGD(), interval=4), []
    trainer.fit(np.zeros((3, 1)), np.zeros(3, dtype=int), epochs=3, batch_size=1, progress=seen.append)
    assert trainer.losses == [(1 + 2 + 3 + 4) / 4, (5 + 6 + 7 + 8) / 4, 9]
    assert [(p.epoch, p.iteration, p.loss) for p in seen] == [(2, 1, 2.5), (3, 2, 6.5), (3, 3, 9)]
    assert all((p.epochs, p.iterations) == (3, 3) and p.seconds >= 0 for p in seen)


def test_an_interruption_passes_through_and_keeps_the_losses():
    def stop(progress):
        if progress.epoch == 3:
            raise KeyboardInterrupt

    trainer = Trainer(Recorder(), SGD(), interval=1)
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(np.zeros((1, 1)), np.zeros(1, dtype=int), epochs=100, progress=stop)
    assert trainer.losses == [1, 2, 3]


def test_training_again_from_the_same_seeds_gives_the_same_losses():
    def losses():
        x, t = spiral(20, rng=np.random.default_rng(5))
        trainer = Trainer(TwoLayerNet(2, 5, 3, np.random.default_rng(6)), Adam(), np.random.default_rng(7))
        trainer.fit(x, t, epochs=5)
        return trainer.losses

    assert losses() == losses()


def test_a_loss_that_is_no_longer_finite_ends_the_training():
    x, t = spiral(20)
    with pytest.raises(
        DivergedError, match=r"the loss is (inf|nan) in epoch 1: a smaller learning rate than lr=1e\+308"
    ):
        Trainer(TwoLayerNet(2, 4, 3), SGD(lr=1e308)).fit(x, t)


def test_one_hot_targets_train_like_labels():
    x, t = spiral(10)
    one, two = (Trainer(TwoLayerNet(2, 4, 3), SGD()) for _ in range(2))
    one.fit(x, t, epochs=2)
    two.fit(x, np.eye(3)[t], epochs=2)
    assert one.losses == two.losses
    assert accuracy(one.model, x, t) == accuracy(two.model, x, np.eye(3)[t])


def test_accuracy_is_the_share_of_rows_whose_largest_score_is_the_true_class():
    assert accuracy(Recorder(), np.array([[1.0, 2.0], [2.0, 1.0], [0.0, 1.0], [0.0, 3.0]]), [1, 0, 1, 0]) == 0.75


X, T = np.zeros((3, 2)), np.zeros(3, dtype=int)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(lambda: TwoLayerNet(0, 1, 1), "TwoLayerNet: input_size: .* at least 1, got 0", id="no input"),
        pytest.param(lambda: TwoLayerNet(1, 1.5, 1), r"hidden_size: .* got 1.5 \(float\)", id="half a unit"),
        pytest.param(lambda: TwoLayerNet(1, 1, True), r"output_size: .* got True \(bool\)", id="bool"),
        pytest.param(lambda: TwoLayerNet(1, 1, 1, 42), r"rng: .* got 42 \(int\); use np.random.default_rng", id="seed"),
        pytest.param(lambda: spiral(0), "spiral: points_per_class: .* got 0", id="no points"),
        pytest.param(lambda: spiral(3, 0), "spiral: classes: .* got 0", id="no arms"),
        pytest.param(
            lambda: spiral(3, noise=-1), r"spiral: noise: expected a number in \[0, inf\), got -1", id="noise"
        ),
        pytest.param(lambda: Trainer(Recorder(), SGD(), 1), "Trainer: rng: .* got 1", id="Trainer's seed"),
        pytest.param(lambda: Trainer(Recorder(), SGD(), interval=0), "Trainer: interval: .* got 0", id="interval"),
        pytest.param(lambda: Trainer(Recorder(), SGD()).fit(X, T, epochs=-1), "epochs: .* got -1", id="epochs"),
        pytest.param(lambda: Trainer(Recorder(), SGD()).fit(X, T, batch_size=0), "batch_size: .* got 0", id="batch"),
        pytest.param(lambda: Trainer(Recorder(), SGD()).fit(X, T[:2]), r"\(3, 2\) and t of shape \(2,\)", id="lengths"),
        pytest.param(lambda: Trainer(Recorder(), SGD()).fit(X[:0], T[:0]), "at least one, got x", id="no data"),
        pytest.param(
            lambda: TwoLayerNet(2, 3, 2).forward(np.zeros((4, 3)), np.zeros(4, dtype=int)),
            r"Affine.forward: x: expected shape \(..., 2\), as W has 2 rows, got shape \(4, 3\)",
            id="other features",
        ),
    ],
)
def test_bad_arguments_are_refused_with_their_value(call, message):
    with pytest.raises(InputError, match=message):
        call()
