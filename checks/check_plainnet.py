"""The pairing: one Case or more for each layer, node, loss and model of plainnet; it judges nothing itself."""

import numpy as np

from gradproof import Case, constant, labels, one_hot, size
from plainnet import (
    Add,
    Affine,
    AttentionWeight,
    AveragePool2D,
    BatchNorm,
    Branch,
    Conv2D,
    Dot,
    Dropout,
    Embedding,
    LayerNorm,
    LSTMCell,
    MatMul,
    MaxPool2D,
    MeanSquaredError,
    Multiply,
    ReLU,
    Repeat,
    RNNCell,
    Sigmoid,
    SigmoidWithLoss,
    Softmax,
    SoftmaxWithLoss,
    Sum,
    Tanh,
    TimeLSTM,
    TimeRNN,
    TwoLayerNet,
    WeightSum,
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

sigmoid_with_loss = Case(SigmoidWithLoss, x="n", t=labels("n", 2))
sigmoid_with_loss_matrix = Case(SigmoidWithLoss, x="n d", t=labels("n d", 2))
mean_squared_error = Case(MeanSquaredError, x="n d", t=constant("n d"))

layer_norm = Case(LayerNorm, gamma="d", beta="d", x="*batch d")
batch_norm = Case(BatchNorm, gamma="d", beta="d", x="n d")
batch_norm_sequence = Case(BatchNorm, gamma="d", beta="d", x="n t d")
batch_norm_running = Case(BatchNorm, gamma="d", beta="d", x="n d", train=False)
# no zeros and enough entries: two masks that differ must show in the output
dropout = Case(Dropout, ratio=0.5, rng=np.random.default_rng(0), x="*batch d")
dropout_off = Case(Dropout, ratio=0.3, x="*batch d", train=False)
embedding = Case(Embedding, W="v d", ids=labels("n", "v"))
embedding_sequence = Case(Embedding, W="v d", ids=labels("n t", "v"))

rnn_cell = Case(RNNCell, Wx="d h", Wh="h h", b="h", x="n d", h="n h")
time_rnn = Case(TimeRNN, Wx="d h", Wh="h h", b="h", xs="n t d")
time_rnn_stateful = Case(TimeRNN, Wx="d h", Wh="h h", b="h", stateful=True, xs="n t d")
lstm_cell = Case(LSTMCell, Wx="d 4*h", Wh="h 4*h", b="4*h", x="n d", h="n h", c="n h")
time_lstm = Case(TimeLSTM, Wx="d 4*h", Wh="h 4*h", b="4*h", xs="n t d")
time_lstm_stateful = Case(TimeLSTM, Wx="d 4*h", Wh="h 4*h", b="4*h", stateful=True, xs="n t d")

conv_2d = Case(Conv2D, W="f c i j", b="f", x="n c p+i-1 q+j-1")
conv_2d_stride = Case(Conv2D, W="f c i j", b="f", stride=2, x="n c 2*p+i 2*q+j-1")
conv_2d_pad = Case(Conv2D, W="f c i j", b="f", stride=2, pad=1, x="n c p+i q+j")
max_pool_2d = Case(MaxPool2D, size=2, x="n c 2*p 2*q")
max_pool_2d_overlapping = Case(MaxPool2D, size=3, stride=2, x="n c 2*p+1 2*q+2")
average_pool_2d = Case(AveragePool2D, size=2, x="n c 2*p 2*q")
average_pool_2d_overlapping = Case(AveragePool2D, size=3, stride=2, x="n c 2*p+1 2*q+2")

attention_weight = Case(AttentionWeight, hs="n t d", h="n d")
weight_sum = Case(WeightSum, hs="n t d", a="n t")

two_layer_net = Case(
    TwoLayerNet, input_size=size("i"), hidden_size=size("h"), output_size=size("o"), x="n i", t=labels("n", "o")
)
two_layer_net_one_hot = Case(
    TwoLayerNet, input_size=size("i"), hidden_size=size("h"), output_size=size("o"), x="n i", t=one_hot("n", "o")
)
