"""Promises of what is put together: an update reaches forward, and a net lists what its layers hold.

It knows arrays and lists by identity; whether a gradient is right it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradproof.contract.promise import Promise
from gradproof.contract.promises.linearity import COARSE
from gradproof.contract.session import Array, Scene, Session, same, within
from gradproof.contract.states import arrays_in, layer_of, parts
from gradproof.convention.leaves import Path, at, leaves, text
from gradproof.values import Defect


def updates(scene: Scene) -> Iterator[Defect]:
    """An array in params of which forward uses a copy: an update of the one never changes the other."""
    # at the author's own values: of two copies that he made, only one would be drawn
    session = scene.session(replace(scene.example, made={}))
    if layer_of(session.subject) is None:
        return
    session.backward(scene.douts(session.forward(scene.inputs)))
    parameters = session.subject.parameters()
    known = {id(array) for array in parameters.values()}
    held = {p: v for p, v in leaves(layer_of(session.subject)).items() if id(v) not in known}
    for name, array in parameters.items():
        twins = [path for path, value in held.items() if _is_twin(value, array)]
        used = _used_instead(session, scene, array, twins)
        if used is not None:
            yield _unreached(name, text(used))


def _used_instead(session: Session, scene: Scene, array: Array, twins: Sequence[Path]) -> Path | None:
    """Which of the arrays like this one forward uses in its place; None where it uses this one."""
    if not twins or _answers(session, scene, array):
        return None
    layer = layer_of(session.subject)
    return next((path for path in twins if _answers(session, scene, at(layer, path))), None)


def _is_twin(value: Any, array: Array) -> bool:
    alike = isinstance(value, np.ndarray) and value.shape == array.shape and value.dtype.kind == "f"
    return alike and not np.shares_memory(value, array) and np.array_equal(value, array)


def _answers(session: Session, scene: Scene, array: Array) -> bool:
    """Say whether the output changes with the array, which is put back."""
    before = array.copy()
    outputs = []
    rng = np.random.default_rng(scene.example.seed)
    for value in (before, 1.25 * before + rng.standard_normal(before.shape)):
        array[...] = value
        scene.random.rewind()
        outputs.append(session.forward(scene.inputs))
    array[...] = before
    return any(not same(outputs[0].then[name], outputs[1].then[name]) for name in outputs[0].then)


def _unreached(name: str, used: str) -> Defect:
    lines = (
        ("seen", f"params holds one array for {name}, forward uses another, self.{used}: both have the same values, "
         "and only a change of the second one changes the output"),
        ("why it matters", "the optimizer updates the arrays in params: this layer never learns"),
        ("what to do", f"keep one array: put self.{used} itself into params (no copy), and never bind it anew"),
    )  # fmt: skip
    return Defect("GP520", f"an update of {name} does not reach forward", name, lines)


def members(scene: Scene) -> Iterator[Defect]:
    """The lists of a net against those of the layers in it."""
    session = scene.session()
    net = layer_of(session.subject)
    if net is None or "in place" not in session.subject.promises:
        return
    douts = scene.douts(session.forward(scene.inputs))
    layers = {path: layer for path, layer in parts(net).items() if path}
    before = {id(array) for layer in layers.values() for array in arrays_in(layer, "grads").values()}
    session.backward(douts)
    unlisted = next(_unlisted(net, layers), None)
    if unlisted is not None:
        yield _lost(unlisted)
        return
    yield from _out_of_step(session, net, layers, before)


def _unlisted(net: Any, layers: Mapping[str, Any]) -> Iterator[str]:
    """The places in the layers' params whose array is none of the net's params."""
    own = list(arrays_in(net, "params").values())
    for path, layer in layers.items():
        for slot, array in arrays_in(layer, "params").items():
            if not _share_memory([array], own):
                yield f"{path}.{slot}"


def _share_memory(some: Sequence[Array], others: Sequence[Array]) -> bool:
    return any(np.shares_memory(one, other) for one in some for other in others)


def _lost(where: str) -> Defect:
    lines = (
        ("seen", f"no entry of the net's params is self.{where}"),
        ("why it matters", "an optimizer updates what stands in params: this layer keeps its first values for ever"),
        ("what to do", "collect them: self.params += layer.params and self.grads += layer.grads, for every layer; "
         "a layer that is frozen on purpose says so: # gradproof: allow GP521"),
    )  # fmt: skip
    return Defect("GP521", "the net's params lack those of a layer", None, lines, "warning")


def _out_of_step(session: Session, net: Any, layers: Mapping[str, Any], before: set[int]) -> Iterator[Defect]:
    """A place in the net's grads that holds nothing of what its layers keep for the same parameter.

    before: the arrays in the layers' grads before backward, by identity. Layers hold each other and may share a
    parameter: an array counts once, and the net may keep one of them or the sum.
    """
    kept, _ = session.subject.gradients()
    for name, array in session.subject.parameters().items():
        mine = _gradients_for(net, array)
        theirs = _gradients_in(layers, array)
        held = [gradient for _, gradient in theirs.values() if gradient.shape == array.shape]
        if not mine or not held or _share_memory(mine, held):
            continue
        if _is_another(kept.get(name), held):
            where = next(path for path, _ in theirs.values())
            yield _rebound(name, where) if theirs.keys().isdisjoint(before) else _slot(name, where)


def _is_another(value: Any, held: Sequence[Array]) -> bool:
    """Whether a gradient is none of those that layers hold, nor their sum, where that is not zero."""
    total = np.sum(held, axis=0)
    return isinstance(value, np.ndarray) and total.any() and not _is_near_any(value, [*held, total])


def _gradients_in(layers: Mapping[str, Any], array: Array) -> dict[int, tuple[str, Array]]:
    """The gradients that layers keep for a parameter, by identity, each with the path of the last layer that does."""
    found: dict[int, tuple[str, Array]] = {}
    for path, layer in layers.items():
        for gradient in _gradients_for(layer, array):
            found[id(gradient)] = (path, gradient)
    return found


def _gradients_for(layer: Any, array: Array) -> list[Array]:
    """What stands in grads at the places of this array in params."""
    params, grads = arrays_in(layer, "params"), arrays_in(layer, "grads")
    places = [slot.replace("params", "grads") for slot, mine in params.items() if mine is array]
    return [grads[place] for place in places if place in grads]


def _is_near_any(one: Array, others: Sequence[Array]) -> bool:
    return any(one.shape == other.shape and within(one, other, COARSE) for other in others)


def _rebound(name: str, where: str) -> Defect:
    lines = (
        ("seen", f"backward of self.{where} puts new arrays into its grads; the net's grads still hold the old ones"),
        ("why it matters", "an optimizer reads the net's lists: the gradient must stand at the place of its parameter"),
        ("what to do", f"let the layer write into the array that it has, self.grads[i][...] = ..., in self.{where}; or "
         "collect grads anew after every backward"),
    )  # fmt: skip
    headline = f"the layer's gradient of {name} is a new array, which the net's grads do not hold"
    return Defect("GP521", headline, name, lines, kind="rebound")


def _slot(name: str, where: str) -> Defect:
    lines = (
        ("seen", f"the net's gradient of {name} is none of those in self.{where}.grads after backward"),
        ("why it matters", "an optimizer reads the net's lists: the gradient must stand at the place of its parameter"),
        ("what to do", "collect params and grads in the same order, after every layer exists, and let each layer write "
         "into the arrays that it had then: self.grads[i][...] = ..."),
    )  # fmt: skip
    return Defect("GP521", f"the net's grads do not hold the layer's gradient of {name}", name, lines)


PROMISES = (
    Promise(updates, 220, {"GP520": ("lists out of step",)}),
    Promise(members, 230, {"GP521": ("lists out of step",)}, {"rebound": ("list rebound", "lists out of step")}),
)
