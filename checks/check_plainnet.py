"""The pairing: one Case or more for each layer, node, loss and model of plainnet; it judges nothing itself."""

from gradproof import Case, labels, one_hot, size
from plainnet import (
    Add,
    Affine,
    Branch,
    Dot,
    MatMul,
    Multiply,
    ReLU,
    Repeat,
    Sigmoid,
    Softmax,
    SoftmaxWithLoss,
    Sum,
    Tanh,
    TwoLayerNet,
)

matmul = Case(MatMul, W="d h", x="*batch d")
dot = Case(Dot, a="d", b="d")

add = Case(Add, a="n d", b="n d")
add_row = Case(Add, a="n d", b="d")
add_outer = Case(Add, a="n 1", b="1 d")
add_scalar = Case(Add, a="", b="*batch")
multiply = Case(Multiply, a="n d", b="n d")
multiply_row = Case(Multiply, a="n d", b="d")
multiply_outer = Case(Multiply, a="n 1", b="1 d")
multiply_scalar = Case(Multiply, a="", b="*batch")

branch = Case(Branch, x="*batch d")
repeat_row = Case(Repeat, repeats=size("n"), x="1 d")
repeat_slices = Case(Repeat, repeats=size("r"), axis=1, x="n d m")
repeat_new_axis = Case(Repeat, repeats=size("n"), axis=0, keepdims=False, x="d")
repeat_new_last_axis = Case(Repeat, repeats=size("r"), axis=-1, keepdims=False, x="n d")
sum_rows = Case(Sum, x="n d")
sum_columns = Case(Sum, axis=1, keepdims=True, x="n d")
sum_last_axis = Case(Sum, axis=-1, keepdims=False, x="n d m")
sum_two_axes = Case(Sum, axis=(0, 2), keepdims=False, x="n d m")
sum_everything = Case(Sum, axis=None, keepdims=False, x="*batch d")

affine = Case(Affine, W="d h", b="h", x="*batch d")
sigmoid = Case(Sigmoid, x="*batch d")
relu = Case(ReLU, x="*batch d")
tanh = Case(Tanh, x="*batch d")
softmax = Case(Softmax, x="*batch c")

softmax_with_loss = Case(SoftmaxWithLoss, x="n c", t=labels("n", "c"))
softmax_with_loss_one_hot = Case(SoftmaxWithLoss, x="n c", t=one_hot("n", "c"))
softmax_with_loss_one_sample = Case(SoftmaxWithLoss, x="c", t=labels("", "c"))
softmax_with_loss_sequence = Case(SoftmaxWithLoss, x="n s c", t=labels("n s", "c"))

two_layer_net = Case(
    TwoLayerNet, input_size=size("i"), hidden_size=size("h"), output_size=size("o"), x="n i", t=labels("n", "o")
)
two_layer_net_one_hot = Case(
    TwoLayerNet, input_size=size("i"), hidden_size=size("h"), output_size=size("o"), x="n i", t=one_hot("n", "o")
)
