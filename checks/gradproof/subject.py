"""Runs the layer: the only file that calls user code. It knows conventions of calling, not what a right gradient is."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gradproof.case import Case
from gradproof.errors import UsageError
from gradproof.guard import Randomness, call, fingerprint
from gradproof.precision import raised
from gradproof.signatures import Signature, accepts, takes_nothing
from gradproof.values import Defect, Example

Array = NDArray[Any]


class Subject(Protocol):
    """The thing under check, seen through an adapter.

    forward and backward raise guard.SubjectError where the user's code raises. ``backward`` returns what the layer
    returned; ``gradients`` are those that it keeps for its parameters. ``frozen`` restores the state after
    construction, random generators included, before every forward.
    """

    name: str
    frozen: bool
    widened: bool  # narrow float arrays of the subject were raised to float64

    def parameters(self) -> Mapping[str, Array]:
        """The parameters by name, each to be written to in place."""
        ...

    def forward(self, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
        """All outputs at these inputs."""
        ...

    def restart(self) -> None:
        """Back to the state after construction, where the subject is frozen."""
        ...

    def drawn(self) -> tuple[object, ...]:
        """Where every random generator stands that forward may draw from."""
        ...

    def takes_dout(self) -> bool:
        """Whether backward takes an upstream gradient."""
        ...

    def backward(self, douts: Sequence[Array | float]) -> Any:
        """What backward returns for one upstream gradient per output."""
        ...

    def gradients(self) -> tuple[Mapping[str, Any], tuple[Defect, ...]]:
        """The gradients of the parameters by name, and what is wrong with their form."""
        ...


class LayerSubject:
    """The book's convention: an object with forward, backward, and the lists params and grads."""

    def __init__(
        self, build: Callable[[], Any], name: str, signature: Signature, random: Randomness, *, widen: bool = True
    ) -> None:
        self.name, self.frozen = name, False
        self._build, self._signature, self._random, self._widen = build, signature, random, widen
        built = self._construct()
        self.widened = self.layer is not built

    def _construct(self) -> Any:
        built, given = call("the constructor", self._build)
        self._parameter_names = _parameter_names(built, given)
        self.layer = raised(built) if self._widen else built
        return built

    def parameters(self) -> Mapping[str, Array]:
        """The arrays in params, by name; each may be written to in place."""
        params = getattr(self.layer, "params", None) or ()
        arrays = [array for array in params if isinstance(array, np.ndarray)]
        return dict(zip(self._parameter_names, arrays, strict=True))

    def forward(self, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
        """All outputs; a layer with one output gives a tuple of one."""
        args, kwargs = self._signature.bind(inputs)
        result = call("forward", self.layer.forward, *args, **kwargs)
        return tuple(result) if isinstance(result, (tuple, list)) else (result,)

    def restart(self) -> None:
        """Back to the state after construction, where the subject is frozen."""
        if self.frozen:
            self._random.rewind()
            self._construct()

    def drawn(self) -> tuple[object, ...]:
        """Where the random generators stand that the layer can draw from."""
        return fingerprint(self.layer)

    def takes_dout(self) -> bool:
        """False for a backward without an upstream gradient."""
        return not takes_nothing(self.layer.backward)

    def backward(self, douts: Sequence[Array | float]) -> Any:
        """Call backward as its signature asks: nothing, one dout, several, or a tuple of several."""
        for gradient in getattr(self.layer, "grads", None) or ():
            if isinstance(gradient, np.ndarray) and gradient.flags.writeable:
                gradient[...] = 0  # a layer that adds to its grads starts from nothing
        theirs = self.layer.backward
        if takes_nothing(theirs):
            return call("backward", theirs)
        if len(douts) > 1 and not accepts(theirs, len(douts)):
            return call("backward", theirs, tuple(douts))
        return call("backward", theirs, *douts)

    def gradients(self) -> tuple[Mapping[str, Any], tuple[Defect, ...]]:
        """The list grads, paired with params by position."""
        params, grads = getattr(self.layer, "params", None), getattr(self.layer, "grads", None)
        if params is None or (not len(params) and grads is not None):
            return {}, ()
        if grads is None:
            return {}, (_grads_missing(self.layer),)
        if len(grads) != len(params):
            headline = f"grads has {len(grads)} entries, params has {len(params)}"
            advice = "keep one gradient for each parameter, in the same order"
            return {}, (Defect("GP205", headline, None, (("what to do", advice),)),)
        found = [gradient for gradient, array in zip(grads, params, strict=True) if isinstance(array, np.ndarray)]
        parts: dict[str, list[Any]] = {}
        for name, gradient in zip(self._parameter_names, found, strict=True):
            parts.setdefault(name, []).append(gradient)
        return {name: _added(gradients) for name, gradients in parts.items()}, ()


def _added(parts: Sequence[Any]) -> Any:
    """The gradient of an array that stands in params several times: what each place adds. One gradient is itself."""
    distinct = list({id(part): part for part in parts}.values())
    arrays = [part for part in distinct if isinstance(part, np.ndarray)]
    shapes = {array.shape for array in arrays}
    if len(distinct) == 1 or len(arrays) < len(distinct) or len(shapes) > 1:
        return next((part for part in distinct if not isinstance(part, np.ndarray)), distinct[-1])
    return np.sum(arrays, axis=0)


def _grads_missing(layer: Any) -> Defect:
    close = [name for name in vars(layer) if name.lower().startswith("grad") and name != "grads"]
    set_it = "set self.grads beside self.params in the constructor"
    hint = f"the layer has self.{close[0]}: did you mean self.grads?" if close else set_it
    advice = ("why it matters", "a net collects layer.params and layer.grads: without grads that raises AttributeError")
    return Defect("GP205", "the layer has params but no grads", None, (advice, ("what to do", hint)))


def _parameter_names(layer: Any, given: Mapping[int, str]) -> tuple[str, ...]:
    """The author's names for the arrays in params: the constructor's, else an attribute's, else params[i].

    An array that stands there several times (shared weights) has one name.
    """
    params: Sequence[Any] = getattr(layer, "params", None) or ()
    state: Mapping[str, Any] = getattr(layer, "__dict__", {})
    attributes = {id(value): name for name, value in state.items() if isinstance(value, np.ndarray)}
    names: dict[int, str] = {}
    for i, array in enumerate(params):
        if isinstance(array, np.ndarray):
            names.setdefault(id(array), given.get(id(array)) or attributes.get(id(array)) or f"params[{i}]")
    return tuple(names[id(array)] for array in params if isinstance(array, np.ndarray))


class PairSubject:
    """A pair of functions with a cache: forward(...) -> (out, cache), backward(dout, cache) -> gradients."""

    def __init__(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any],
        name: str,
        signature: Signature,
        random: Randomness,
    ) -> None:
        self.name, self.frozen, self.widened = name, False, False
        self._forward, self._backward, self._signature = forward, backward, signature
        self._random = random
        self._cache: Any = None

    def parameters(self) -> Mapping[str, Array]:
        """Nothing: every array is an input."""
        return {}

    def forward(self, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
        """The output, with the cache kept for backward."""
        args, kwargs = self._signature.bind(inputs)
        result = call("forward", self._forward, *args, **kwargs)
        if not (isinstance(result, tuple) and len(result) == 2):
            return (result, None)  # refused by name where outputs are read: there is no cache to hand to backward
        out, self._cache = result
        return tuple(out) if isinstance(out, tuple) else (out,)

    def restart(self) -> None:
        """Rewind the random generators, where the subject is frozen; a function has no other state."""
        if self.frozen:
            self._random.rewind()

    def drawn(self) -> tuple[object, ...]:
        """Where the global random generators stand."""
        return fingerprint(None)

    def takes_dout(self) -> bool:
        """Always: the convention has it."""
        return True

    def backward(self, douts: Sequence[Array | float]) -> Any:
        """The gradients, in the order of forward's array arguments."""
        return call("backward", self._backward, douts[0] if len(douts) == 1 else tuple(douts), self._cache)

    def gradients(self) -> tuple[Mapping[str, Any], tuple[Defect, ...]]:
        """Nothing: all gradients are returned."""
        return {}, ()


def subject_of(case: Case, example: Example, random: Randomness, *, widen: bool = True) -> LayerSubject | PairSubject:
    """Build the subject of a case for one example."""
    if case.backward is not None:
        return PairSubject(case.subject, case.backward, case.name, case.forward_signature, random)

    def build() -> tuple[Any, Mapping[int, str]]:
        init = {name: copy.deepcopy(value) for name, value in example.init.items()}
        args, kwargs = case.init_signature.bind(init)
        given = {id(value): name for name, value in init.items() if isinstance(value, np.ndarray)}
        return case.subject(*args, **kwargs), given

    return LayerSubject(build, case.name, case.forward_signature, random, widen=widen)


def subject_from(layer: Any, signature: Signature, random: Randomness, *, widen: bool = True) -> LayerSubject:
    """Wrap a copy of a finished layer object. Raises UsageError for one that cannot be copied."""
    try:
        copy.deepcopy(layer)
    except Exception as error:
        name = type(layer).__name__
        raise UsageError(
            f"expected a layer object that can be copied, got {name} with a part that cannot ({error}); "
            f"check the class instead, as in check({name}, ...), or keep that part out of the object"
        ) from None
    return LayerSubject(lambda: (copy.deepcopy(layer), {}), type(layer).__name__, signature, random, widen=widen)
