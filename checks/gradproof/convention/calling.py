"""What backward is called with: the upstream gradients, forward's arguments, a cache, a learning rate, as it asks."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

RATES = frozenset({"lr", "learning_rate", "learningrate", "learn_rate", "eta", "step_size"})
RATE = 1.0  # the weights then move by the gradient itself: no digit is lost by a division
CACHES = frozenset({"cache", "caches", "ctx", "context", "saved", "memory", "tape"})
LOCAL = frozenset({"grad", "gradient", "derivative", "deriv", "prime"})  # methods that are given x, as a function is
_GRADIENT = re.compile("d|grad|delta|err|up", re.IGNORECASE)  # how the name of an upstream gradient begins
_ANSWER = re.compile(r"t$|y$|.*(true|target|label|truth|actual)", re.IGNORECASE)  # what a loss compares with
_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Plan:
    """How backward is called: each argument that is passed, in order, with where its value comes from.

    A source is "dout", "douts" (all of them, as one tuple), "cache", "rate", or "input " and the name of an argument of
    forward. The first ``positional`` of the arguments go by position, the others by keyword.
    """

    sources: tuple[tuple[str, str], ...] = ()
    positional: int = 0

    @property
    def takes_dout(self) -> bool:
        """Whether an upstream gradient is passed at all."""
        return any(source in ("dout", "douts") for _, source in self.sources)

    @property
    def takes_rate(self) -> bool:
        """Whether it is given a learning rate: then it updates the weights itself."""
        return any(source == "rate" for _, source in self.sources)

    def bind(
        self, douts: Sequence[Any], inputs: Mapping[str, Any], cache: Any = None, rate: float = RATE
    ) -> tuple[list[Any], dict[str, Any]]:
        """The arguments themselves, as (args, kwargs)."""
        upstream = iter(douts)
        fixed: dict[str, Any] = {"douts": tuple(douts), "cache": cache, "rate": rate}
        fixed |= {f"input {name}": value for name, value in inputs.items()}
        values = [(name, next(upstream) if source == "dout" else fixed[source]) for name, source in self.sources]
        return [value for _, value in values[: self.positional]], dict(values[self.positional :])


def takes_cache(theirs: Callable[..., Any]) -> bool:
    """Whether it asks for a cache by name."""
    try:
        return any(name.lower() in CACHES for name in inspect.signature(theirs).parameters)
    except (TypeError, ValueError):
        return False


def default_dout(theirs: Callable[..., Any], how: Plan) -> float | None:
    """The number that backward takes for its one dout where it is called without one; None where it needs one."""
    names = [name for name, source in how.sources if source == "dout" and name]
    if len(names) != 1 or not how.takes_dout:
        return None
    default = inspect.signature(theirs).parameters[names[0]].default
    is_number = isinstance(default, (int, float)) and not isinstance(default, bool)
    return float(default) if is_number and default else None


@functools.lru_cache(maxsize=256)
def defaults_of(theirs: Callable[..., Any]) -> Mapping[str, Any]:
    """The defaults of its arguments, by name; nothing where they cannot be read."""
    try:
        found = inspect.signature(theirs).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {p.name: p.default for p in found if p.default is not Parameter.empty}


def _by_position(*sources: str) -> Plan:
    return Plan(tuple(("", source) for source in sources), len(sources))


def plan(
    theirs: Callable[..., Any],
    outputs: int,
    inputs: Sequence[str],
    *,
    cache: bool = False,
    defaults: Collection[str] = (),
) -> Plan:
    """Read from backward's signature how it is called, where forward gave ``outputs`` outputs from ``inputs``.

    Arguments that bear the name of an argument of forward get its value, if enough others are left for dout.
    defaults: the arguments of forward that may be left out.
    """
    try:
        found = list(inspect.signature(theirs).parameters.values())
    except (TypeError, ValueError):  # it has no readable signature: what the convention says
        return _by_position(*["dout"] * outputs, *["cache"] * cache)
    named = [p for p in found if p.kind in _POSITIONAL]
    if any(p.kind is Parameter.VAR_POSITIONAL for p in found) and not named:
        return _by_position(*["dout"] * outputs, *["cache"] * cache)
    required = [p.name for p in named if p.default is Parameter.empty]
    if not named:
        return Plan()
    defaults = [name for name in defaults if name not in inputs]
    upstream = any(_GRADIENT.match(name) and name not in inputs for name in required)
    if getattr(theirs, "__name__", "").lower() in LOCAL and len(required) == len(inputs) and not upstream:
        return _by_position(*(f"input {name}" for name in inputs))
    known = _known([p.name for p in named], inputs, cache)
    known |= {name: f"input {name}" for name in required if name in defaults and name not in known}
    free = [p.name for p in named if p.name not in known and p.name not in defaults]
    if not free and not _is_local(theirs, required, known, inputs):
        known = {name: source for name, source in known.items() if not source.startswith("input ")}
        free = [p.name for p in named if p.name not in known and p.name not in defaults]
    needed = [name for name in free if name in required]
    if cache and "cache" not in known.values():
        known[(needed or free)[-1]] = "cache"
        free, needed = ([name for name in names if name not in known] for names in (free, needed))
    return _filled([p.name for p in named], known, free, needed, outputs, inputs)


def _known(names: Sequence[str], inputs: Sequence[str], cache: bool) -> dict[str, str]:
    known = {name: f"input {name}" for name in names if name in inputs}
    known |= {name: "rate" for name in names if name.lower() in RATES}
    return known | {name: "cache" for name in names if cache and name.lower() in CACHES}


def _is_local(
    theirs: Callable[..., Any], required: Sequence[str], known: Mapping[str, str], inputs: Sequence[str]
) -> bool:
    """Whether forward's arguments are all that it takes: a function of x, or a loss that is given what it compares.

    One that takes forward's first argument alone calls dout by that name.
    """
    own = [name for name in required if known.get(name, "").startswith("input ")]
    answers = [name for name in own if name != inputs[0] or (len(inputs) > 1 and _ANSWER.fullmatch(name))]
    return getattr(theirs, "__name__", "").lower() in LOCAL or len(own) > 1 or bool(answers)


def _filled(
    names: Sequence[str],
    known: Mapping[str, str],
    free: Sequence[str],
    needed: Sequence[str],
    outputs: int,
    inputs: Sequence[str],
) -> Plan:
    """Give the free arguments their upstream gradients, and leave the other defaults alone."""
    sources = dict(known)
    upstream = list(needed) + [name for name in free if name not in needed and _GRADIENT.match(name)]
    if len(needed) > outputs and len(needed) - outputs == len(inputs):  # under names of its own: x first, then dout
        values = [f"input {name}" for name in inputs] + ["dout"] * outputs
        sources |= dict(zip(needed, values, strict=True))
    elif outputs == 1 or len(upstream) < outputs:
        sources |= dict.fromkeys((upstream or list(free))[:1], "dout" if outputs == 1 else "douts")
    else:
        sources |= dict.fromkeys(upstream[:outputs], "dout")
    passed = tuple((name, sources[name]) for name in names if name in sources)
    gap = next((i for i, name in enumerate(names) if name not in sources), len(names))
    return Plan(passed, min(gap, len(passed)))
