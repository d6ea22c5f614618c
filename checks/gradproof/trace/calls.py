"""Calls of NumPy during a traced run: on plain arrays, with what met where one fails; it knows no operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradproof.trace.arrays import Watched, like
from gradproof.trace.changes import StillUnknown, Unfit
from gradproof.trace.clash import Clash
from gradproof.trace.distant_causes import anything, whole_numbers
from gradproof.trace.first_uses import FirstUse, told
from gradproof.trace.results import note
from gradproof.trace.run import current
from gradproof.trace.unknown import Unknown, UnknownShape
from gradproof.trace.uses import proposals
from gradproof.trace.watching import flat, plain


def call(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], name: str) -> Any:
    """The result of a call. Raises Unfit where an argument is unknown, or where what met does not fit."""
    run = current()
    if run is None:
        return function(*plain(tuple(args)), **{key: plain(value) for key, value in kwargs.items()})
    run.count()
    sources = [each for each in flat([*args, *kwargs.values()]) if type(each) in _WATCHED]
    for each in sources:
        if type(each) is UnknownShape:
            if name in ("zeros", "ones", "empty") and args and args[0] is each:
                run.seen.arrays.add(each.of.hint.name)
                return each.of
            raise each.unfit([2, 1, 3, 4])
        if type(each) is Unknown:
            try:
                told(FirstUse(name, each, args, kwargs))
            except StillUnknown:
                return each
    if name == "arange" and len(args) == 3:
        run.divide(args[1], args[2])
    try:
        result = function(*plain(tuple(args)), **{key: plain(value) for key, value in kwargs.items()})
    except Exception as error:
        clash = Clash(run, name, args, kwargs, error)
        found = [*proposals(clash), *anything(run), *whole_numbers(run, error)]
        raise Unfit(found, f"{name}: {error}") from error
    note(run, name, args, result)
    return like(result, sources)


_WATCHED = frozenset({Watched, Unknown, UnknownShape})
