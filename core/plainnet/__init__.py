"""A plain NumPy network from scratch, to be read and to be checked; this file only names what is public."""

from plainnet.copies import Branch, Repeat, Sum
from plainnet.data import spiral
from plainnet.errors import BackwardBeforeForwardError, DivergedError, InputError, PlainnetError
from plainnet.functions import cross_entropy_error, log_softmax, sigmoid, softmax
from plainnet.layers import Affine, ReLU, Sigmoid, Softmax, Tanh
from plainnet.losses import SoftmaxWithLoss
from plainnet.net import TwoLayerNet
from plainnet.nodes import Add, Dot, MatMul, Multiply
from plainnet.optimizers import SGD, AdaGrad, Adam, Momentum, Nesterov, RMSprop
from plainnet.trainer import Progress, Trainer, accuracy

__all__ = [
    "SGD",
    "AdaGrad",
    "Adam",
    "Add",
    "Affine",
    "BackwardBeforeForwardError",
    "Branch",
    "DivergedError",
    "Dot",
    "InputError",
    "MatMul",
    "Momentum",
    "Multiply",
    "Nesterov",
    "PlainnetError",
    "Progress",
    "RMSprop",
    "ReLU",
    "Repeat",
    "Sigmoid",
    "Softmax",
    "SoftmaxWithLoss",
    "Sum",
    "Tanh",
    "Trainer",
    "TwoLayerNet",
    "accuracy",
    "cross_entropy_error",
    "log_softmax",
    "sigmoid",
    "softmax",
    "spiral",
]
