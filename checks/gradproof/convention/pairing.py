"""Which arrays of an object are its parameters, and where it keeps their gradients: by name or slot, never by value.

It reads the object as it stands; whether an array has any influence is not its question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradproof.convention import leaves
from gradproof.convention.gradnames import STRICT, pairs, words
from gradproof.convention.leaves import MISSING, Path, Step
from gradproof.guard import read
from gradproof.values import Defect

Array = NDArray[Any]
Paths = Mapping[str, tuple[Path, ...]]

PARAMS, GRADS = Step("params", True), Step("grads", True)
BOOK = frozenset({"in place", "overwrites"})  # what params and grads promise, as two lists that a net collects


def is_listed(layer: object) -> bool:
    """Whether the object says itself what its parameters are, in ``params``: then nothing else is one."""
    return isinstance(read(layer, "params"), (list, tuple, dict))


def is_book(layer: object) -> bool:
    """Whether it keeps the book's promise: params and grads, one list beside the other."""
    return all(isinstance(read(layer, name), (list, tuple)) for name in ("params", "grads"))


def parameters(layer: object) -> dict[str, Array]:
    """The arrays that may be parameters, each under one name.

    Those in ``params``, where the object has it; else every float array that is not another's gradient by its name.
    """
    if not is_listed(layer):
        return unpaired(layer, ())
    arrays = {path: value for path, value in leaves.leaves(layer).items() if isinstance(value, np.ndarray)}
    members = {id(value): value for path, value in arrays.items() if path[0] == PARAMS}
    outside = {path: value for path, value in arrays.items() if path[0] != GRADS}
    groups = [_places_of(value, outside) for value in members.values()]
    return dict(zip(_names(groups), members.values(), strict=True))


def _places_of(array: object, found: Mapping[Path, Any]) -> tuple[Path, ...]:
    return tuple(path for path, value in found.items() if value is array)


def _is_of_floats(value: object) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def unpaired(layer: object, known: Sequence[Array]) -> dict[str, Array]:
    """The float arrays that are not the gradient of anything by their name, and share no memory with those known."""
    found = leaves.leaves(layer)
    gradients = _paths_of_gradients(found)
    groups: dict[int, tuple[Path, ...]] = {}
    for path, value in found.items():
        may_be_parameter = path and path not in gradients and _is_of_floats(value)
        if may_be_parameter and not any(np.may_share_memory(value, array) for array in known):
            groups[id(value)] = (*groups.get(id(value), ()), path)
    own = [group for group in groups.values() if not all(map(leaves.is_handed_out, group))]
    return dict(zip(_names(own), (found[group[0]] for group in own), strict=True))


def _paths_of_gradients(found: Mapping[Path, Any]) -> set[Path]:
    """The paths that are of a gradient by their names, and those of the arrays that a method hands out as one."""
    paths = set(pairs(list(found), list(found)).values())
    gradients = {id(found[path]) for path in paths if leaves.is_handed_out(path)}  # under a name that says nothing
    return paths | {path for path, value in found.items() if id(value) in gradients and isinstance(value, np.ndarray)}


def places(layer: object, known: Mapping[str, Array]) -> Paths:
    """Every path that leads to each of these arrays."""
    found = leaves.leaves(layer)
    return {name: _places_of(array, found) for name, array in known.items()}


def _names(groups: Sequence[tuple[Path, ...]]) -> tuple[str, ...]:
    short = [_short(group) for group in groups]
    return tuple(
        name if short.count(name) == 1 else leaves.text(group[0]) for name, group in zip(short, groups, strict=True)
    )


def _short(group: Sequence[Path]) -> str:
    """The author's name: an attribute's or a key's, before a place in a list, without containers that say nothing."""
    best = min(group, key=lambda path: (not isinstance(path[-1].key, str), len(path)))
    if not isinstance(best[-1].key, str):
        return leaves.text(best)
    nexts = (*best[1:], None)
    telling = [
        step
        for step, word, after in zip(best, words(best, 2), nexts, strict=True)
        if word or not (after is None or isinstance(after.key, str))
    ]
    if not telling or not isinstance(telling[0].key, str):
        return leaves.text(best)
    return leaves.text((Step(telling[0].key, True), *telling[1:]))


def slots(layer: object, known: Paths, levels: int = STRICT) -> Paths:
    """Where the gradient of each parameter is kept; a parameter without such a place is left out.

    levels: of likeness between the two names, see ``gradnames``. A shared array has one place for each place where it
    stands itself. Of several names for one place, as in ``dW`` beside ``grads["W"]``, one counts.
    """
    matched = _matched(layer, [path for paths in known.values() for path in paths], levels)
    found: dict[str, tuple[Path, ...]] = {}
    for name, paths in known.items():
        paired = [path for path in paths if path in matched]
        if paired:
            found[name] = tuple(matched[path] for path in _one_container(paired))
    return found


def _matched(layer: object, parameters: Sequence[Path], levels: int) -> Mapping[Path, Path]:
    """The path of the gradient for that of each parameter: in ``grads`` alone, where the object has both lists."""
    mine = set(parameters)
    others = [path for path in leaves.leaves(layer) if path and path not in mine]
    if is_listed(layer) and read(layer, "grads") is not None:
        listed = [path for path in parameters if path[0] == PARAMS]
        return pairs(listed, [path for path in others if path[0] == GRADS], levels)
    return pairs(parameters, others, levels)


def _one_container(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Of one object's places for one array, those in one container: the innermost one."""
    containers: dict[Path, Path] = {}
    for path in paths:
        owner = path[: max(i for i, step in enumerate(path) if step.attribute)]
        if len(path[:-1]) >= len(containers.get(owner, ())):
            containers[owner] = path[:-1]
    return tuple(path for path in paths if path[:-1] in containers.values())


def kept(layer: object, places: Sequence[Path]) -> Any:
    """The gradient that stands at these places: the sum of what each of them adds."""
    return added([None if (value := leaves.at(layer, place)) is MISSING else value for place in places])


def added(parts: Sequence[Any]) -> Any:
    """The gradient of an array that stands in several places: what each place adds. One gradient counts once."""
    distinct = list({id(part): part for part in parts}.values())
    arrays = [part for part in distinct if isinstance(part, np.ndarray)]
    shapes = {array.shape for array in arrays}
    if len(distinct) == 1 or len(arrays) < len(distinct) or len(shapes) > 1:
        return next((part for part in distinct if not isinstance(part, np.ndarray)), distinct[-1])
    return np.sum(arrays, axis=0)


def clear(layer: object, places: Sequence[Path]) -> None:
    """Zeros at these places: a layer that adds to its gradients starts from nothing."""
    for place in places:
        value = leaves.at(layer, place)
        if isinstance(value, np.ndarray) and value.flags.writeable and value.dtype.kind == "f":
            value[...] = 0
        elif isinstance(value, (float, np.floating)):
            leaves.put(layer, place, 0.0)


def told(places: Paths) -> str:
    """The pairing in words: ``W from dW, b from db``."""
    texts = {name: " + ".join(map(leaves.text, paths)) for name, paths in places.items()}
    return ", ".join(f"{name} from {text}" for name, text in texts.items())


COUNT = "count"  # the kind of a defect: lists of another length, so that no gradient has its parameter


def unlike(layer: object, places: Paths) -> tuple[Defect, ...]:
    """What is wrong with params and grads as lists: none where there are no such lists."""
    params, grads = read(layer, "params"), read(layer, "grads")
    if not isinstance(params, (list, tuple)):
        return ()
    if grads is None:
        return (_grads_missing(layer),) if _is_grads_meant(layer, params, places) else ()
    if not len(params) or not isinstance(grads, (list, tuple)) or len(grads) == len(params):
        return ()
    headline = f"grads has {len(grads)} entries, params has {len(params)}"
    advice = "keep one gradient for each parameter, in the same order"
    return (Defect("GP205", headline, None, (("what to do", advice),), kind=COUNT),)


def _is_grads_meant(layer: object, params: Sequence[Any], places: Paths) -> bool:
    """Whether a layer without grads should have it: no gradient stands elsewhere, and there is something to be listed.

    Without parameters, only a list under another name shows that grads was meant to be there.
    """
    lists = [name for name in _close(layer) if isinstance(read(layer, name), list)]
    elsewhere = [path for paths in places.values() for path in paths if path[0].key not in lists]
    return bool(len(params) or lists) and not elsewhere


def _close(layer: object) -> list[str]:
    return [name for name in vars(layer) if name.lower().startswith("grad") and name != "grads"]


def _grads_missing(layer: object) -> Defect:
    close = _close(layer)
    set_it = "set self.grads beside self.params in the constructor"
    hint = f"the layer has self.{close[0]}: did you mean self.grads?" if close else set_it
    advice = ("why it matters", "a net collects layer.params and layer.grads: without grads that raises AttributeError")
    return Defect("GP205", "the layer has params but no grads", None, (advice, ("what to do", hint)))
