"""Small autograd libraries, one for each way to write operations, as source that a test may change; no tests."""

from __future__ import annotations

import itertools
import linecache
import sys
from types import ModuleType

from gradproof.check import check_case
from gradproof.collect.discover import subjects
from gradproof.infer.infer import infer
from gradproof.values import SubjectReport

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
        assert case is not None, subject.name
        found[subject.name] = check_case(case, location=subject.name, examples=EXAMPLES)
    return found


def verdicts(module: ModuleType) -> dict[str, str]:
    """The verdict of each subject that is found in a module."""
    return {name: str(report.verdict) for name, report in reports(module).items()}


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
