"""Guesses the Case of a class that declares none, from the book's names of arguments; it builds and runs no layer."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

from gradproof.case import Case
from gradproof.errors import UsageError
from gradproof.specs import labels, size
from gradproof.values import SubjectReport, Verdict

# Dims: n the batch, d what comes in, h the hidden or only width, k what comes out of a second layer.
# For each set of required constructor arguments: what to hand over, and the dim of the scores that come out.
CONSTRUCTORS: Mapping[frozenset[str], tuple[Mapping[str, Any], str]] = {
    frozenset(arguments): (arguments, out)
    for arguments, out in (
        ({}, "d"),
        ({"W": "d h"}, "h"),
        ({"W": "d h", "b": "h"}, "h"),
        ({"gamma": "d", "beta": "d"}, "d"),
        ({"W1": "d h", "b1": "h", "W2": "h k", "b2": "k"}, "k"),
        ({"input_size": size("d"), "output_size": size("k")}, "k"),
        ({"input_size": size("d"), "hidden_size": size("h"), "output_size": size("k")}, "k"),
    )
}
INPUTS = frozenset({"x", "X", "input", "inputs"})
LABELLED = ("softmax", "crossentropy", "cross_entropy")  # in a loss's name: its t is class labels, not values
PAIRS = (frozenset({"x", "y"}), frozenset({"a", "b"}), frozenset({"x1", "x2"}))
# Exceptions that no choice of shapes causes: after one of them, it is the layer that is broken.
NEVER_A_SHAPE = (
    "AttributeError",
    "ImportError",
    "ModuleNotFoundError",
    "NameError",
    "NotImplementedError",
    "RecursionError",
    "UnboundLocalError",
)


def subjects(module: ModuleType) -> list[type]:
    """The classes that ``module`` itself defines and that have a forward of their own or inherited one, in order.

    Abstract bases are left out: they promise a forward, they do not have one.
    """
    defined = (value for value in vars(module).values() if isinstance(value, type))
    return [
        cls
        for cls in dict.fromkeys(defined)
        if cls.__module__ == module.__name__ and callable(getattr(cls, "forward", None)) and not _is_abstract(cls)
    ]


def infer(cls: Any) -> Case | str:
    """The Case of ``cls``, or the sentence that says why none can be guessed."""
    if not callable(getattr(cls, "backward", None)) or _only_raises(cls.backward):
        return f"{cls.__name__} has no backward: nothing to check"
    try:
        built, called = _required(cls), _required(cls.forward)[1:]
    except ValueError:
        return f"the signature of {cls.__name__} cannot be read.{_hint(cls, (), ())}"
    known = CONSTRUCTORS.get(frozenset(built))
    if known is None:
        return f"the constructor takes {_listed(built)}: the shapes cannot be guessed.{_hint(cls, built, called)}"
    init, out = known
    scores = bool(init) or any(word in cls.__name__.lower() for word in LABELLED)
    inputs = _inputs(called, out if scores else None)
    if inputs is None:
        return f"forward takes {_listed(called)}: the shapes cannot be guessed.{_hint(cls, built, called)}"
    if clash := set(init) & set(inputs):
        return f"the constructor and forward both take {_listed(sorted(clash))}.{_hint(cls, built, called)}"
    try:
        # One class leaves nothing to tell apart: the loss is constant, and labels and one-hot rows have one shape.
        return Case(cls, dims={out: (2, 6)} if "t" in inputs else None, **init, **inputs)
    except UsageError as error:
        return str(error)


def judged(report: SubjectReport, case: Case) -> SubjectReport:
    """What may be said of a subject whose ``case`` is a guess: the guess itself, and no fault where it may be to blame.

    Where no example ran to its end, the exception tells of the layer only if no other shapes could have avoided it.
    """
    report = replace(report, notes=(f"no Case was declared; checked as {case.declaration()}", *report.notes))
    certain = any(f" raises {kind} " in finding.headline for finding in report.findings for kind in NEVER_A_SHAPE)
    if report.tensors or certain or report.verdict is not Verdict.FAIL:
        return report
    return replace(
        report,
        verdict=Verdict.INCONCLUSIVE,
        reason="no example ran with the guessed shapes: the layer or the guess is wrong. Declare its Case",
        findings=tuple(replace(finding, severity="warning") for finding in report.findings),
    )


def _inputs(called: list[str], out: str | None) -> Mapping[str, Any] | None:
    """Shapes of forward's arguments: one input, an input with labels below ``out``, or two inputs of one shape."""
    match called:
        case [x] if x in INPUTS:
            return {x: "n d"}
        case [x, "t"] if x in INPUTS and out is not None:
            return {x: "n d", "t": labels("n", out)}
        case [first, second] if frozenset(called) in PAIRS:
            return {first: "n d", second: "n d"}
        case _:
            return None


def _required(call: Callable[..., Any]) -> list[str]:
    """Names of the arguments without a default; raises ValueError where ``call`` has no readable signature."""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(call).parameters.values()
    return [p.name for p in parameters if p.default is inspect.Parameter.empty and p.kind not in variadic]


def _is_abstract(cls: Any) -> bool:
    return inspect.isabstract(cls) or getattr(cls, "_is_protocol", False) or _only_raises(cls.forward)


def _only_raises(method: Callable[..., Any]) -> bool:
    """Whether the body of ``method`` is, beside its docstring, ``raise NotImplementedError``."""
    try:
        definition = ast.parse(textwrap.dedent(inspect.getsource(method))).body[0]
    except (OSError, TypeError, SyntaxError):
        return False
    body = definition.body if isinstance(definition, ast.FunctionDef) else []
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    if not body or not isinstance(body[0], ast.Raise) or body[0].exc is None:
        return False
    raised = body[0].exc.func if isinstance(body[0].exc, ast.Call) else body[0].exc
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"


def _hint(cls: type, built: Iterable[str], called: Iterable[str]) -> str:
    """The declaration to fill in, on a line of its own, so that it can be copied."""
    arguments = "".join(f", {name}=..." for name in dict.fromkeys([*built, *called]))
    declaration = f"{cls.__name__.lower()} = Case({cls.__name__}{arguments})"
    return f'\nDeclare it, with shapes as in x="n d":\n{declaration}'


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "no input"
