"""The Case of an operation of an autograd library: a few shapes and options are tried in order; no verdicts.

Its arguments are known to be nodes, so that little is left to find: do all have one shape, do they meet as matrices,
is the last one labels, are they numbers? Forward decides; where several shapes run, as they do where NumPy broadcasts,
the first is taken at which each gradient has the shape of its argument, else the first.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

import numpy as np

from gradproof.case.case import Case
from gradproof.case.sizes import Chosen
from gradproof.case.specs import Floats, Sizes, as_spec, floats, labels, positive, sizes
from gradproof.errors import UsageError
from gradproof.generate.arrays import Style
from gradproof.generate.examples import Plan, build, styled
from gradproof.guard import Randomness, SubjectError, quiet
from gradproof.infer.inference import Inference
from gradproof.nodes.engine import Engine, shared_wrong
from gradproof.nodes.operation import Operation
from gradproof.subject.subject import Subject, subject_of
from gradproof.values import Example

MOST = 300  # forwards
_SEED = 1729
_POINTS = 3  # at which the operations of a graph have to be right by themselves
_RISING, _FALLING = (2, 3, 5, 7, 11), (5, 3, 2, 7, 11)
_UNIT = floats("n d", min_value=-0.9, max_value=0.9)

# what so many arrays may be, the likeliest first; "labels" stands for integers below the last dim of the first array
_SHAPES: Mapping[int, tuple[tuple[str, ...], ...]] = {
    1: (("n d",), ("n",), ("",), ("n c h w",), ("n t d",)),
    2: (
        ("n d", "n d"),
        ("n d", "d h"),
        ("n d", "labels"),
        ("n", "n"),
        ("", ""),
        ("n d", "d"),
        ("n d", "h d"),
        ("b n d", "b d h"),
        ("n c h w", "o c 3 3"),
    ),
    3: (
        ("n d", "n d", "n d"),
        ("n d", "d h", "h"),
        ("n d", "h d", "h"),
        ("", "", ""),
        ("n d", "d", "d"),
        ("n c h w", "o c 3 3", "o"),
    ),
}
# what an option may be, by what its name contains; of a name that says nothing, a few values
_OPTIONS: Mapping[str, tuple[Any, ...]] = {
    "shape": (sizes("d n"), sizes("1 d"), sizes("m n d"), sizes("n d")),
    "axes": ((1, 0), None, (0,), 0),
    "axis": (1, 0, None),
    "dim": (1, 0, None),
    "keep": (False, True),
    "slice": (0, slice(0, 1)),
    "ind": (0, slice(0, 1)),
    "idx": (0, slice(0, 1)),
    "pow": (3, 2.5),
    "exp": (3, 2.5),
    "eps": (1e-3,),
    "mean": (None, 0.0),
    "var": (None, 1.0),
    "decay": (0.9,),
    "momentum": (0.9,),
    "slope": (0.1,),
}
_ANY = (3, 0.5, None, 1, (1, 0))


def infer_engine(engine: Engine) -> Inference:
    """The graphs on which a library's backward is tried, and what is in doubt of one that makes no order."""
    began = time.perf_counter()
    for shape in ("",) if engine.of_numbers else ("n", ""):
        points = [_point(shape, number) for number in range(_POINTS)]
        if not engine.choose(points):
            continue
        dims = {"n": (1, 6)} if shape else None
        case = Case(engine.forward, engine.backward, dims=dims, x=floats(shape), w=floats(shape))
        spoilt = [] if engine.makes_order else [text for text, _, _ in shared_wrong(engine, points[0])]
        doubts = tuple(f"nodes are put in no order: the gradient of x is wrong in {text}" for text in spoilt[:1])
        remedy = "go back through the nodes in the reverse of a topological order"
        return Inference(case, doubts=doubts, remedy=remedy, seconds=time.perf_counter() - began)
    problem = "none of its operations could be chosen that is right by itself: see what is told of them"
    return Inference(None, problem=problem, seconds=time.perf_counter() - began)


def _point(shape: str, number: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([_SEED, number])
    return {name: rng.standard_normal((2,) * bool(shape)) for name in ("x", "w")}


def infer_operation(operation: Operation) -> Inference | None:
    """The first Case at which forward runs at two sets of sizes; None where there is none."""
    if isinstance(operation, Engine):
        return infer_engine(operation)
    began, forwards = time.perf_counter(), 0
    first: Case | None = None
    for specs in itertools.islice(_candidates(operation), MOST):
        tried = _tried_in_domains(operation, specs)
        forwards += tried.forwards
        first = first or tried.case
        if tried.fits:
            first = tried.case
            break
    return None if first is None else Inference(first, seconds=time.perf_counter() - began, forwards=forwards)


@dataclass(frozen=True, eq=False)
class _Tried:
    """What arguments of some shapes came to.

    case: with the first domain in which forward gives finite numbers, None where there is none; fits: each argument
    then has a gradient of its shape; forwards: what that took, where one is counted for arguments that make no Case.
    """

    case: Case | None
    fits: bool
    forwards: int


def _tried_in_domains(operation: Operation, specs: Mapping[str, Any]) -> _Tried:
    """Any floats, positive ones, and those between -1 and 1, as far as forward comes back."""
    forwards = 0
    for domain in (None, positive, _unit):
        case = _case(operation, specs if domain is None else _within(specs, domain))
        if case is None:
            return _Tried(None, False, forwards + 1)
        seen = _tried(case)
        forwards += seen.forwards
        if not seen.ran:
            break
        if seen.finite:
            return _Tried(case, seen.fits, forwards)
    return _Tried(None, False, forwards)


def _candidates(operation: Operation) -> Iterator[dict[str, Any]]:
    required = [option.name for option in operation.options if option.default is Parameter.empty]
    least = 1 if operation.mixes else len(operation.names)
    for count in range(len(operation.names), least - 1, -1):
        options = [*operation.names[count:], *required]
        for shapes in _shapes(count, first="" if operation.of_numbers else None):
            for chosen in itertools.product(*map(_values, options)):
                yield {**_arrays(operation.names[:count], shapes), **dict(zip(options, chosen, strict=True))}


def _shapes(count: int, first: str | None) -> list[tuple[str, ...]]:
    """What so many arrays may be; ``first`` is tried for all of them before."""
    known = _SHAPES.get(count, tuple((shape,) * count for shape in ("n d", "n", "")))
    return list(known) if first is None else [(first,) * count, *known]


def _arrays(names: Sequence[str], shapes: Sequence[str]) -> dict[str, Any]:
    last = shapes[0].split()[-1:]
    drawn: dict[str, Any] = {}
    for name, shape in zip(names, shapes, strict=True):
        drawn[name] = labels("n", *last) if shape == "labels" else floats(shape)
    return drawn


def _values(name: str) -> tuple[Any, ...]:
    return next((values for word, values in _OPTIONS.items() if word in name.lower()), _ANY)


def _within(specs: Mapping[str, Any], domain: Any) -> dict[str, Any]:
    """The same with every array of floats from another domain."""
    return {name: domain(s.shape.text) if isinstance(s, Floats) else s for name, s in specs.items()}


def _unit(shape: str) -> Floats:
    return floats(shape, min_value=_UNIT.min_value, max_value=_UNIT.max_value)


def _case(operation: Operation, specs: Mapping[str, Any]) -> Case | None:
    declared: dict[str, Any] = {name: as_spec(name, value) for name, value in specs.items()}
    try:
        return Case(operation.forward, operation.backward, **declared)
    except UsageError:
        return None


class _Seen:
    """What the runs of one candidate showed.

    ran: all forwards came back; finite: with finite numbers; fits: backward gave each argument a gradient of its shape.
    """

    def __init__(self) -> None:
        self.ran, self.finite, self.fits, self.forwards = True, True, True, 0


def _tried(case: Case) -> _Seen:
    seen = _Seen()
    if len(case.names) > len(_RISING):  # more dims than there are sizes that all differ
        seen.ran = False
        return seen
    with quiet(), Randomness(_SEED) as random:
        for primes in (_RISING, _FALLING):
            dims: Chosen = dict(zip(case.names, primes, strict=False))
            example = build(case, Plan(dims, dict.fromkeys(styled(case), Style.NORMAL), _SEED), {})
            seen.forwards += 1
            try:
                subject = subject_of(case, example, random)
                outputs = subject.forward(example.inputs)
            except SubjectError as raised:
                is_domain = raised.error.kind == "ValueError" and "domain" in raised.error.message  # of math.log
                seen.ran, seen.finite = is_domain, False
                return seen
            seen.ran &= _has_asked_shapes(case, dims, outputs)
            seen.finite &= all(np.isfinite(output).all() and math.prod(output.shape) for output in outputs)
            seen.fits &= _fits(subject, example, outputs)
    return seen


def _has_asked_shapes(case: Case, dims: Chosen, outputs: Sequence[Any]) -> bool:
    """Whether each output has a shape that an argument asks for, where one does."""
    asked = [spec.shape.resolve(dims) for spec in case.inputs.values() if isinstance(spec, Sizes)]
    return not asked or all(output.shape in asked for output in outputs)


def _fits(subject: Subject, example: Example, outputs: Sequence[Any]) -> bool:
    """Whether backward gives each argument a gradient of its shape."""
    try:
        gradients = subject.backward([np.ones_like(output) if output.ndim else 1.0 for output in outputs])
    except SubjectError:
        return False
    shapes = {name: np.shape(example.inputs[name]) for name in example.differentiable}
    if not isinstance(gradients, Mapping):
        return False
    return all(np.shape(gradients[name]) == shape for name, shape in shapes.items() if name in gradients)
