"""One way to call backward: which of its arguments gets the upstream gradient, the cache, a value of forward's."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import Parameter
from types import CodeType, FunctionType
from typing import Any

from gradproof.convention.argument_names import role_of
from gradproof.convention.descent import RATE, Descent

_UNTOLD = (
    "backward takes {}, and nothing says what it is given: call an argument as forward calls its own to get that value "
    "again, cache for forward's second output, dout or d... for the upstream gradient, gradients for a dict to be "
    "filled, or give it a default"
)
_WORDS = {
    "dout": "dout",
    "douts": "all douts in a tuple",
    "cache": "the cache",
    "rate": "a learning rate",
    "optimizer": "an optimizer",
    "count": "1",
    "store": "a dict to fill",
    "nothing": "None",
    "output 0": "the output",
}


@dataclass(frozen=True)
class Plan:
    """How backward is called: each argument that is passed, in order, with where its value comes from.

    A source is "dout" (the next), "dout " and the number of an output, "douts" (all of them, as one tuple), "cache",
    "rate", "optimizer" (one of ours), "count" (the step, or layer), "store" (a dict that backward fills), "input "
    and the name of an argument of forward, "output " and the place of a value among all that forward returned, or
    "nothing" (None). The first ``positional`` of the arguments go by position, the others by keyword. ``untold``: the
    arguments without a default for which nothing says what they are given; ``guessed``: those for which nothing but a
    trial says it. ``receiver``: the input whose gradient a single returned array is; None where the usual rules say it.
    ``jacobian``: what is returned is the derivative of each output, which still is to be multiplied by dout.
    """

    sources: tuple[tuple[str, str], ...] = ()
    positional: int = 0
    untold: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()
    receiver: str | None = None
    jacobian: bool = False

    @functools.cached_property
    def takes_dout(self) -> bool:
        """Whether an upstream gradient has an effect on what is returned."""
        return self.jacobian or any(source.startswith("dout") for _, source in self.sources)

    @functools.cached_property
    def takes_inputs(self) -> bool:
        """Whether it is given what forward was."""
        return any(source.startswith("input ") for _, source in self.sources)

    @functools.cached_property
    def only_dout(self) -> str | None:
        """The argument that gets the only upstream gradient; None where there is none, or more."""
        names = [name for name, source in self.sources if source == "dout" and name]
        return names[0] if len(names) == 1 and self.takes_dout else None

    @property
    def takes_rate(self) -> bool:
        """Whether it is given a learning rate or an optimizer: then it updates the weights itself."""
        return any(source in ("rate", "optimizer") for _, source in self.sources)

    @property
    def takes_cache(self) -> bool:
        """Whether it is given the cache."""
        return any(source == "cache" for _, source in self.sources)

    @property
    def without_guesses(self) -> Plan:
        """The plan that knows no more than the names say."""
        return replace(self, untold=(*self.untold, *self.guessed), guessed=())

    @property
    def refusal(self) -> str | None:
        """What to do about the arguments that are untold, in a sentence; None where there are none."""
        return _UNTOLD.format(", ".join(self.untold)) if self.untold else None

    @property
    def description(self) -> str:
        """What each argument is given and what is returned, in words: "res=the cache, g=dout"."""
        given = [f"{name}={_in_words(source)}" if name else _in_words(source) for name, source in self.sources]
        told = ", ".join(given) or "nothing"
        told += f"; it returns the gradient of {self.receiver}" if self.receiver else ""
        return told + ("; it returns the Jacobian, which is multiplied by dout" if self.jacobian else "")

    def bind(
        self,
        douts: Sequence[Any],
        inputs: Mapping[str, Any],
        cache: Any = None,
        rate: float = RATE,
        store: dict[Any, Any] | None = None,
        outputs: Sequence[Any] = (),
    ) -> tuple[list[Any], dict[str, Any]]:
        """The arguments themselves, as (args, kwargs). outputs: all that forward returned."""
        upstream = iter(douts)
        fixed: dict[str, Any] = {"douts": tuple(douts), "cache": cache, "rate": rate, "store": store, "nothing": None}
        fixed |= {"optimizer": Descent(rate), "count": 1}
        fixed |= {f"dout {i}": dout for i, dout in enumerate(douts)}
        fixed |= {f"output {i}": output for i, output in enumerate(outputs)}
        fixed |= {f"input {name}": value for name, value in inputs.items()}
        values = [(name, next(upstream) if source == "dout" else fixed.get(source)) for name, source in self.sources]
        return [value for _, value in values[: self.positional]], dict(values[self.positional :])


def _in_words(source: str) -> str:
    kind, _, which = source.partition(" ")
    if source in _WORDS:
        return _WORDS[source]
    return which if kind == "input" else f"{kind} {which} of forward"


def takes_cache(theirs: Callable[..., Any]) -> bool:
    """Whether it asks for a cache by name."""
    return any(role_of(name) == "cache" for name, _ in arguments(theirs))


def arguments(theirs: Callable[..., Any]) -> tuple[tuple[str, bool], ...]:
    """The names of its arguments, each with whether it has no default; nothing where they cannot be read."""
    if isinstance(theirs, FunctionType):
        return _arguments_of(theirs, theirs.__code__)
    return _read_arguments(theirs)


@functools.lru_cache(maxsize=256)  # asked after every forward
def _arguments_of(function: FunctionType, code: CodeType) -> tuple[tuple[str, bool], ...]:
    """code: the function's own, which a change of the source replaces."""
    del code
    return _read_arguments(function)


def _read_arguments(theirs: Callable[..., Any]) -> tuple[tuple[str, bool], ...]:
    try:
        found = inspect.signature(theirs).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple((p.name, p.default is Parameter.empty) for p in found)


def default_dout(theirs: Callable[..., Any], how: Plan) -> float | None:
    """The number that backward takes for its one dout where it is called without one; None where it needs one."""
    return None if how.only_dout is None else _default_number(theirs, how.only_dout)


@functools.lru_cache(maxsize=256)  # asked after every forward
def _default_number(theirs: Callable[..., Any], name: str) -> float | None:
    default = inspect.signature(theirs).parameters[name].default
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
