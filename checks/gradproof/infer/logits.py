"""A loss of probabilities whose gradient is meant for the logits of a softmax before it, and that softmax.

``-log(p)`` with a backward of ``p - t`` is right in a net whose softmax hands on what it is given: the two are one
layer written as two. Alone each is wrong, and only its author knows which is meant. It judges nothing.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, cast

import numpy as np

from gradproof import guard
from gradproof.case.case import Case
from gradproof.case.specs import Floats, Spec, one_hot
from gradproof.errors import UsageError
from gradproof.infer.arguments import Undeclared
from gradproof.infer.inference import Reading

BOUND = 3.0  # of logits: beyond it, chances are clipped, and no gradient is left

Squash = Callable[[Any], Any]
Wrapper = Callable[[Callable[..., Any]], Callable[..., Any]]


def softmax(z: Any) -> Any:
    """z: (..., c) -> rows that add up to one: (..., c)."""
    powers = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def sigmoid(z: Any) -> Any:
    """z: (...) -> chances between 0 and 1: (...)."""
    return 0.5 * (1.0 + np.tanh(0.5 * z))


def of_logits(target: Undeclared, case: Case) -> Iterator[Reading]:
    """The same loss behind a softmax, and behind a sigmoid, where it takes one array of probabilities."""
    floats = {name: spec for name, spec in case.inputs.items() if isinstance(spec, Floats)}
    names = [name for name, spec in floats.items() if spec.differentiable]
    if not target.takes_probabilities or len(names) != 1:
        return
    (name,) = names
    rows = {other: _rows(spec) for other, spec in floats.items()}
    for squash, of_others in ((softmax, rows), (sigmoid, floats)):
        specs = {**case.init, **case.inputs, **of_others, name: Floats(floats[name].shape, -BOUND, BOUND)}
        text = f"the gradient for the logits of a {squash.__name__} before it, which hands on what it is given"
        try:
            functions = guard.call("a subclass", _behind, case, name, squash)
            behind = Case(*functions, dims=dict(case.space.ranges), **cast(Any, specs))
        except (UsageError, guard.SubjectError):  # a class may refuse to be derived from
            return
        yield Reading(behind, text, nearly=True)


def of_handing_on(target: Undeclared, case: Case) -> Iterator[Reading]:
    """A softmax whose backward hands on what it is given: with the loss behind it, it is one layer written as two.

    Then its backward is that of the identity, and so is its forward here.
    """
    names = [name for name, spec in case.inputs.items() if isinstance(spec, Floats) and spec.differentiable]
    if not target.usage.softmax or len(names) != 1 or len(case.inputs) != 1:
        return
    text = "a softmax that hands on what it is given, where the loss behind it has the gradient for its logits"
    specs = {**case.init, **case.inputs}
    try:
        wrapper = functools.partial(_handing_on, name=names[0])
        functions = guard.call("a subclass", _with, case, wrapper, _as_it_is)
        yield Reading(Case(*functions, dims=dict(case.space.ranges), **cast(Any, specs)), text)
    except (UsageError, guard.SubjectError):  # a class may refuse to be derived from
        return


def _as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def _handing_on(forward: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Forward with its input in the place of its output; it runs, for backward reads what it keeps."""
    signature = inspect.signature(forward)

    @functools.wraps(forward)
    def handing_on(*args: Any, **kwargs: Any) -> Any:
        output = forward(*args, **kwargs)
        given = signature.bind(*args, **kwargs).arguments[name]
        return (given, *output[1:]) if isinstance(output, tuple) else given

    return handing_on


def _rows(target: Floats) -> Spec:
    """Targets of which each row has a single one, where they have rows: only then is ``p - t`` the gradient."""
    texts = [axis.text for axis in target.shape.sizes]
    has_rows = len(texts) > 1 and target.shape.starred is None
    return one_hot(" ".join(texts[:-1]), texts[-1]) if has_rows else target


def _behind(case: Case, name: str, squash: Squash) -> list[Any]:
    """The class, or the functions, whose argument ``name`` is what comes out of the squash."""
    squashing = functools.partial(_squashing, name=name, squash=squash)
    return _with(case, squashing, squashing)


def _with(case: Case, forward: Wrapper, backward: Wrapper) -> list[Any]:
    """The functions, or a subclass, with forward and backward in such wrappers."""
    if case.convention is None:
        return [forward(case.subject)] if case.backward is None else [forward(case.subject), backward(case.backward)]
    cls: Any = case.subject
    names = (case.convention.forward, case.convention.backward)
    own = {name: wrap(getattr(cls, name)) for name, wrap in zip(names, (forward, backward), strict=True)}
    return [type(cls.__name__, (cls,), {**own, "__module__": cls.__module__, "__qualname__": cls.__qualname__})]


def _squashing(function: Callable[..., Any], name: str, squash: Squash) -> Callable[..., Any]:
    signature = inspect.signature(function)

    @functools.wraps(function)
    def squashing(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        if name in bound.arguments:
            bound.arguments[name] = squash(bound.arguments[name])
        return function(*bound.args, **bound.kwargs)

    return squashing
