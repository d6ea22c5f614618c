"""Promises about the lists params and grads: their arrays stay the same ones, for a net and an optimizer hold them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradproof.contract.promise import Promise
from gradproof.contract.session import Array, Scene
from gradproof.contract.states import arrays_in, layer_of, parts
from gradproof.values import Defect

_HELD = "a net collects the arrays once (self.grads += layer.grads): what stands in the list later, it never sees"
_MODEL = "a net that holds this one has collected the arrays; whoever reads grads after each backward sees the new ones"


def lists(scene: Scene) -> Iterator[Defect]:
    """Compare the arrays in params and grads before and after the calls, as objects."""
    session = scene.session()
    layer = layer_of(session.subject)
    if "in place" not in session.subject.promises:
        return
    before = arrays_in(layer, "params")
    names = {id(array): name for name, array in session.subject.parameters().items()}
    output = session.forward(scene.inputs)
    built_lazily = len(before) != len(arrays_in(layer, "params"))
    if not built_lazily:
        yield from _params_rebound("forward", before, arrays_in(layer, "params"), names)
    before, grads, length = arrays_in(layer, "params"), arrays_in(layer, "grads"), len(layer.grads)
    session.backward(scene.douts(output))
    yield from _params_rebound("backward", before, arrays_in(layer, "params"), names)
    after = arrays_in(layer, "grads")
    if length < len(layer.grads) and before:
        yield _filled_late(length, len(layer.grads), _severity(layer))
    else:
        placeholders = {name: np.zeros(0) for name in after if name not in grads}
        yield from _rebound("GP518", "backward", {**grads, **placeholders}, after, _severity(layer))


def _severity(layer: Any) -> str:
    """A whole model is seldom a part of another one: its optimizer may well read grads after each backward."""
    return "warning" if len(parts(layer)) > 1 else "error"


def _params_rebound(
    call: str, before: Mapping[str, Array], after: Mapping[str, Array], names: Mapping[int, str]
) -> Iterator[Defect]:
    """One defect for each parameter, by its name."""
    for slot, array in before.items():
        if slot in after:
            for defect in _rebound("GP519", call, {slot: array}, after, "error"):
                yield replace(defect, tensor=names.get(id(array)))


def _rebound(
    code: str, call: str, before: Mapping[str, Array], after: Mapping[str, Array], severity: str
) -> Iterator[Defect]:
    moved = [name for name in before if name in after and not _is_same(before[name], after[name])]
    if not moved:
        return
    name = moved[0].partition("[")[0]
    seen = f"{moved[0]} is another array after {call} than before it"
    advice = f"write into the array that is there, self.{moved[0]}[...] = ...; bind neither it nor self.{name} anew"
    why = _MODEL if severity == "warning" else _HELD
    lines = (("seen", seen), ("why it matters", why), ("what to do", advice))
    yield Defect(code, f"{call} puts new arrays into {name}", None, lines, severity)


def _filled_late(before: int, after: int, severity: str) -> Defect:
    seen = f"grads has {before} entries before the first backward, {after} after it"
    advice = "make them in the constructor: self.grads = [np.zeros_like(p) for p in self.params]; fill them in place"
    lines = (("seen", seen), ("why it matters", _HELD), ("what to do", advice))
    return Defect("GP518", "grads is only made by backward", None, lines, severity)


def _is_same(one: Array, other: Array) -> bool:
    """The same array, or another view of it."""
    return one is other or (one.size > 0 and bool(np.shares_memory(one, other)))


PROMISES = (Promise(lists, 210, {"GP518": ("list rebound",), "GP519": ("list rebound",)}),)
