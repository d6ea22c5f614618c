"""The promises about dtypes: float32 stays float32, and where forward works in float64, so does backward."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradproof.contract.promise import Promise
from gradproof.contract.session import Array, Returned, Scene
from gradproof.guard import SubjectError
from gradproof.values import Defect

_WHY = "one float64 array makes every array after it float64: twice the memory and the time, or an error in the update"
_FORWARD = "look for np.zeros(...) without dtype=x.dtype, and for float64 numbers: np.sqrt(2) is one, 2 ** 0.5 is not"
_BACKWARD = "make the gradient like its tensor: np.zeros_like(W), dtype=x.dtype; np.sqrt(2) is float64, 2 ** 0.5 is not"


def narrow(scene: Scene) -> Iterator[Defect]:
    """Build the layer from float32 parameters and run it on float32 inputs, where it takes them."""
    example = replace(scene.example, init=_narrow(scene.example.init), inputs=_narrow(scene.inputs))
    try:
        session = scene.session(example, widen=False)
        before = session.parameters().then
        output = session.forward(example.inputs)
        own = {**before, **session.parameters().then}
        if any(array.dtype.kind == "f" and array.dtype != np.float32 for array in own.values()):
            return  # it makes its own parameters, in float64
        wide = [name for name, array in output.then.items() if array.ndim and array.dtype == np.float64]
        if wide:
            yield _defect("GP505", f"forward turns float32 into float64: {wide[0]}", None, wide[0], _FORWARD)
            return
        gradients = session.backward([dout.astype(np.float32) for dout in scene.douts(output)])
    except SubjectError:
        return  # a layer may refuse float32, if it says so
    yield from _gradients(gradients, {**_arrays(example.inputs), **own})


def wide(scene: Scene) -> Iterator[Defect]:
    """Run the layer in float64, its own buffers as they are: where the output keeps all digits, so must gradients."""
    session = scene.session(widen=False)
    output = session.forward(scene.inputs)
    tensors = {**session.parameters().then, **_arrays(scene.inputs)}
    if any(
        array.dtype.kind == "f" and array.dtype != np.float64 for array in (*output.then.values(), *tensors.values())
    ):
        return  # it works in fewer digits on purpose
    for name, gradient in session.backward(scene.douts(output)).then.items():
        if gradient.dtype.kind == "f" and gradient.dtype.itemsize < tensors[name].dtype.itemsize:
            headline = f"the gradient of {name} is {gradient.dtype}, while forward works in {tensors[name].dtype}"
            lines = (
                ("seen", f"{name} and the output are {tensors[name].dtype}, d{name} is {gradient.dtype}"),
                ("why it matters", f"{gradient.dtype} drops digits of the gradient that forward has, and hides it"),
                ("what to do", "make the gradient like its tensor: np.zeros_like(W), dtype=x.dtype; no astype"),
            )
            yield Defect("GP507", headline, name, lines, "warning")


def _gradients(gradients: Returned, tensors: Mapping[str, Array]) -> Iterator[Defect]:
    for name, gradient in gradients.then.items():
        if gradient.ndim and gradient.dtype != tensors[name].dtype:
            headline = f"the gradient of {name} is {gradient.dtype}, {name} itself is {tensors[name].dtype}"
            yield _defect("GP507", headline, name, f"d{name}", _BACKWARD)


def _defect(code: str, headline: str, tensor: str | None, name: str, advice: str) -> Defect:
    seen = f"with parameters, inputs and dout in float32, {name} has another dtype"
    lines = (("seen", seen), ("why it matters", _WHY), ("what to do", advice))
    return Defect(code, headline, tensor, lines, "warning")


def _narrow(values: Mapping[str, Any]) -> dict[str, Any]:
    arrays = _arrays(values)
    return {n: v.astype(np.float32) if n in arrays and v.dtype.kind == "f" else v for n, v in values.items()}


def _arrays(values: Mapping[str, Any]) -> dict[str, Array]:
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


PROMISES = (
    Promise(narrow, 180, {"GP505": (), "GP507": ("down-casts",)}),
    Promise(wide, 190, {"GP507": ("down-casts",)}),
)
