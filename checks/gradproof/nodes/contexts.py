"""Operations of two static methods that share a context, as in PyTorch, minitorch and many courses.

    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            y = np.exp(x)
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, grad_output):
            y, = ctx.saved_tensors
            return grad_output * y

The values may be arrays, numbers, the library's own nodes, or PyTorch's tensors: what forward runs with is meant.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from inspect import Parameter
from typing import Any

import numpy as np

from gradproof.convention.templates import only_promises
from gradproof.nodes.library import Array, Library, library_of
from gradproof.nodes.operation import Operation, Tape, gradients_of, outputs_of
from gradproof.nodes.operation_signatures import (
    constructor,
    is_detached,
    is_of_class,
    is_variadic,
    method,
    parameters,
)
from gradproof.standins.spaces import functions_of

FORWARD, BACKWARD = "forward", "backward"
_CONTEXTS = frozenset({"ctx", "context", "cxt", "_ctx"})
_TORCH = "torch"


class Context:
    """What forward keeps for backward, where the library's own context is not found."""

    def __init__(self) -> None:
        self.saved_tensors: tuple[Any, ...] = ()

    @property
    def saved_values(self) -> tuple[Any, ...]:
        """The same under minitorch's name."""
        return self.saved_tensors

    @property
    def needs_input_grad(self) -> tuple[bool, ...]:
        """All inputs do."""
        return (True,) * 16

    def save_for_backward(self, *values: Any) -> None:
        """Keep values."""
        self.saved_tensors = values

    def mark_non_differentiable(self, *values: Any) -> None:
        """Nothing: what an output depends on is measured."""

    def set_materialize_grads(self, value: bool) -> None:
        """Nothing: every output has its gradient here."""


class ContextFunction(Operation):
    """An operation that is a class with forward(ctx, ...) and backward(ctx, gradient), of which no object is needed.

    Where both have a ``self`` before the context, an object is built.
    """

    mixes = True

    def __init__(self, cls: type, skip: int) -> None:
        arguments = parameters(getattr(cls, FORWARD), skip)
        needed = [p.name for p in arguments if p.default is Parameter.empty]
        self._on_objects, self._is_apart = skip > 1, skip == 0
        built = constructor(cls) if self._on_objects else []
        super().__init__(cls.__name__, cls, needed, [*built, *(p for p in arguments if p.name not in needed)])
        self._cls, self._built = cls, built
        self._order = [p.name for p in arguments]
        self._library = library_of(cls)
        self._forms = _forms(cls, self._library)
        self.of_numbers = self._library is not None and self._library.holds_numbers

    @property
    def code(self) -> tuple[Any, str, str]:
        """The class itself."""
        return self._cls, FORWARD, BACKWARD

    def run(self, values: Mapping[str, Any]) -> tuple[tuple[Array, ...], Tape]:
        """Run forward with what it takes: the first kind of value with which it has run is kept to."""
        first: Exception | None = None
        for form in self._forms:
            try:
                outputs, tape = self._run(values, form)
            except Exception as error:
                first = first or error
                continue
            self._forms = (form,)
            return outputs, tape
        raise first or TypeError("forward takes no value")

    def _run(self, values: Mapping[str, Any], form: _Form) -> tuple[tuple[Array, ...], Tape]:
        target = self._object(values)
        context = _context(self._cls)
        given = [form.wrap(values[name]) for name in self._order if name in values]
        if self._is_apart:
            returned = target.forward(*given)
            target.setup_context(context, tuple(given), returned)
        else:
            returned = target.forward(context, *given)
        parts, outputs = outputs_of(form.numbers(returned))
        return outputs, Tape(target=target, context=context, form=form, parts=parts)

    def _object(self, values: Mapping[str, Any]) -> Any:
        """What the methods are called on: the class, or an object where they take one before the context."""
        if not self._on_objects:
            return self._cls
        return self._cls(**{p.name: values[p.name] for p in self._built if p.name in values})

    def pull(self, tape: Tape, douts: Sequence[Any]) -> Any:
        """Hand backward the context and the gradients, of the kind that forward returned."""
        seeds = [tape.form.like(part, dout) for part, dout in zip(tape.parts, douts, strict=True)]
        returned = tape.target.backward(tape.context, *seeds)
        return self.by_name(self._of_names(gradients_of(tape.form.numbers(returned))))

    def apply(self, nodes: Sequence[Any]) -> Any:
        """The node that comes of nodes, by the way that the library applies its functions."""
        return getattr(self._cls, "apply")(*nodes)  # noqa: B009

    def _of_names(self, gradients: list[Array | None]) -> list[Array | None]:
        """Those of the arguments without a default: there may be one for each argument, or for the first of them."""
        if len(gradients) <= len(self.names):
            return gradients
        by_argument = dict(zip(self._order, gradients, strict=False))
        return [by_argument.get(name) for name in self.names] if len(gradients) <= len(self._order) else gradients


class _Form:
    """Values as they are: arrays, and numbers where there are no axes."""

    def wrap(self, value: Any) -> Any:
        """The value as forward is handed it."""
        return np.float64(value) if isinstance(value, np.ndarray) and not value.ndim else value

    def numbers(self, returned: Any) -> Any:
        """What came back, as arrays, numbers or nodes."""
        return returned

    def like(self, output: Any, dout: Any) -> Any:
        """The upstream gradient of the kind of an output."""
        return dout if isinstance(output, np.ndarray) else np.float64(dout)


class _Nodes(_Form):
    """Values as nodes of the author's library."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def wrap(self, value: Any) -> Any:
        return self._library.wrap(value) if isinstance(value, np.ndarray) else value

    def like(self, output: Any, dout: Any) -> Any:
        return self._library.wrap(dout) if self._library.holds(output) else super().like(output, dout)


class _Tensors(_Form):
    """Values as PyTorch's tensors, where the author's class is one of PyTorch's functions: it is loaded by then."""

    def wrap(self, value: Any) -> Any:
        return sys.modules[_TORCH].from_numpy(np.array(value)) if isinstance(value, np.ndarray) else value

    def numbers(self, returned: Any) -> Any:
        if isinstance(returned, (tuple, list)):
            return [self.numbers(part) for part in returned]
        return returned.detach().numpy() if hasattr(returned, "detach") else returned

    def like(self, output: Any, dout: Any) -> Any:
        return self.wrap(np.asarray(dout))


def operations(cls: type) -> Iterator[Operation]:
    """The operation that a class is, if its forward and its backward begin with the same context."""
    skip = _skipped(cls)
    if skip is not None and not is_variadic(method(cls, FORWARD)):
        yield ContextFunction(cls, skip)


def is_base(cls: type) -> bool:
    """Whether a class is the base of such operations, or a context."""
    has_context = callable(getattr(cls, "save_for_backward", None)) or callable(getattr(cls, "apply", None))
    back, forward = method(cls, BACKWARD), method(cls, FORWARD)
    return has_context and (back is None or forward is None or only_promises(forward))


def _skipped(cls: type) -> int | None:
    """How many arguments of forward stand before its inputs; None where the class is no such operation."""
    methods = (FORWARD, BACKWARD)
    if not all(_is_written(cls, method) for method in methods):
        return None
    first, second = _first(cls, FORWARD), _first(cls, BACKWARD)
    detached = all(is_detached(cls, method) for method in methods)
    if detached and _has_setup(cls) and first[:1] != second[:1]:
        return 0
    at_first = _shared(first, second, 0)
    if at_first is not None and (detached or at_first in _CONTEXTS):
        return 1
    return 2 if _shared(first, second, 1) in _CONTEXTS else None


def _shared(first: list[str], second: list[str], place: int) -> str | None:
    """The argument that both methods take at one place, where others follow it."""
    follow = min(len(first), len(second)) > place + 1
    return first[place] if follow and first[place] == second[place] else None


def _is_written(cls: type, name: str) -> bool:
    """Whether a class has a method of that name that does something."""
    function = method(cls, name)
    return function is not None and not only_promises(function)


def _has_setup(cls: type) -> bool:
    """Whether the context is filled apart from forward, as PyTorch allows: setup_context(ctx, inputs, output)."""
    return _is_written(cls, "setup_context")


def _first(cls: type, name: str) -> list[str]:
    """The names of the positional arguments of a method, as it is called on the class."""
    function = method(cls, name)
    code = None if function is None else function.__code__
    names = [] if code is None else list(code.co_varnames[: code.co_argcount])
    names += ["*"] if is_variadic(function) else []
    return names[int(is_of_class(cls, name)) :]


def _forms(cls: type, library: Library | None) -> tuple[_Form, ...]:
    if any(base.__module__.split(".")[0] == _TORCH for base in cls.__mro__):
        return (_Tensors(),)
    return (_Form(),) if library is None else (_Form(), _Nodes(library))


def _context(cls: type) -> Any:
    """A context of the library's own class, where there is one that needs nothing; else one of ours."""
    seen = [value for f in functions_of(cls) for value in f.__globals__.values() if isinstance(value, type)]
    for found in seen:
        if callable(getattr(found, "save_for_backward", None)) and not issubclass(cls, found):
            try:
                return found()
            except Exception:  # it needs arguments
                continue
    return Context()
