"""What one argument of a subject is: its shape, its domain, or its literal value; it draws nothing."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradproof.case.shapes import Shape, Size, parse, parse_size
from gradproof.errors import UsageError


@dataclass(frozen=True)
class Floats:
    """A float array; ``exclude_min`` takes ``min_value`` itself out of the domain."""

    shape: Shape
    min_value: float | None = None
    max_value: float | None = None
    exclude_min: bool = False
    differentiable: bool = True

    def source(self) -> str:
        """The declaration as Python source."""
        bounds = "".join(
            f", {name}={value!r}"
            for name, value in (("min_value", self.min_value), ("max_value", self.max_value))
            if value is not None
        )
        shape = _quoted(self.shape.text)
        array = f"positive({shape})" if self.exclude_min else f"floats({shape}{bounds})" if bounds else shape
        return array if self.differentiable else f"constant({array})"


@dataclass(frozen=True)
class Labels:
    """An integer array with entries in ``0 .. below - 1``."""

    shape: Shape
    below: Size

    def source(self) -> str:
        """The declaration as Python source."""
        return f"labels({_quoted(self.shape.text)}, {_size_source(self.below)})"


@dataclass(frozen=True)
class OneHot:
    """A float array of ``shape`` and a last axis of ``classes``, with a single 1.0 along that axis."""

    shape: Shape
    classes: Size

    def source(self) -> str:
        """The declaration as Python source."""
        return f"one_hot({_quoted(self.shape.text)}, {_size_source(self.classes)})"


@dataclass(frozen=True)
class Probabilities(OneHot):
    """A float array of ``shape`` and a last axis of ``classes``, with entries above 0 that add up to 1 along it."""

    def source(self) -> str:
        """The declaration as Python source."""
        return f"probabilities({_quoted(self.shape.text)}, {_size_source(self.classes)})"


@dataclass(frozen=True)
class SizeArgument:
    """The integer size itself."""

    size: Size

    def source(self) -> str:
        """The declaration as Python source."""
        return f"size({_size_source(self.size)})"


@dataclass(frozen=True)
class Sizes:
    """The sizes of several dims as a tuple of ints."""

    shape: Shape

    def source(self) -> str:
        """The declaration as Python source."""
        return f"sizes({_quoted(self.shape.text)})"


@dataclass(frozen=True, eq=False)
class Literal:
    """A value passed as it is; a copy for each example, so that no example can change the next."""

    value: Any
    differentiable: bool = True  # counts only where the value is a float array
    text: str | None = None  # the value as Python source, where its repr is none

    def source(self) -> str:
        """The declaration as Python source, where the value's repr is source."""
        if self.text is not None:
            return self.text
        if isinstance(self.value, np.ndarray):
            dtype = "" if self.value.dtype == np.float64 else f", dtype={self.value.dtype.name!r}"
            text = f"np.array({self.value.tolist()!r}{dtype})"
            return text if self.differentiable else f"constant({text})"
        text = (
            self.value.__qualname__
            if callable(self.value) and hasattr(self.value, "__qualname__")
            else re.sub(r".* at 0x[0-9A-Fa-f]+>?", "...", repr(self.value))  # no source, and another text in each run
        )
        return (
            f"just({text})"
            if isinstance(self.value, (str, Floats, Labels, OneHot, SizeArgument, Sizes, Literal, Drawn))
            else text
        )


@dataclass(frozen=True, eq=False)
class Drawn:
    """A value drawn from a Hypothesis strategy."""

    strategy: Any

    def source(self) -> str:
        """The strategy's repr, which names its constructor and arguments."""
        return repr(self.strategy)


Spec = Floats | Labels | OneHot | SizeArgument | Sizes | Literal | Drawn


def floats(shape: str, *, min_value: float | None = None, max_value: float | None = None) -> Floats:
    """A float array of the given shape with entries in [min_value, max_value]; its gradient is checked.

    Raises UsageError for a malformed shape, a bound that is no finite number, or min_value >= max_value.
    """
    least, most = _bound("min_value", min_value), _bound("max_value", max_value)
    if least is not None and most is not None and least >= most:
        raise UsageError(
            f"floats: expected min_value < max_value, got min_value={min_value!r}, max_value={max_value!r}"
        )
    return Floats(parse(shape), least, most)


def positive(shape: str) -> Floats:
    """A float array of the given shape with entries > 0; its gradient is checked."""
    return Floats(parse(shape), min_value=0.0, exclude_min=True)


def constant(array: str | Floats | np.ndarray[Any, Any]) -> Floats | Literal:
    """A float array that needs no gradient: a shape string, ``positive(...)``, ``floats(...)`` or a NumPy array."""
    if isinstance(array, Floats):
        return replace(array, differentiable=False)
    if isinstance(array, np.ndarray):
        return Literal(array, differentiable=False)
    return Floats(parse(array), differentiable=False)


def labels(shape: str, below: str | int) -> Labels:
    """Integer class labels of the given shape, each in 0 .. below - 1; ``below`` is a dim ("c") or an int."""
    return Labels(parse(shape), parse_size(below))


def one_hot(shape: str, classes: str | int) -> OneHot:
    """Float one-hot rows, without gradient: ``one_hot("n", "c")`` has shape "n c" and a single 1.0 in each row."""
    return OneHot(parse(shape), parse_size(classes))


def probabilities(shape: str, classes: str | int) -> Probabilities:
    """Float rows that add up to 1, with no gradient: ``probabilities("n", "c")`` is of shape "n c", above 0."""
    return Probabilities(parse(shape), parse_size(classes))


def size(dim: str) -> SizeArgument:
    """The size of a dim as an int, for constructors that take sizes: ``hidden_size=size("h")``, or ``size("4*h")``."""
    return SizeArgument(parse_size(dim))


def sizes(shape: str) -> Sizes:
    """The sizes of several dims as a tuple of ints, for constructors that take a shape: ``input_shape=sizes("c h w")``.

    Raises UsageError for a malformed shape, and for one that is empty or has a starred name.
    """
    parsed = parse(shape)
    if parsed.starred is not None or not parsed.axes:
        raise UsageError(f'sizes: expected dims separated by spaces, got shape={shape!r}; write sizes("c h w")')
    return Sizes(parsed)


def just(value: Any) -> Literal:
    """The value itself, also where it is a string: ``just("relu")``."""
    return Literal(value)


_CONSTRUCTORS: tuple[Callable[..., Spec], ...] = (
    *(floats, positive, constant, labels, one_hot, probabilities),
    *(size, sizes, just),
)


def as_spec(name: str, value: Any) -> Spec:
    """What the keyword ``name=value`` of a Case declares: a string is a shape, everything unknown is itself.

    Raises UsageError for a malformed shape and for a spec function that was not called.
    """
    if isinstance(value, (Floats, Labels, OneHot, SizeArgument, Sizes, Literal, Drawn)):
        return value
    if isinstance(value, str):
        try:
            return floats(value)
        except UsageError as error:
            raise UsageError(
                f"{name}={value!r}: {error}\nif the string is meant literally, write {name}=just({value!r})"
            ) from None
    if callable(value) and value in _CONSTRUCTORS:
        raise UsageError(
            f"{name}={value.__name__} is the function itself: call it, as in {name}={_called(value.__name__)}"
        )
    return Drawn(value) if _is_strategy(value) else Literal(value)


def _is_strategy(value: Any) -> bool:
    # A strategy can only exist where its user has imported hypothesis, so there is no need to import it here.
    strategies = sys.modules.get("hypothesis.strategies")
    return strategies is not None and isinstance(value, strategies.SearchStrategy)


def _bound(name: str, value: object) -> float | None:
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, np.integer, np.floating))
        or not math.isfinite(value)
    ):
        raise UsageError(
            f"floats: expected a finite number or None, got {name}={value!r} (type {type(value).__name__})"
        )
    return float(value)


def _called(name: str) -> str:
    return {
        "labels": 'labels("n", "c")',
        "one_hot": 'one_hot("n", "c")',
        "probabilities": 'probabilities("n", "c")',
        "size": 'size("h")',
        "sizes": 'sizes("c h w")',
        "just": "just(value)",
    }.get(name, f'{name}("n d")')


def _quoted(text: str) -> str:
    return f'"{text}"'


def _size_source(size_: Size) -> str:
    return size_.text if size_.text.isdigit() else _quoted(size_.text)
