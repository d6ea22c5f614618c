"""What a layer says of its own state: whether it keeps one on purpose, and which of its parts are layers themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradproof.contract.session import Session
from gradproof.convention.leaves import at, leaves, text
from gradproof.guard import read
from gradproof.subject.subject import Subject

_RESETS = ("reset", "resetstate", "resetstates", "resethidden", "initstate", "inithidden")
_CLEARS = ("zerograd", "cleargrad", "resetgrad")  # and what goes on from there: zero_gradients, clear_grads
_STATES = ("stateful", "keepsstate")


def layer_of(subject: Subject) -> Any:
    """The object under check, or None where functions are."""
    return getattr(subject, "layer", None)


def keeps_state(subject: Subject) -> bool:
    """Say whether the layer, or one in it, declares a state: stateful=True, or a method that resets it."""
    return any(_declares(part) for part in parts(layer_of(subject)).values())


def _declares(part: Any) -> bool:
    names = {_plain(name): name for name in dir(part) if not name.startswith("__")}
    flags = [getattr(part, names[name], None) for name in _STATES if name in names]
    return any(flag is not None and bool(flag) for flag in flags) or (not flags and any(n in names for n in _RESETS))


def clears_grads(layer: Any) -> bool:
    """Say whether it has a method that sets its gradients to zero: then it adds to them on purpose."""
    return any(_plain(name).startswith(_CLEARS) for name in dir(layer))


def collects(session: Session) -> bool:
    """Whether the layer appends to lists by design, until it is told to forget; the book's layers have no such call."""
    before = session.subject.drawn()
    session.forward(session.given.then)
    grown = session.subject.drawn()[-1] != before[-1]
    return grown and not session.subject.promises


def parts(layer: Any) -> dict[str, Any]:
    """The layer, under the name "", and each object with a backward that it holds, by its path."""
    found = {"": layer}
    visited = {id(layer)}
    for path in leaves(layer):
        for length in range(1, len(path)):
            part = at(layer, path[:length])
            if id(part) not in visited and callable(getattr(part, "backward", None)):
                found[text(path[:length])] = part
            visited.add(id(part))
    return found


def arrays_of(subject: Subject, name: str) -> dict[str, NDArray[Any]]:
    """The arrays in the list ``name`` (params or grads) of the layer, as ``grads[0]``; nothing where it has no list."""
    return arrays_in(layer_of(subject), name)


def arrays_in(layer: Any, name: str) -> dict[str, NDArray[Any]]:
    """The arrays in the list ``name`` of an object."""
    listed = read(layer, name)
    if not isinstance(listed, (list, tuple)):
        return {}
    return {f"{name}[{i}]": array for i, array in enumerate(listed) if isinstance(array, np.ndarray)}


def _plain(name: str) -> str:
    return name.lower().replace("_", "")
