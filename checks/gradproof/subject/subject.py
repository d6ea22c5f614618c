"""Gives a Case its subject: the thing under check, seen through an adapter; it knows which, not what is right."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from gradproof.case.case import Case
from gradproof.case.signatures import Construction, Signature
from gradproof.convention.calling import Plan
from gradproof.convention.convention import Convention
from gradproof.convention.descent import Descent
from gradproof.convention.return_statements import returns_backward
from gradproof.errors import UsageError
from gradproof.guard import Randomness, generators
from gradproof.subject.function_subjects import LossSubject
from gradproof.subject.layer_subject import LayerSubject
from gradproof.subject.pair_subjects import ClosureSubject, PairSubject
from gradproof.subject.widening import Widened
from gradproof.values import Defect, Example, Made

Array = NDArray[Any]


class Subject(Protocol):
    """The thing under check, seen through an adapter.

    forward and backward raise guard.SubjectError where the user's code raises. ``frozen`` restores the state after
    construction, random generators included, before every forward. ``wanted`` names the inputs whose gradient is asked
    for; None stands for all float arrays.
    """

    name: str
    frozen: bool
    wanted: tuple[str, ...] | None

    @property
    def widened(self) -> bool:
        """Whether narrow floats of the subject were raised to float64."""
        ...

    @property
    def promises(self) -> frozenset[str]:
        """What a net may rely on: "in place" (grads are arrays that stay), "overwrites" (nothing is added)."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """How the last backward's gradients were paired with their tensors, where that is not plain."""
        ...

    @property
    def updates(self) -> frozenset[str]:
        """The parameters that backward updates itself: their gradient carries the rounding of the weights."""
        ...

    @property
    def unread(self) -> Mapping[str, str]:
        """The parameters whose gradient the last backward did not let read: what to write to have each judged."""
        ...

    def parameters(self) -> Mapping[str, Array]:
        """The parameters by name, each to be written to in place."""
        ...

    def seek_numbers(self) -> None:
        """Let the next backward show which Python numbers are parameters."""
        ...

    def made(self) -> Mapping[str, Made]:
        """The parameters that the subject makes itself, as they are now, once a backward has shown which they are."""
        ...

    def unclaimed(self) -> Mapping[str, Array]:
        """The arrays that forward reads and for which the last backward left no gradient, by name."""
        ...

    def forward(self, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
        """All outputs at these inputs."""
        ...

    def restart(self) -> None:
        """Back to the state after construction, where the subject is frozen."""
        ...

    def fork(self) -> Self:
        """A copy of the subject as it is now, with what its last forward left."""
        ...

    def drawn(self) -> tuple[object, ...]:
        """Where everything stands that forward may draw from or add to: random generators, growing lists."""
        ...

    def plans(self) -> Sequence[Plan]:
        """The ways in which backward may be called after the last forward, the likeliest first."""
        ...

    def takes_dout(self) -> bool:
        """Whether backward takes an upstream gradient."""
        ...

    def may_keep_loss(self) -> bool:
        """Whether forward may keep a loss beside what it returns, and backward be the gradient of that."""
        ...

    def averages(self) -> bool | None:
        """Whether backward's source divides by the number of samples; None where forward compares no two arrays."""
        ...

    def untold(self) -> str | None:
        """Which of backward's arguments nothing says what they are given, and what to do; None where all are known."""
        ...

    def default_dout(self) -> float | None:
        """The number that backward takes for dout where it is called without one; None where it needs one."""
        ...

    def backward(self, douts: Sequence[Array | float], *, clear: bool = True) -> Any:
        """What backward returns for the inputs, by position or as a dict by name, for one upstream gradient per output.

        clear: set the gradients that the subject keeps to zero before.
        """
        ...

    def gradients(self) -> tuple[Mapping[str, Any], tuple[Defect, ...]]:
        """The gradients of the parameters by name, and what is wrong with their form."""
        ...


def fixed_dout(subject: Subject, shapes: Sequence[tuple[int, ...]]) -> float | None:
    """The only dout that a loss at the end of a net is ever given: its backward's default; None elsewhere.

    shapes: of the outputs. An output that is one number, and a backward that can be called without dout, are a loss.
    """
    return subject.default_dout() if [shape for shape in shapes if not shape] == [()] else None


def upstream(subject: Subject, shapes: Sequence[tuple[int, ...]], rng: np.random.Generator) -> NDArray[np.float64]:
    """An upstream gradient for outputs of these shapes, flat: drawn, or ones where the subject takes none.

    Where it takes none and one of several outputs is a number, that is the loss: what stands beside it gets zeros. Of
    losses of single samples it is that of their mean where backward divides by the number of samples.
    """
    sizes, fixed = [int(np.prod(shape)) for shape in shapes], fixed_dout(subject, shapes)
    if fixed is None and subject.takes_dout():
        return rng.standard_normal(sum(sizes))
    count = samples(subject, shapes)
    share = 1.0 / count if count and subject.averages() else 1.0
    return np.repeat(_ones(shapes), sizes) * share * (1.0 if fixed is None else fixed)


def _ones(shapes: Sequence[tuple[int, ...]]) -> NDArray[np.float64]:
    """A 1 for each output; where one of them alone is a number, for that one, and 0 for the others."""
    numbers = [not shape for shape in shapes]
    return np.array(numbers if sum(numbers) == 1 else [True] * len(shapes), dtype=np.float64)


def samples(subject: Subject, shapes: Sequence[tuple[int, ...]]) -> int:
    """How many samples the only output has a loss for, each its own; 0 where it is something else.

    It is where backward takes no dout, and forward compares two arrays.
    """
    columns = [shape for shape in shapes if len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)]
    is_loss = subject.averages() is not None and not subject.takes_dout()
    if not is_loss or len(columns) != 1 or len(shapes) != 1:
        return 0
    return columns[0][0] if columns[0][0] > 1 else 0


def subject_of(
    case: Case, example: Example, random: Randomness, *, widen: bool = True
) -> LayerSubject | PairSubject | ClosureSubject | LossSubject:
    """Build the subject of a case for one example."""
    random.hold(generators(case.subject))
    numpy = Widened(case.subject) if widen else None
    if case.convention is None:
        common = case.name, case.forward_signature, random, numpy
        if case.backward is not None:
            return PairSubject(case.subject, case.backward, *common, case.plan)
        if returns_backward(case.subject):
            return ClosureSubject(case.subject, *common, case.plan)
        return LossSubject(case.subject, *common)

    def build() -> tuple[Any, Mapping[int, str]]:
        init = {name: copy.deepcopy(value) for name, value in example.init.items()}
        given = {id(value): name for name, value in init.items() if isinstance(value, np.ndarray)}
        return constructed(case.subject, case.construction, init), given

    convention, signature = case.convention, case.forward_signature
    options: dict[str, Any] = {"widened": numpy, "made": example.made, "numbers": example.numbers, "plan": case.plan}
    return LayerSubject(build, case.name, signature, random, convention, **options)


def constructed(cls: Callable[..., Any], construction: Construction, values: Mapping[str, Any]) -> Any:
    """An object of a class, prepared by the methods that its construction names; optimizers are ours, if not given.

    values: the arguments of the constructor and of the methods, by name. Raises whatever they raise.
    """
    ours = {name: Descent() for name in construction.supplied if name not in values}
    own, steps = construction.given({**values, **ours})
    args, kwargs = construction.constructor.bind(own)
    built = cls(*args, **kwargs)
    for (method, signature), named in zip(construction.steps, steps, strict=True):
        args, kwargs = signature.bind(named)
        getattr(built, method)(*args, **kwargs)
    for name in construction.flags_set(values):
        if getattr(built, name, None) is False:
            setattr(built, name, True)
    return built


def subject_from(
    layer: Any,
    signature: Signature,
    convention: Convention,
    random: Randomness,
    *,
    widen: bool = True,
    numbers: Mapping[str, Any] | None = None,
    plan: Plan | None = None,
) -> LayerSubject:
    """Wrap a copy of a finished layer object; ``plan`` is how its backward is called.

    Raises UsageError for one that cannot be copied.
    """
    try:
        copy.deepcopy(layer)
    except Exception as error:
        name = type(layer).__name__
        raise UsageError(
            f"expected a layer object that can be copied, got {name} with a part that cannot ({error}); "
            f"check the class instead, as in check({name}, ...), or keep that part out of the object"
        ) from None
    random.hold(generators(type(layer)))
    title, numpy = type(layer).__name__, Widened(type(layer)) if widen else None
    options: dict[str, Any] = {"widened": numpy, "numbers": numbers, "plan": plan}
    return LayerSubject(lambda: (copy.deepcopy(layer), {}), title, signature, random, convention, **options)
