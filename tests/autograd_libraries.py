"""Small autograd libraries, one for each way to write operations, as source that a test may change; no tests."""

from __future__ import annotations

import itertools
import linecache
import sys
from types import ModuleType

from gradproof.checking import check_case
from gradproof.collect.discover import subjects
from gradproof.findings import SubjectReport
from gradproof.infer.infer import infer

EXAMPLES = 4  # beside the corner shapes
_numbers = itertools.count()


def library(source: str) -> ModuleType:
    """A module of this source, whose source can be read."""
    name = f"autograd_library_{next(_numbers)}"
    file = f"{name}.py"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(source, file, "exec"), vars(module))
    return module


def reports(module: ModuleType) -> dict[str, SubjectReport]:
    """The report of each subject that is found in a module, by its name, nothing being declared."""
    found: dict[str, SubjectReport] = {}
    for subject in subjects(vars(module), lambda value: getattr(value, "__module__", None) == module.__name__):
        case = infer(subject.target).case
        if case is None and subject.name.endswith(".backward"):
            continue  # of a library whose backward is no part of what is tested
        assert case is not None, subject.name
        found[subject.name] = check_case(case, location=subject.name, examples=EXAMPLES)
    return found


def verdicts(module: ModuleType) -> dict[str, str]:
    """The verdict of each operation and layer that is found in a module; the backward of its nodes is left out."""
    return {name: str(report.verdict) for name, report in reports(module).items() if not name.endswith(".backward")}


DEFINE_BY_RUN = """
import weakref
import numpy as np

class Variable:
    def __init__(self, data):
        if not isinstance(data, np.ndarray):
            raise TypeError("arrays only")
        self.data, self.grad, self.creator = data, None, None

    def backward(self):
        if self.grad is None:
            self.grad = Variable(np.ones_like(self.data))
        todo = [self.creator]
        while todo:
            made_by = todo.pop()
            for x, g in zip(made_by.inputs, made_by.gradients(self.grad)):
                x.grad = g if x.grad is None else Plus()(x.grad, g)
                if x.creator is not None:
                    todo.append(x.creator)

class Function:
    def __call__(self, *inputs):
        outputs = self.forward(*[x.data for x in inputs])
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        made = [Variable(np.asarray(y)) for y in outputs]
        for node in made:
            node.creator = self
        self.inputs, self.outputs = inputs, [weakref.ref(node) for node in made]
        return made if len(made) > 1 else made[0]

    def forward(self, *arrays):
        raise NotImplementedError()

    def backward(self, *gradients):
        raise NotImplementedError()

class Plus(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, g):
        return g, g

class Times(Function):
    def forward(self, a, b):
        return a * b

    def backward(self, g):
        a, b = self.inputs
        return g * b, g * a

class Square(Function):
    def forward(self, x):
        return x ** 2

    def backward(self, g):
        x, = self.inputs
        return g * Variable(2 * x.data)

class Product(Function):
    def forward(self, x, w):
        return x @ w

    def backward(self, g):
        x, w = self.inputs
        return Product()(g, Variable(w.data.T)), Product()(Variable(x.data.T), g)

class Log(Function):
    def forward(self, x):
        return np.log(x)

    def backward(self, g):
        x, = self.inputs
        return Variable(g.data / x.data)

Variable.__mul__ = lambda a, b: Times()(a, b)
"""

# The same, with the order that the book gives to functions: the last made goes back first, each once.
BY_GENERATION = (
    DEFINE_BY_RUN.replace(
        "self.data, self.grad, self.creator = data, None, None",
        "self.data, self.grad, self.creator, self.generation = data, None, None, 0",
    )
    .replace("        todo = [self.creator]\n", "        todo, seen = [self.creator], {self.creator}\n")
    .replace(
        "            made_by = todo.pop()\n"
        "            for x, g in zip(made_by.inputs, made_by.gradients(self.grad)):\n",
        "            todo.sort(key=lambda f: f.generation)\n"
        "            made_by = todo.pop()\n"
        "            gs = made_by.backward(*[y().grad for y in made_by.outputs])\n"
        "            for x, g in zip(made_by.inputs, gs if isinstance(gs, tuple) else (gs,)):\n",
    )
    .replace(
        "                if x.creator is not None:\n",
        "                if x.creator is not None and x.creator not in seen:\n"
        "                    seen.add(x.creator)\n",
    )
    .replace(
        "        self.inputs, self.outputs =",
        "        self.generation = max(x.generation for x in inputs)\n"
        "        for node in made:\n"
        "            node.generation = self.generation + 1\n"
        "        self.inputs, self.outputs =",
    )
)

CONTEXTS = """
import math
import numpy as np

class Ctx:
    def __init__(self):
        self.kept = None

    def save_for_backward(self, *values):
        self.kept = values

class Function:
    @classmethod
    def apply(cls, *values):
        ctx = Ctx()
        return cls.forward(ctx, *values), ctx

class Scale(Function):
    @staticmethod
    def forward(ctx, x, factor=2.0):
        ctx.factor = factor
        return x * factor

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.factor

class Product(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a @ b

    @staticmethod
    def backward(ctx, grad):
        a, b = ctx.kept
        return grad @ b.T, a.T @ grad

class Power(Function):
    @staticmethod
    def forward(ctx, a, exponent):
        assert isinstance(exponent, (int, float))
        ctx.save_for_backward(a, exponent)
        return a ** exponent

    @staticmethod
    def backward(ctx, grad):
        a, exponent = ctx.kept
        return grad * exponent * a ** (exponent - 1), None

class Logarithm(Function):
    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return math.log(a)

    @staticmethod
    def backward(ctx, grad):
        a, = ctx.kept
        return grad / a
"""

# Values are nodes in forward and in backward, as in courses that write their own PyTorch; self stands before ctx.
NODES_IN_CONTEXTS = """
import numpy as np

class Tensor:
    def __init__(self, data, requires_grad=False):
        self.data, self.grad, self.grad_fn = np.asarray(data, dtype=float), None, None

    def __mul__(self, other):
        return Mul().forward(None, self, other)

    def backward(self, seed=None):
        raise NotImplementedError

class Mul:
    def forward(self, ctx, a, b):
        if type(a) is not Tensor or type(b) is not Tensor:
            raise TypeError("tensors only")
        if ctx is not None:
            ctx.save_for_backward(a, b)
        return Tensor(a.data * b.data)

    def backward(self, ctx, grad_output):
        a, b = ctx.saved_tensors
        return Tensor(grad_output.data * b.data), Tensor(grad_output.data * a.data)
"""

# forward without the context, which is filled apart, as PyTorch allows.
SET_UP_APART = """
import numpy as np

class Exponential:
    @staticmethod
    def forward(x):
        return np.exp(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, grad_output):
        y, = ctx.saved_tensors
        return grad_output * y
"""

COMPUTE_AND_GRADIENT = """
import numpy as np

class Tensor:
    grad: "Tensor"

    def __init__(self, array, op=None, inputs=()):
        self.cached, self.op, self.inputs = np.asarray(array), op, inputs

    @property
    def data(self):
        return Tensor(self.cached)

    def numpy(self):
        return self.cached

    def __mul__(self, other):
        return Multiply()(self, other)

    def backward(self, out_grad=None):
        raise NotImplementedError

class Op:
    def __call__(self, *args):
        return Tensor(self.compute(*[a.cached for a in args]), self, args)

    def compute(self, *args):
        raise NotImplementedError()

    def gradient(self, out_grad, node):
        raise NotImplementedError()

class Multiply(Op):
    def compute(self, a, b):
        return a * b

    def gradient(self, out_grad, node):
        a, b = node.inputs
        return out_grad * b, out_grad * a

class Reshape(Op):
    def __init__(self, shape):
        self.shape = shape

    def compute(self, a):
        return a.reshape(self.shape)

    def gradient(self, out_grad, node):
        return Tensor(out_grad.numpy().reshape(node.inputs[0].numpy().shape))

class BroadcastTo(Op):
    def __init__(self, shape):
        self.shape = shape

    def compute(self, a):
        return np.broadcast_to(a, self.shape)

    def gradient(self, out_grad, node):
        return Tensor(out_grad.numpy().sum(axis=0))

class Summation(Op):
    def __init__(self, axes=None):
        self.axes = axes

    def compute(self, a):
        return a.sum(axis=self.axes)

    def gradient(self, out_grad, node):
        return Tensor(np.broadcast_to(out_grad.numpy(), node.inputs[0].numpy().shape))
"""

NUMBERS_WITH_CLOSURES = """
import math

class Value:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents, self._backward = data, 0.0, set(parents), lambda: None

    def __add__(self, other):
        out = Value(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, power):
        assert isinstance(power, (int, float))
        out = Value(self.data ** power, (self,))

        def _backward():
            self.grad += power * self.data ** (power - 1) * out.grad

        out._backward = _backward
        return out

    def log(self):
        out = Value(math.log(self.data), (self,))

        def _backward():
            self.grad += out.grad / self.data

        out._backward = _backward
        return out

    def relu(self):
        out = Value(0 if self.data < 0 else self.data, (self,))

        def _backward():
            self.grad += (out.data > 0) * out.grad

        out._backward = _backward
        return out

    def __sub__(self, other):
        return self + other * -1

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()
"""

ARRAYS_WITH_CLOSURES = """
import numpy as np

def unbroadcast(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad

class Tensor:
    def __init__(self, data, requires_grad=False):
        self.data, self.requires_grad, self.grad, self.parents = np.asarray(data, dtype=float), requires_grad, None, ()

    def accumulate(self, grad):
        if self.requires_grad:
            self.grad = grad if self.grad is None else self.grad + grad

    def __add__(self, other):
        out = Tensor(self.data + other.data, True)

        def backward(grad):
            self.accumulate(unbroadcast(grad, self.data.shape))
            other.accumulate(unbroadcast(grad, other.data.shape))

        out.backward_fn, out.parents = backward, (self, other)
        return out

    def matmul(self, other):
        out = Tensor(self.data @ other.data, True)

        def backward(grad):
            self.accumulate(grad @ other.data.T)
            other.accumulate(self.data.T @ grad)

        out.backward_fn, out.parents = backward, (self, other)
        return out

    def mean(self, axis=None):
        out = Tensor(self.data.mean(axis=axis), True)

        def backward(grad):
            self.accumulate(np.broadcast_to(grad, self.data.shape) / self.data.size)

        out.backward_fn, out.parents = backward, (self,)
        return out

    def backward(self):
        order = []

        def visit(node):
            if node not in order:
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = np.ones_like(self.data)
        for node in reversed(order):
            if node.parents:
                node.backward_fn(node.grad)

def tanh(x):
    t = np.tanh(x.data)
    out = Tensor(t, True)

    def backward(grad):
        x.accumulate(grad * (1 - t ** 2))

    out.backward_fn, out.parents = backward, (x,)
    return out
"""
