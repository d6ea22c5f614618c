"""Runs one example again and again on newly built subjects, and keeps what each call returned; it judges nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradproof.guard import Randomness, fingerprint
from gradproof.subject import outputs
from gradproof.subject.outputs import Form
from gradproof.subject.subject import Subject
from gradproof.values import Defect, Example

Array = NDArray[Any]
Build = Callable[..., Subject]  # (the random state to build under, whether narrow floats are raised) -> the subject

BOUND = 64  # units of round-off: the same calculation may round differently where its arrays lie elsewhere in memory


class MalformedError(Exception):
    """What came back cannot be read as arrays: the search for wrong gradients reports that, a promise does not."""


@dataclass(frozen=True, eq=False)
class Returned:
    """What one call gave: the arrays themselves, by name, and copies of them as they were right after the call."""

    live: Mapping[str, Array]
    then: Mapping[str, Array]

    @classmethod
    def of(cls, live: Mapping[str, Array]) -> Returned:
        """Take the copies now."""
        return cls(live, {name: array.copy() for name, array in live.items()})

    def only(self, names: Container[str]) -> Returned:
        """The results of these names."""
        live = {name: array for name, array in self.live.items() if name in names}
        return Returned(live, {name: self.then[name] for name in live})

    def changed(self) -> Iterator[tuple[str, Array, Array]]:
        """Name, value then, and value now of each array that has been written to since."""
        for name, array in self.live.items():
            if not np.array_equal(array, self.then[name], equal_nan=array.dtype.kind in "fc"):
                yield name, self.then[name], array


class Session:
    """One newly built subject and the calls made on it, in their order.

    ``given`` and ``douts`` are what the last forward and the last backward got: copies, which nobody else holds.
    """

    def __init__(self, subject: Subject, scene: Scene) -> None:
        self.subject, self._scene = subject, scene
        self.given, self.douts = Returned({}, {}), Returned({}, {})

    def forward(self, inputs: Mapping[str, Any], *, own: Callable[[Any], Any] | None = None) -> Returned:
        """The outputs by name, for copies of the inputs, which ``own`` makes.

        Raises SubjectError where the layer raises, MalformedError where it returns no arrays.
        """
        values = {name: (own or _own)(value) for name, value in inputs.items()}
        self.given = Returned.of({name: value for name, value in values.items() if isinstance(value, np.ndarray)})
        self._scene.forwards += 1
        returned = self.subject.forward(values)
        if isinstance(outputs.form_of(returned), Defect):
            raise MalformedError
        names = ["the output"] if len(returned) == 1 else _numbered("output", len(returned))
        return Returned.of({name: np.asarray(part) for name, part in zip(names, returned, strict=True)})

    def backward(
        self, douts: Sequence[Array], *, clear: bool = True, own: Callable[[Array], Array] = np.copy
    ) -> Returned:
        """The gradients by tensor. With ``clear`` False, those that the layer keeps are not set to zero before."""
        given = [own(dout) for dout in douts]
        names = ["dout"] if len(given) == 1 else _numbered("dout", len(given))
        self.douts = Returned.of({name: dout for name, dout in zip(names, given, strict=True) if dout.ndim})
        returned = self.subject.backward([dout if dout.ndim else float(dout) for dout in given], clear=clear)
        return Returned.of(self._gradients(returned))

    def _gradients(self, returned: Any) -> dict[str, Array]:
        """What backward returned and what the layer keeps, by tensor; MalformedError where that is not all arrays."""
        arrays = list(self.given.live)
        wanted = [name for name in self._scene.wanted if name in arrays]
        found, defects = outputs.input_gradients(returned, wanted, arrays, declared=self._scene.declared)
        kept, more = self.subject.gradients()
        gradients = {**found, **kept}
        are_arrays = all(isinstance(part, (np.ndarray, np.number)) for part in gradients.values())
        if defects or more or not are_arrays:
            raise MalformedError
        return {name: np.asarray(part) for name, part in gradients.items()}

    def drawn(self) -> tuple[object, ...]:
        """Where the random generators stand that a call can draw from."""
        return fingerprint((getattr(self.subject, "layer", None), self._scene.random.held))

    def parameters(self) -> Returned:
        """The parameters as they are now."""
        return Returned.of(self.subject.parameters())


@dataclass(eq=False)
class Scene:
    """One example, whose subject is built anew as often as is asked, always under the same random state.

    ``inputs`` are the example's, in float64. ``forwards`` counts every call of forward.
    """

    example: Example
    build: Callable[[Example], Build]
    random: Randomness
    declared: bool = True
    wanted: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    forwards: int = 0

    def __post_init__(self) -> None:
        self.wanted = self.example.wanted
        self.inputs = {n: np.asarray(v, np.float64) if n in self.wanted else v for n, v in self.example.inputs.items()}

    def session(self, example: Example | None = None, *, widen: bool = True) -> Session:
        """Build the subject of this example, or of another one, anew."""
        self.random.rewind()
        return Session(self.build(example or self.example)(self.random, widen=widen), self)

    def douts(self, returned: Returned, number: int = 0) -> list[Array]:
        """Draw an upstream gradient for each output: the same for the same ``number``; ones where none is taken."""
        rng = np.random.default_rng([self.example.seed, number])
        form = Form(tuple(a.shape for a in returned.live.values()), ())
        return [np.asarray(part) for part in form.split(rng.standard_normal(sum(form.sizes)))]


def _own(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else copy.deepcopy(value)


def _numbered(word: str, count: int) -> list[str]:
    return [f"{word} {i}" for i in range(count)]


def same(first: Array, second: Array) -> bool:
    """Say whether two results of the same calculation are alike, NaN included."""
    if first.shape != second.shape:
        return False
    if np.array_equal(first, second, equal_nan=True):
        return True
    return within(first, second, BOUND * float(np.finfo(_kind(first, second)).eps))


def within(first: Array, second: Array, share: float, noise: float = 0.0) -> bool:
    """Say whether no entry differs by more than this share of the largest entry; NaN and infinity must be alike.

    noise: what any entry may differ by, however small all of them are.
    """
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    finite = np.isfinite(one) & np.isfinite(two)
    if not np.array_equal(one[~finite], two[~finite], equal_nan=True):
        return False
    top = float(max(np.abs(one[finite]).max(initial=0), np.abs(two[finite]).max(initial=0)))
    return bool(np.abs(one[finite] - two[finite]).max(initial=0) <= max(share * top, noise))


def _kind(first: Array, second: Array) -> np.dtype[Any]:
    floats = [array.dtype for array in (first, second) if array.dtype.kind == "f"]
    return min(floats, key=lambda dtype: dtype.itemsize, default=np.dtype(np.float64))


def differing(names: Sequence[str], first: Returned, second: Returned) -> list[str]:
    """Name the results, of those in ``names``, that are not alike right after the two calls.

    A gradient that is read from an update is there only where the update moves something.
    """
    return [name for name in names if name in second.then and not same(first.then[name], second.then[name])]
