"""From the values of the tensors and what backward claims of them to what can be compared; it calls nothing.

Each tensor is read by itself: one gradient that cannot be read keeps no other from being judged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradproof.differentiate.differentiate import Floats
from gradproof.differentiate.problem import Tensor
from gradproof.subject import gradient_shapes, outputs
from gradproof.values import Defect, Role


@dataclass(frozen=True, eq=False)
class Claims:
    """What backward claims: the tensors whose gradient can be read, those whose cannot, and what is wrong with forms.

    A gradient of another shape than its tensor's that can be read all the same has a defect, and is judged.
    """

    tensors: tuple[Tensor, ...]
    unread: tuple[Tensor, ...]  # with a claim of NaN
    defects: tuple[Defect, ...]


def claims_of(
    values: Mapping[str, Floats],
    claims: Mapping[str, Any],
    dtypes: Mapping[str, np.dtype[Any]],
    updates: Collection[str] = (),
    missing: Mapping[str, str | None] | None = None,
) -> Claims:
    """Read the claims.

    dtypes: of the parameters, all that is not an input; updates: those whose gradient an update of theirs told;
    missing: the tensors that should have a gradient and are not among the claims; what to write to have each judged.
    """
    unreal = {name: outputs.unreal_parameter(name, dtype) for name, dtype in dtypes.items() if dtype.kind != "f"}
    read: list[Tensor] = []
    unread: list[Tensor] = []
    remedies = missing or {}
    for name in dict.fromkeys([*claims, *remedies]):
        role = Role.PARAMETER if name in dtypes else Role.INPUT
        claim = gradient_shapes.read(claims.get(name), values[name].shape)
        if claim is None or name in unreal:
            nothing = np.full(values[name].shape, np.nan)
            unread.append(Tensor(name, role, values[name], nothing, remedy=remedies.get(name)))
        else:
            grain = _update_grain(values[name], claim) if name in updates else 0.0
            read.append(Tensor(name, role, values[name], claim, grain))
    return Claims(tuple(read), tuple(unread), (*unreal.values(), *_malformed_claims(values, claims, dtypes)))


def _malformed_claims(
    values: Mapping[str, Floats], claims: Mapping[str, Any], parameters: Collection[str]
) -> Iterator[Defect]:
    """What is wrong with the form of each gradient."""
    in_place = _updated_in_place(values, parameters)
    for name, claim in claims.items():
        defect = malformed(name, claim, values[name].shape, parameter=name in in_place)
        if defect is not None:
            yield _exchanged(defect, values, claims)


def _updated_in_place(values: Mapping[str, Floats], parameters: Collection[str]) -> frozenset[str]:
    """What an optimizer may update: the parameters; where there are none, as in a pair of functions, all but x."""
    return frozenset(parameters or list(values)[1:])


def malformed(name: str, gradient: Any, shape: tuple[int, ...], *, parameter: bool) -> Defect | None:
    """Say what is wrong with the form of one gradient; None where it has the tensor's shape and is a real array."""
    if gradient is None:
        return _missing(name, parameter=parameter)
    if not outputs.is_number(gradient) or np.asarray(gradient).dtype.kind == "c":
        return Defect("GP207", f"the gradient of {name} is {outputs.kind(gradient)}, not a real array", name)
    found = np.asarray(gradient).shape
    if found == shape:
        return None
    headline = f"the gradient of {name} has shape {found}, expected {shape}"
    advice = ("what to do", gradient_shapes.remedy(found, shape))
    if parameter and gradient_shapes.is_taken_in_place(found, shape):
        works = ("why it matters", f"{name} -= lr * d{name} works as it is; what compares or stores the two may not")
        return Defect("GP201", headline, name, (works, advice), severity="warning", shape=found)
    consequence = gradient_shapes.consequence(name, found, shape)
    matters = () if consequence is None or not parameter else (("why it matters", consequence),)
    return Defect("GP201", headline, name, (*matters, advice), shape=found)


def _missing(name: str, *, parameter: bool) -> Defect:
    where = "its place in grads is None" if parameter else "backward returned None for it"
    forgotten = "write it in place: self.grads[i][...] = ..." if parameter else "end backward with: return dx"
    return Defect("GP202", f"the gradient of {name} is missing: {where}", name, (("what to do", forgotten),))


def _exchanged(defect: Defect, values: Mapping[str, Floats], claims: Mapping[str, Any]) -> Defect:
    """The defect with its cause, where two gradients have each the shape of the other's tensor."""
    name = defect.tensor
    if defect.code != "GP201" or defect.severity != "error" or name is None:
        return defect
    mine, shape = np.shape(claims[name]), values[name].shape
    for other in claims:
        if mine != shape and values[other].shape == mine and _is_shaped(claims[other], shape):
            likely = f"two gradients are exchanged: that of {name} has the shape of {other}, and the reverse"
            advice = "look at the order of grads, in the constructor too, and of what backward returns"
            return replace(defect, lines=(("likely cause", likely), ("what to do", advice)))
    return defect


def _is_shaped(claim: Any, shape: tuple[int, ...]) -> bool:
    return isinstance(claim, np.ndarray) and claim.shape == shape


def _update_grain(weights: Floats, step: Floats) -> float:
    """The round-off of a step that was read from the weights before and after it, relative to its largest entry."""
    largest = float(np.max(np.abs(step), initial=0.0))
    return float(np.finfo(np.float64).eps * np.max(np.abs(weights), initial=0.0)) / largest if largest else 0.0


def of_lists(defects: Iterable[Defect]) -> list[Defect]:
    """Those that say that the lists of parameters and of gradients do not belong together."""
    return [defect for defect in defects if defect.code == "GP205"]
