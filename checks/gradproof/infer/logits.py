"""A loss of probabilities whose gradient is meant for the logits of a softmax or sigmoid before it; it judges nothing.

``-log(p)`` with a backward of ``p - t`` is right in a net whose softmax hands on what it is given: the two are one
layer written as two. Alone it is wrong, and only its author knows which is meant.
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
from gradproof.infer.arguments import Target
from gradproof.infer.inference import Reading

BOUND = 3.0  # of logits: beyond it, chances are clipped, and no gradient is left

Squash = Callable[[Any], Any]


def softmax(z: Any) -> Any:
    """z: (..., c) -> rows that add up to one: (..., c)."""
    powers = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def sigmoid(z: Any) -> Any:
    """z: (...) -> chances between 0 and 1: (...)."""
    return 0.5 * (1.0 + np.tanh(0.5 * z))


def of_logits(target: Target, case: Case) -> Iterator[Reading]:
    """The same loss behind a softmax, and behind a sigmoid, where it takes one array of probabilities."""
    names = [name for name, spec in case.inputs.items() if isinstance(spec, Floats) and spec.differentiable]
    if not target.takes_probabilities or len(names) != 1 or not case.inputs:
        return
    (name,) = names
    spec = cast(Floats, case.inputs[name])
    for squash in (softmax, sigmoid):
        specs = {**case.init, **case.inputs, name: Floats(spec.shape, -BOUND, BOUND)}
        if squash is softmax:
            specs |= {n: _rows(s) for n, s in case.inputs.items() if isinstance(s, Floats) and n != name}
        text = f"the gradient for the logits of a {squash.__name__} before it, which hands on what it is given"
        try:
            functions = guard.call("a subclass", _behind, case, name, squash)
            behind = Case(*functions, dims=dict(case.space.ranges), **cast(Any, specs))
        except (UsageError, guard.SubjectError):  # a class may refuse to be derived from
            return
        yield Reading(behind, text, nearly=True)


def _rows(target: Floats) -> Spec:
    """Targets of which each row has a single one, where they have rows: only then is ``p - t`` the gradient."""
    texts = [axis.text for axis in target.shape.sizes]
    has_rows = len(texts) > 1 and target.shape.starred is None
    return one_hot(" ".join(texts[:-1]), texts[-1]) if has_rows else target


def _behind(case: Case, name: str, squash: Squash) -> list[Any]:
    """The class, or the functions, whose argument ``name`` is what comes out of the squash."""
    if case.convention is None:
        functions = [function for function in (case.subject, case.backward) if function is not None]
        return [_squashing(function, name, squash) for function in functions]
    cls: Any = case.subject
    methods = {each: getattr(cls, each) for each in (case.convention.forward, case.convention.backward)}
    own = {each: _squashing(method, name, squash) for each, method in methods.items()}
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
