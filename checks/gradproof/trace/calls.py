"""Calls of NumPy during a traced run: on plain arrays, with what met where one fails; it knows no operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradproof.trace.arrays import Watched, like
from gradproof.trace.changes import StillUnknown, Unfit
from gradproof.trace.clash import Clash
from gradproof.trace.distant_causes import anything, whole_numbers
from gradproof.trace.first_uses import FirstUse, take_first_use
from gradproof.trace.results import note
from gradproof.trace.run import TracedRun, current
from gradproof.trace.unknown import Unknown, UnknownShape
from gradproof.trace.uses import proposals
from gradproof.trace.views import look
from gradproof.trace.watching import call_plainly, flat


def _stays_unknown(use: FirstUse) -> bool:
    """Whether a use leaves open what an argument is. Raises Unfit where it says what it may be."""
    try:
        take_first_use(use)
    except StillUnknown:
        return True
    return False


def _note_steps(run: TracedRun, name: str, args: Sequence[Any]) -> None:
    """The steps of a range divide what it ends at."""
    if name == "arange" and len(args) == 3:
        run.divide(args[1], args[2])


def call(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], name: str) -> Any:
    """The result of a call. Raises Unfit where an argument is unknown, or where what met does not fit."""
    run = current()
    if run is None:
        return call_plainly(function, args, kwargs)
    run.count()
    sources = [each for each in flat([*args, *kwargs.values()]) if type(each) in _WATCHED]
    for each in sources:
        if type(each) is UnknownShape:
            return _of_unknown_shape(run, each, args, name)
        if type(each) is Unknown and _stays_unknown(FirstUse(name, each, args, kwargs)):
            return each
    _note_steps(run, name, args)
    try:
        look(name, args, kwargs)
        result = call_plainly(function, args, kwargs)
    except Exception as error:
        found = proposals(Clash(run, name, args, kwargs, error))
        raise Unfit([*found, *anything(run), *whole_numbers(run, error)], f"{name}: {error}") from error
    note(run, name, args, result)
    return like(result, sources)


def _of_unknown_shape(run: TracedRun, shape: UnknownShape, args: Sequence[Any], name: str) -> Unknown:
    """An array of an argument's shape is as unknown as the argument. Raises Unfit of any other call."""
    is_whole_shape = bool(args) and args[0] is shape
    if name in ("zeros", "ones", "empty") and is_whole_shape:
        run.evidence.arrays.add(shape.of.hint.name)
        return shape.of
    raise shape.unfit([2, 1, 3, 4])


_WATCHED = frozenset({Watched, Unknown, UnknownShape})
