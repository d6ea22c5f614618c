"""How a class of layers is called and where it keeps its gradients; it calls no layer and judges no gradient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradproof.convention import leaves, pairing
from gradproof.convention.decorators import reveal
from gradproof.convention.pairing import Paths
from gradproof.convention.preparation import is_fed_by_call
from gradproof.errors import UsageError

Array = NDArray[Any]

# The names of forward and backward in public code, the most frequent first; a class may have several.
FORWARDS: tuple[str, ...] = (
    "forward",
    "forward_pass",
    "forward_propagate",
    "forward_propagation",
    "forward_prop",
    "forwardprop",
    "forwardpass",
    "forwardPass",
    "forwardPropagate",
    "forwardPropagation",
    "fprop",
    "propagate",
    "feed_forward",
    "feedforward",
    "fwd",
    "fn",
    "call",
    "__call__",
    "apply",
    "activate",
    "activation",
    "compute",
    "evaluate",
    "loss",
    "calculate_loss",
    "compute_loss",
    "calc_loss",
    "get_loss",
    "loss_function",
    "loss_fn",
    "cost",
    "compute_cost",
    "calculate_cost",
    "cost_function",
    "function",
    "func",
    "f",
    "calculate",
    "calc",
    "error",
    "value",
)
BACKWARDS: tuple[str, ...] = (
    "backward",
    "backward_pass",
    "backprop",
    "back_propagate",
    "back_propagation",
    "backward_propagate",
    "backward_propagation",
    "backward_prop",
    "backwardprop",
    "back_prop",
    "backwardpass",
    "backwardPass",
    "backwardPropagate",
    "backwardPropagation",
    "backPropagate",
    "backpropagate",
    "backpropagation",
    "bprop",
    "bwd",
    "vjp",
    "grad",
    "gradient",
    "derivative",
    "deriv",
    "prime",
    "derivate",
    "differentiate",
    "gradients",
    "calculate_gradient",
    "calculate_gradients",
    "calculate_grad",
    "compute_gradient",
    "compute_gradients",
    "compute_grad",
    "compute_grads",
    "calc_gradient",
    "calc_grad",
    "get_gradient",
    "get_grad",
    "loss_gradient",
    "loss_grad",
    "grad_loss",
    "loss_prime",
    "loss_derivative",
    "d_loss",
    "dloss",
    "cost_gradient",
    "cost_grad",
    "cost_prime",
    "cost_derivative",
    "error_prime",
    "error_derivative",
    "function_prime",
    "function_derivative",
    "func_prime",
    "func_derivative",
    "f_prime",
    "df",
)


@dataclass(frozen=True, repr=False)
class Convention:
    """How a layer is called, and where it keeps the gradients of its parameters.

    ``forward`` and ``backward``: the names of the two methods. ``gradients``: the attribute that holds the gradient of
    each parameter, as in ``{"W": "dW", "out.b": "out.grads['b']"}``; empty, both are discovered. ``prepare``: the names
    of the methods to be called after the constructor, in order, as in ``("build",)``; None, they are discovered. A
    convention that this cannot say is a subclass with ``parameters`` or ``parameter_gradients`` of its own.
    """

    forward: str = "forward"
    backward: str = "backward"
    gradients: Mapping[str, str] = field(default_factory=dict[str, str])
    prepare: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for what in ("forward", "backward"):
            name = getattr(self, what)
            if not isinstance(name, str) or not name.isidentifier():
                raise UsageError(
                    f"Convention: expected the name of a method, got {what}={name!r} (type {type(name).__name__}); "
                    f'write Convention({what}="{what}_pass")'
                )
        prepare: Any = self.prepare
        if prepare is not None and (not isinstance(prepare, tuple) or not all(map(_is_name, prepare))):
            raise UsageError(
                f"Convention: expected a tuple of names of methods, got prepare={prepare!r} "
                f'(type {type(prepare).__name__}); write Convention(prepare=("build",)), with the comma'
            )
        given: Any = self.gradients
        if not isinstance(given, Mapping):
            raise UsageError(
                f"Convention: expected attribute names by parameter, got gradients={given!r} "
                f'(type {type(given).__name__}); write Convention(gradients={{"W": "dW"}})'
            )

    def __repr__(self) -> str:
        """As it is written, without what is left at its default."""
        given = [f for f in fields(self) if getattr(self, f.name) != _default(f)]
        return f"{type(self).__name__}({', '.join(f'{f.name}={getattr(self, f.name)!r}' for f in given)})"

    def parameters(self, layer: Any) -> Mapping[str, Array]:
        """The live arrays of the parameters by name: those that forward reads, to be written into."""
        if not self.gradients:
            return pairing.parameters(layer)
        found = {name: leaves.at(layer, leaves.path_of(name)) for name in self.gradients}
        for name, array in found.items():
            if not isinstance(array, np.ndarray):
                raise UsageError(
                    f"Convention: expected an array at {type(layer).__name__}.{name}, got {array!r} "
                    f"(type {type(array).__name__}); a parameter's name in gradients= is where it stands in the layer"
                )
        return found

    def parameter_gradients(self, layer: Any, returned: Any, parameters: Mapping[str, Array]) -> Mapping[str, Any]:
        """The gradients by parameter name, right after backward ``returned``; a parameter without one is left out.

        This reads the layer. What backward returns beyond the gradients of the inputs is paired afterwards, with the
        parameters that are left out here.
        """
        del returned
        places = self.slots(layer)
        return {name: pairing.kept(layer, paths) for name, paths in places.items() if name in parameters}

    def slots(self, layer: Any) -> Paths:
        """Where the layer keeps the gradient of each parameter that has such a place."""
        if not self.gradients:
            return pairing.slots(layer, pairing.places(layer, self.parameters(layer)))
        return {name: (leaves.path_of(place),) for name, place in self.gradients.items()}


def _default(field_of: Field[Any]) -> Any:
    return field_of.default if field_of.default_factory is MISSING else field_of.default_factory()


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier()


def convention_of(cls: type) -> Convention | None:
    """The convention by which a class names its two methods; None where it lacks one of them.

    An object whose ``__call__`` records what its forward and backward read is called, not its forward.
    """
    reveal(cls)
    forward = next((name for name in FORWARDS if _has(cls, name)), None)
    backward = next((name for name in BACKWARDS if _has(cls, name)), None)
    if forward is None or backward is None:
        return None
    return Convention("__call__" if is_fed_by_call(cls, forward, backward) else forward, backward)


def convention_for(cls: type, told: str, chosen: Convention | None) -> Convention:
    """The chosen convention, or the one that the class names; ``told`` is what messages call it.

    Raises UsageError where the class lacks one of the two methods.
    """
    reveal(cls)
    convention = chosen or convention_of(cls)
    if convention is None:
        missing = "backward" if any(_has(cls, name) for name in FORWARDS) else "forward"
        raise UsageError(f"{told} has no method {missing}: a layer is a class with forward and backward")
    for name in (convention.forward, convention.backward, *(convention.prepare or ())):
        if not callable(getattr(cls, name, None)):
            raise UsageError(f"{told} has no method {name}, which its Convention names: it has {_listed(cls)}")
    return convention


def _listed(cls: type) -> str:
    names = [name for name, value in vars(cls).items() if callable(_unwrapped(value)) and not name.startswith("__")]
    return ", ".join(names) or "no method"


def _has(cls: type, name: str) -> bool:
    """Whether the class or a base of it defines the method; every class can be called, which is not meant here."""
    return any(callable(_unwrapped(base.__dict__.get(name))) for base in cls.__mro__ if base is not object)


def _unwrapped(method: Any) -> Any:
    return method.__func__ if isinstance(method, (staticmethod, classmethod)) else method
