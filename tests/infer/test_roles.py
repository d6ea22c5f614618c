"""What names tell: of arguments, and of whole subjects."""

from __future__ import annotations

import pytest

from gradproof.infer.roles import Role, role_of, setting_of

BUILT = {
    "W": Role.WEIGHT,
    "Wx": Role.WEIGHT,
    "weights_2": Role.WEIGHT,
    "Wh": Role.RECURRENT,
    "b1": Role.BIAS,
    "bias": Role.BIAS,
    "use_bias": Role.FLAG,
    "gamma": Role.SCALE,
    "in_features": Role.SIZE,
    "n_out": Role.SIZE,
    "vocab_size": Role.SIZE,
    "hidden_size_list": Role.SIZE_LIST,
    "kernel_size": Role.KERNEL,
    "pool_h": Role.KERNEL,
    "kernel_shape": Role.KERNEL,
    "input_shape": Role.SHAPE,
    "stride": Role.STRIDE,
    "pad": Role.PAD,
    "dropout_ratio": Role.RATE,
    "momentum": Role.SCALAR,
    "layers": Role.LAYERS,
    "activation": Role.ACTIVATION,
    "f_prime": Role.FUNCTION,
}
FED = {
    "x": Role.INPUT,
    "X_2": Role.INPUT,
    "logits": Role.INPUT,
    "xs": Role.SEQUENCE,
    "h_prev": Role.STATE,
    "h0": Role.STATE,
    "t": Role.TARGET,
    "y_true": Role.TARGET,
    "target_labels": Role.TARGET,
    "token_ids": Role.INDEX,
    "mask": Role.MASK,
    "train_flg": Role.FLAG,
    "bn_param": Role.PARAM_DICT,
    "w": Role.WEIGHT,
}


@pytest.mark.parametrize(("name", "role"), BUILT.items(), ids=list(BUILT))
def test_a_constructors_argument_is_known_by_its_name(name, role):
    assert role_of(name, constructor=True) is role


@pytest.mark.parametrize(("name", "role"), FED.items(), ids=list(FED))
def test_a_forwards_argument_is_known_by_its_name(name, role):
    assert role_of(name, constructor=False) is role


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("SoftmaxWithLoss", {"loss", "classes"}, id="a loss over classes"),
        pytest.param("softmax_loss", {"loss", "classes"}, id="a loss function"),
        pytest.param("BinaryCrossEntropy", {"loss", "binary"}, id="a loss over two"),
        pytest.param("MeanSquaredError", {"loss"}, id="a loss over values"),
        pytest.param("MaxPool2D", {"image", "pooling"}, id="pooling"),
        pytest.param("TimeAffine", {"sequence"}, id="time"),
        pytest.param("LSTMCell", set(), id="a cell takes one step"),
        pytest.param("Embedding", {"lookup"}, id="a lookup"),
        pytest.param("Affine", set(), id="nothing"),
    ],
)
def test_a_subjects_name_sets_what_its_arguments_are(name, told):
    setting = setting_of(name)
    assert {
        field
        for field in ("loss", "classes", "binary", "image", "pooling", "sequence", "lookup")
        if getattr(setting, field)
    } == told
