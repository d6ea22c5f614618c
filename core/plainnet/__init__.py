"""A plain NumPy network from scratch, to be read and to be checked; this file only names what is public."""

from plainnet.attention import AttentionWeight, WeightSum
from plainnet.convolution import Conv2D
from plainnet.copies import Branch, Repeat, Sum
from plainnet.data import spiral
from plainnet.dropout import Dropout
from plainnet.embedding import Embedding
from plainnet.entry_losses import MeanSquaredError, SigmoidWithLoss
from plainnet.errors import BackwardBeforeForwardError, DivergedError, InputError, PlainnetError
from plainnet.functions import cross_entropy_error, log_softmax, sigmoid, softmax
from plainnet.layers import Affine, ReLU, Sigmoid, Softmax, Tanh
from plainnet.losses import SoftmaxWithLoss
from plainnet.lstm import LSTMCell, TimeLSTM
from plainnet.net import TwoLayerNet
from plainnet.nodes import Add, Dot, MatMul, Multiply
from plainnet.normalization import BatchNorm, LayerNorm
from plainnet.optimizers import SGD, AdaGrad, Adam, Momentum, Nesterov, RMSprop
from plainnet.pooling import AveragePool2D, MaxPool2D
from plainnet.recurrent import RNNCell, TimeRNN
from plainnet.trainer import Progress, Trainer, accuracy

__all__ = [
    "SGD",
    "AdaGrad",
    "Adam",
    "Add",
    "Affine",
    "AttentionWeight",
    "AveragePool2D",
    "BackwardBeforeForwardError",
    "BatchNorm",
    "Branch",
    "Conv2D",
    "DivergedError",
    "Dot",
    "Dropout",
    "Embedding",
    "InputError",
    "LSTMCell",
    "LayerNorm",
    "MatMul",
    "MaxPool2D",
    "MeanSquaredError",
    "Momentum",
    "Multiply",
    "Nesterov",
    "PlainnetError",
    "Progress",
    "RMSprop",
    "RNNCell",
    "ReLU",
    "Repeat",
    "Sigmoid",
    "SigmoidWithLoss",
    "Softmax",
    "SoftmaxWithLoss",
    "Sum",
    "Tanh",
    "TimeLSTM",
    "TimeRNN",
    "Trainer",
    "TwoLayerNet",
    "WeightSum",
    "accuracy",
    "cross_entropy_error",
    "log_softmax",
    "sigmoid",
    "softmax",
    "spiral",
]
