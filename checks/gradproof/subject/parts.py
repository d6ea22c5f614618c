"""The parts of a composite layer, and what passes between them: each call recorded on the way; it judges nothing."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradproof.convention.convention import Convention, convention_of

MOST = 64  # parts that are followed: a net that a student writes has fewer


@dataclass(eq=False)
class Part:
    """A layer object inside another: where it stands, how it is called, and a copy as it was before the first call."""

    path: str
    layer: Any
    convention: Convention
    fresh: Any


@dataclass(eq=False)
class Call:
    """One call of a part's forward in one forward of the whole; ``douts`` are what its backward was then given."""

    part: Part
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    output: Any
    douts: list[Any] = field(default_factory=list[Any])


@dataclass(eq=False)
class Recorder:
    """Wraps the parts of a live composite and records their calls.

    ``moved``: the number of a call in each forward, and what is added to its output.
    """

    parts: list[Part]
    calls: list[Call] = field(default_factory=list[Call])
    moved: tuple[int, NDArray[np.float64]] | None = None

    def __post_init__(self) -> None:
        for part in self.parts:
            self._wrap(part)

    def _wrap(self, part: Part) -> None:
        forward, backward = (getattr(part.layer, n) for n in (part.convention.forward, part.convention.backward))

        def recorded_forward(*args: Any, **kwargs: Any) -> Any:
            number = len(self.calls)
            kept = copy.deepcopy((args, kwargs))
            self.calls.append(Call(part, *kept, None))  # before: parts that are called inside come after
            output = forward(*args, **kwargs)
            if self.moved is not None and self.moved[0] == number:
                output = np.asarray(output, dtype=np.float64) + self.moved[1]
            self.calls[number].output = copy.deepcopy(output)
            return output

        def recorded_backward(*args: Any, **kwargs: Any) -> Any:
            mine = [call for call in self.calls if call.part is part]
            if mine:  # the last call that waits for its dout: backward goes through them in reverse
                waiting = [call for call in mine if not call.douts]
                given = copy.deepcopy(args[0] if args else next(iter(kwargs.values()), None))
                (waiting or mine)[-1].douts.append(given)
            return backward(*args, **kwargs)

        setattr(part.layer, part.convention.forward, recorded_forward)
        setattr(part.layer, part.convention.backward, recorded_backward)


STATES = "_gradproof_states"  # the attribute that holds what a remembering part has kept for each call


def let_remember(part: Part, calls: int) -> None:
    """Give a part a memory for each of its ``calls`` in one forward: backward finds what the one it belongs to left.

    The last forward comes first, as backward goes through them in reverse. A part whose class cannot be replaced stays
    as it is.
    """
    cls, forward, backward = type(part.layer), part.convention.forward, part.convention.backward

    def remembering_forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        output = getattr(cls, forward)(self, *args, **kwargs)
        kept = {name: value for name, value in vars(self).items() if name != STATES}
        vars(self)[STATES] = [kept, *vars(self).get(STATES, ())][:calls]
        return output

    def remembering_backward(self: Any, *args: Any, **kwargs: Any) -> Any:
        first, *others = vars(self).get(STATES) or [{}]
        vars(self).update(first)
        vars(self)[STATES] = [*others, first]  # another backward after the same forward begins anew
        return getattr(cls, backward)(self, *args, **kwargs)

    methods = {forward: remembering_forward, backward: remembering_backward}
    with contextlib.suppress(TypeError):
        part.layer.__class__ = type(cls.__name__, (cls,), methods)


def parts_of(layer: Any) -> list[Part]:
    """The layer objects that a layer holds in its attributes, lists and dicts, each once; [] for no composite.

    An object whose methods cannot be replaced on the instance, or that cannot be copied, is passed over.
    """
    found: dict[int, Part] = {}
    for path, thing in _held(layer):
        convention = _convention_of(thing)
        if convention is None or thing is layer or id(thing) in found or len(found) >= MOST:
            continue
        try:
            found[id(thing)] = Part(path, thing, convention, copy.deepcopy(thing))
        except Exception:
            continue
    return list(found.values())


def _convention_of(thing: Any) -> Convention | None:
    """How an object is called; None where it is no layer, or its methods cannot be replaced on the instance."""
    convention = None if isinstance(thing, type) else convention_of(type(thing))
    if convention is None or not hasattr(thing, "__dict__"):
        return None
    return None if "__call__" in (convention.forward, convention.backward) else convention


def _held(layer: Any) -> Iterator[tuple[str, Any]]:
    for name, value in list(getattr(layer, "__dict__", {}).items()):
        yield name, value
        if isinstance(value, dict):
            yield from ((f"{name}[{key!r}]", item) for key, item in value.items())
        elif isinstance(value, (list, tuple)):
            yield from ((f"{name}[{i}]", item) for i, item in enumerate(value))
