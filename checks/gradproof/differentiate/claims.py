"""From the values of the tensors and what backward claims of them to what can be compared; it calls nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradproof.differentiate.differentiate import Floats
from gradproof.differentiate.problem import Tensor
from gradproof.subject import outputs
from gradproof.values import Defect, Role


def malformed(
    values: Mapping[str, Floats], claims: Mapping[str, Any], dtypes: Mapping[str, np.dtype[Any]]
) -> tuple[Defect, ...]:
    """What is wrong with the form of the claims. dtypes: of the parameters, all that is not an input."""
    unreal = [outputs.unreal_parameter(name, dtype) for name, dtype in dtypes.items() if dtype.kind != "f"]
    found = [
        outputs.malformed(name, claim, values[name].shape, parameter=name in dtypes) for name, claim in claims.items()
    ]
    return (*unreal, *(_exchanged(defect, values, claims) for defect in found if defect is not None))


def _exchanged(defect: Defect, values: Mapping[str, Floats], claims: Mapping[str, Any]) -> Defect:
    """The defect with its cause, where two gradients have each the shape of the other's tensor."""
    name = defect.tensor
    if defect.code != "GP201" or name is None:
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


def tensors(
    values: Mapping[str, Floats], claims: Mapping[str, Any], parameters: Collection[str], updates: Collection[str]
) -> list[Tensor]:
    """Well-formed claims as tensors. updates: the parameters whose gradient was read from an update of theirs."""
    return [
        Tensor(
            name,
            Role.PARAMETER if name in parameters else Role.INPUT,
            values[name],
            np.array(claim, dtype=np.float64),
            _update_grain(values[name], claim) if name in updates else 0.0,
        )
        for name, claim in claims.items()
    ]


def _update_grain(weights: Floats, step: Floats) -> float:
    """The round-off of a step that was read from the weights before and after it, relative to its largest entry."""
    largest = float(np.max(np.abs(step), initial=0.0))
    return float(np.finfo(np.float64).eps * np.max(np.abs(weights), initial=0.0)) / largest if largest else 0.0
