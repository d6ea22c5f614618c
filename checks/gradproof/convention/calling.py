"""What backward is called with: the upstream gradients, forward's arguments, a cache, a learning rate, as it asks."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

from gradproof.convention.descent import RATE, RATES, Descent, is_optimizer
from gradproof.convention.gradnames import partner

CACHES = frozenset({"cache", "caches", "ctx", "context", "saved", "memory", "tape"})
# beside a learning rate or an optimizer: which step it is, and of which layer
COUNTS = frozenset(
    {"key", "id", "idx", "index", "layer_id", "layer_idx", "layer_index", "epoch", "iteration", "t", "step"}
)
STORES = frozenset({"gradients", "grads", "parameter_gradients", "param_grads", "grad_dict", "grads_dict"})
LOCAL = frozenset({"grad", "gradient", "derivative", "deriv", "prime"})  # methods that are given x, as a function is
_GRADIENT = re.compile("d|grad|delta|err|up", re.IGNORECASE)  # how the name of an upstream gradient begins
_ANSWER = re.compile(r"t$|y$|.*(true|target|label|truth|actual)", re.IGNORECASE)  # what a loss compares with
_INPUT = re.compile(
    r"[axz]\d*|x_.*|inp|in|data|values?|.*inputs?|.*prev.*", re.IGNORECASE
)  # x, as backward may call it
_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)

_UNTOLD = (
    "backward takes {}, and nothing says what it is given: call an argument as forward calls its own to get that value "
    "again, cache for forward's second output, dout or d... for the upstream gradient, gradients for a dict to be "
    "filled, or give it a default"
)


@dataclass(frozen=True)
class Plan:
    """How backward is called: each argument that is passed, in order, with where its value comes from.

    A source is "dout" (the next), "dout " and the number of an output, "douts" (all of them, as one tuple), "cache",
    "rate", "optimizer" (one of ours), "count" (the first step, or layer), "store" (a dict that backward fills), or
    "input " and the name of an argument of forward. The first ``positional`` of the arguments go by position, the
    others by keyword. ``untold``: the arguments without a default for which nothing says what they are given.
    """

    sources: tuple[tuple[str, str], ...] = ()
    positional: int = 0
    untold: tuple[str, ...] = ()

    @property
    def takes_dout(self) -> bool:
        """Whether an upstream gradient is passed at all."""
        return any(source.startswith("dout") for _, source in self.sources)

    @property
    def takes_rate(self) -> bool:
        """Whether it is given a learning rate or an optimizer: then it updates the weights itself."""
        return any(source in ("rate", "optimizer") for _, source in self.sources)

    @property
    def refusal(self) -> str | None:
        """What to do about the arguments that are untold, in a sentence; None where there are none."""
        return _UNTOLD.format(", ".join(self.untold)) if self.untold else None

    def bind(
        self,
        douts: Sequence[Any],
        inputs: Mapping[str, Any],
        cache: Any = None,
        rate: float = RATE,
        store: dict[Any, Any] | None = None,
    ) -> tuple[list[Any], dict[str, Any]]:
        """The arguments themselves, as (args, kwargs)."""
        upstream = iter(douts)
        fixed: dict[str, Any] = {"douts": tuple(douts), "cache": cache, "rate": rate, "store": store}
        fixed |= {"optimizer": Descent(rate), "count": 1}
        fixed |= {f"dout {i}": dout for i, dout in enumerate(douts)}
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
    returned: Sequence[Any] = (),
) -> Plan:
    """Read from backward's signature how it is called, where forward gave ``outputs`` outputs from ``inputs``.

    Arguments that bear the name of an argument of forward get its value, if enough others are left for dout.
    defaults: the arguments of forward that may be left out; returned: the names of the outputs in forward's return.
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
    if not cache:  # forward returned none: it is no dout for that
        free, needed = ([name for name in names if name.lower() not in CACHES] for names in (free, needed))
    if cache and "cache" not in known.values():
        known |= _cached(known, needed or free)
        free, needed = ([name for name in names if name not in known] for names in (free, needed))
    sources = _in_order(_filled(known, free, needed, outputs, inputs), outputs, returned)
    return _planned([p.name for p in named], required, sources)


def _planned(names: Sequence[str], required: Sequence[str], sources: Mapping[str, str]) -> Plan:
    passed = tuple((name, sources[name]) for name in names if name in sources)
    gap = next((i for i, name in enumerate(names) if name not in sources), len(names))
    return Plan(passed, min(gap, len(passed)), tuple(name for name in required if name not in sources))


def _known(names: Sequence[str], inputs: Sequence[str], cache: bool) -> dict[str, str]:
    known = {name: f"input {name}" for name in names if name in inputs}
    known |= {name: "rate" for name in names if name.lower() in RATES}
    known |= {name: "optimizer" for name in names if is_optimizer(name) and name not in inputs}
    if "rate" in known.values() or "optimizer" in known.values():
        known |= {name: "count" for name in names if name.lower() in COUNTS and name not in inputs}
    return known | {name: "cache" for name in names if cache and name.lower() in CACHES}


def _cached(known: Mapping[str, str], left: Sequence[str]) -> dict[str, str]:
    """Which argument is the cache, where none bears its name: the last that is left, unless that is dout.

    In ``backward(dout, x)`` it is x, whatever forward kept for it; with several such names each has its own value.
    """
    own = [name for name, source in known.items() if source.startswith("input ")]
    if own and len(left) == 1 and _GRADIENT.match(left[0]):
        return {own[0]: "cache"} if len(own) == 1 else {}
    return {left[-1]: "cache"}


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
    known: Mapping[str, str], free: Sequence[str], needed: Sequence[str], outputs: int, inputs: Sequence[str]
) -> dict[str, str]:
    """Give the free arguments their upstream gradients, and leave the other defaults alone."""
    sources = dict(known)
    stores = [name for name in free if name.lower() in STORES]
    rest = [name for name in needed if name not in stores]
    if stores and len(rest) >= outputs:  # else it is dout under that name
        sources |= dict.fromkeys(stores, "store")
        free, needed = [name for name in free if name not in stores], rest
    upstream = list(needed) + [name for name in free if name not in needed and _GRADIENT.match(name)]
    if len(needed) > outputs:  # only their names can say which of them are dout
        upstream = [name for name in needed if _GRADIENT.match(name) or "grad" in name.lower()]
        others = [name for name in needed if name not in upstream]
        if len(upstream) != outputs:
            return sources
        theirs = len(others) == len(inputs) and all(map(_INPUT.fullmatch, others))
        if theirs and not any(source.startswith("input ") for source in known.values()):  # under other names
            sources |= {name: f"input {own}" for name, own in zip(others, inputs, strict=True)}
    if outputs == 1 or len(upstream) < outputs:
        return sources | dict.fromkeys((upstream or list(free))[:1], "dout" if outputs == 1 else "douts")
    return sources | dict.fromkeys(upstream[:outputs], "dout")


def _in_order(sources: Mapping[str, str], outputs: int, returned: Sequence[Any]) -> dict[str, str]:
    """Each of several douts to the output whose name it bears, where the names say that of all of them."""
    douts = [name for name, source in sources.items() if source == "dout"]
    names = [name for name in returned[:outputs] if isinstance(name, str)]
    if outputs < 2 or len(douts) != outputs or len(set(names)) != outputs:
        return dict(sources)
    whose = {name: partner(name, names) for name in douts}
    if set(whose.values()) != set(names):
        return dict(sources)
    return {**sources, **{name: f"dout {names.index(own)}" for name, own in whose.items() if own is not None}}
