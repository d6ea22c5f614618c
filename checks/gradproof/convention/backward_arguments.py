"""The arguments of backward with all that their names say, and the plan that gives each of them its value."""

from __future__ import annotations

import dis
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from gradproof.convention import function_names
from gradproof.convention.argument_names import role_of, targets
from gradproof.convention.calling import Plan
from gradproof.convention.descent import RATES, is_optimizer
from gradproof.convention.gradnames import partner

MOST = 8  # ways in which one backward may be called: more than that, and its names say too little to be tried
# beside a learning rate or an optimizer: which step it is, and of which layer
COUNTS = frozenset(
    {"key", "id", "idx", "index", "layer_id", "layer_idx", "layer_index", "epoch", "iteration", "t", "step"}
)
Sources = dict[str, str]  # for each argument where its value comes from, as in Plan


@dataclass(frozen=True)
class Given:
    """What there is to be given to backward, and what its signature asks for.

    ``alone``: it is a function, so that nothing but its arguments tells it of forward. ``names``: of all arguments in
    their order; ``required``: those without a default; ``used``: the names that its code reads; ``by_keyword``: those
    that only go by keyword; ``variadic``: it takes ``*args`` behind them.
    """

    name: str
    outputs: int
    inputs: tuple[str, ...]
    cache: bool
    defaults: tuple[str, ...]
    optional: frozenset[str]
    returned: tuple[Any, ...]
    alone: bool
    names: tuple[str, ...]
    required: tuple[str, ...]
    used: frozenset[str]
    by_keyword: frozenset[str]
    variadic: bool

    @property
    def local(self) -> bool:
        """Whether it may return the derivative without an upstream gradient, by its own name."""
        return function_names.may_be_local(self.name)


def names_used(theirs: Callable[..., Any]) -> frozenset[str]:
    """The names that its code reads; all of its arguments where there is no code to be read."""
    plain = inspect.unwrap(getattr(theirs, "__func__", theirs))
    code = getattr(plain, "__code__", None)
    return frozenset(inspect.signature(theirs).parameters) if code is None else _names_of(code)


@functools.lru_cache(maxsize=256)  # asked whenever a subject is built
def _names_of(code: CodeType) -> frozenset[str]:
    used: set[str] = set(code.co_cellvars)
    for instruction in dis.get_instructions(code):
        if not instruction.opname.startswith("STORE_FAST") or "LOAD" in instruction.opname:
            value = instruction.argval
            used |= {value} if isinstance(value, str) else set(value) if _is_names(value) else set()
    return frozenset(used)


def _is_names(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(name, str) for name in value)


def known_by_name(given: Given) -> Sources:
    """The arguments that are given a value by their names, upstream gradients aside."""
    known = {name: f"input {name}" for name in given.names if name in given.inputs}
    known |= {name: f"input {name}" for name in given.names if name in given.defaults}
    known |= _returned_by_name(known, given)
    known |= _rates(known, given)
    known |= _called_so(known, given, "optimizer", is_optimizer)
    if "rate" in known.values() or "optimizer" in known.values():
        known |= _called_so(known, given, "count", _is_count)
    if given.cache:
        known |= _called_so(known, given, "cache", _is_cache)
    return known


def _returned_by_name(known: Sources, given: Given) -> Sources:
    """What forward returned behind its outputs, for the arguments that bear the same names."""
    found: Sources = {}
    last = len(given.returned) - 1
    for i, name in enumerate(given.returned):
        is_asked = name in given.names and name not in known and name not in found
        if i >= given.outputs and is_asked:
            found[name] = "cache" if given.cache and i == last else f"output {i}"
    return found


def _called_so(known: Sources, given: Given, source: str, is_meant: Callable[[str], bool]) -> Sources:
    """The source for the arguments whose names mean it, of those that have none yet."""
    return {name: source for name in given.names if name not in known and is_meant(name)}


def _rates(known: Sources, given: Given) -> Sources:
    """The arguments that are learning rates; ``eta`` alone is what some call the gradient from above."""
    rates = _called_so(known, given, "rate", lambda name: name.lower() in RATES)
    is_upstream = given.required == ("eta",) and not targets(given.inputs)
    return {} if is_upstream else rates


def _is_count(name: str) -> bool:
    return name.lower() in COUNTS


def _is_cache(name: str) -> bool:
    return role_of(name) == "cache"


def left_over(known: Mapping[str, str], given: Given) -> int:
    """How many of forward's arguments no argument of backward is given by its name."""
    return sum(f"input {name}" not in known.values() for name in given.inputs)


def planned(sources: Mapping[str, str], given: Given) -> Plan:
    """The plan that gives each argument its value: by position as far as that goes, then by keyword."""
    passed = tuple((name, sources[name]) for name in given.names if name in sources)
    positional = _positional(sources, given)
    has_dout = any(source.startswith("dout") for _, source in passed)
    takes_rest = given.variadic and positional == len(given.names)
    if takes_rest and not has_dout:
        passed += (("", "dout"),) * given.outputs
        positional = len(passed)
    untold = tuple(name for name in given.required if name not in sources)
    return Plan(passed, min(positional, len(passed)), untold)


def _positional(sources: Mapping[str, str], given: Given) -> int:
    """How many of the arguments go by position: those before the first that is left out, or goes by keyword alone."""
    for i, name in enumerate(given.names):
        if name not in sources or name in given.by_keyword:
            return i
    return len(given.names)


def douts_in_order(sources: Mapping[str, str], given: Given) -> Sources:
    """Each of several douts to the output whose name it bears, where the names say that of all of them."""
    douts = _given_dout(sources)
    names = [name for name in given.returned[: given.outputs] if isinstance(name, str)]
    all_named = len(douts) == len(set(names)) == given.outputs
    if given.outputs < 2 or not all_named:
        return dict(sources)
    whose = {name: partner(name, names) for name in douts}
    if set(whose.values()) != set(names):
        return dict(sources)
    numbered = {name: f"dout {names.index(own)}" for name, own in whose.items() if own is not None}
    return {**sources, **numbered}


def _given_dout(sources: Mapping[str, str]) -> list[str]:
    return [name for name, source in sources.items() if source == "dout"]


def distinct(found: Iterable[Plan]) -> tuple[Plan, ...]:
    """The plans, each once, in their order, and no more than can be tried."""
    return tuple(dict.fromkeys(found))[:MOST]
