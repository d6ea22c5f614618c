"""Runs a Case once, on sizes that all differ, and tells what happened; it judges no gradient and repairs nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from gradproof.case.case import Case
from gradproof.case.limits import SIZES
from gradproof.case.signatures import method_signature
from gradproof.case.sizes import Chosen, Space
from gradproof.case.specs import Floats, Labels
from gradproof.convention.convention import convention_for
from gradproof.convention.return_statements import hands_nothing_further, returns_nothing
from gradproof.differentiate.problem import Problem
from gradproof.differentiate.problem_builder import NoProblem, ProblemBuilder
from gradproof.errors import UsageError
from gradproof.generate.arrays import Style
from gradproof.generate.examples import Plan, build, styled
from gradproof.guard import Randomness, SubjectError, quiet
from gradproof.infer.dim_names import BATCH
from gradproof.infer.stillness import is_constant
from gradproof.subject.gradient_shapes import differs_in_ones
from gradproof.subject.subject import Subject, subject_of
from gradproof.values import Defect, Example, LayerError, Reason, Role

Array = NDArray[Any]

_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)  # no product of others stands for one of them
_STAGES = ("the constructor", "forward", "backward")
BACKWARD = _STAGES.index("backward")
# names of classes that are the whole of what is trained: before them stands the data, whose gradient nobody needs
_WHOLE = re.compile(r"(model|net|network|classifier|regression|regressor|perceptron|mlp|autoencoder)$", re.IGNORECASE)
_MISSING = "GP202"  # of a gradient that is None
_STIRRED = 3  # other values of an input, to see whether the output moves at all: a dead ReLU hides one


@dataclass(frozen=True, eq=False)
class Attempt:
    """What one run showed.

    error: what forward, backward or the constructor raised; defects: of the form of what came back; reason: why there
    was nothing to measure; still: the float inputs that do not move the output; tensors: how many have a gradient;
    left_out: the float inputs that have none, as where a model's backward returns those of its parameters alone;
    idle: whether the output is an input as it is, whatever the parameters are; constant: whether it is the same for
    all data, whatever the parameters are; between: whether backward is given what a next layer hands back, as that of a
    loss is not.
    """

    dims: Chosen
    forwards: int = 0
    error: LayerError | None = None
    defects: tuple[Defect, ...] = ()
    reason: Reason | None = None
    still: frozenset[str] = frozenset()
    tensors: int = 0
    left_out: frozenset[str] = frozenset()
    idle: bool = False
    constant: bool = False
    between: bool = False

    @property
    def ran(self) -> bool:
        """Whether forward and backward came back, whatever with."""
        return self.error is None and self.reason in (None, Reason.NON_DETERMINISTIC)

    @property
    def clean(self) -> bool:
        """Whether each tensor got a gradient of its shape, and each float input moves the output."""
        return self.ran and not self.defects and not self.still and not self.constant and self.tensors > 0

    @property
    def reached(self) -> int:
        """How far it came: 0 the constructor, 1 forward, 2 backward, 3 the end."""
        return len(_STAGES) if self.error is None else _STAGES.index(self.error.stage)


def attempt(case: Case, *, falling: bool, seed: int, fixed: Mapping[str, int] | None = None) -> Attempt:
    """Run ``case`` once, at sizes that rise in the order of its dims, or fall; ``fixed`` are the sizes of some."""
    dims = _sizes(case, falling=falling, fixed=fixed or {})
    plan = Plan(dims, dict.fromkeys(styled(case), Style.NORMAL), seed)
    example = _with_extreme_labels(case, build(case, plan, {}))
    with quiet(), Randomness(seed) as random:
        builder: ProblemBuilder | None = None
        rng = np.random.default_rng(seed)
        try:
            subject = subject_of(case, example, random)
            builder = ProblemBuilder(subject, example.inputs, example.wanted)
            problem = builder.build(rng)
            if isinstance(problem, NoProblem):
                return Attempt(dims, builder.forwards, defects=problem.defects, reason=problem.reason)
            still, is_idle = _still(problem, rng), _is_idle(problem, subject, example, rng)
            others = [build(case, replace(plan, seed=seed + 1 + i), {}).inputs for i in range(_STIRRED)]
            constant = is_constant(subject, example.inputs, others, rng)
        except SubjectError as raised:
            return Attempt(dims, 0 if builder is None else builder.forwards, error=raised.error)
    is_between = subject.takes_dout() and problem.shapes != ((),)
    moved = Attempt(dims, builder.forwards, still=still, idle=is_idle, constant=constant, between=is_between)
    return _with_defects(moved, case, problem, builder.remarks, example.wanted)


def _with_defects(
    ran: Attempt, case: Case, problem: Problem, remarks: Sequence[Defect], wanted: Sequence[str]
) -> Attempt:
    """An attempt that ran, with what it says of the shapes, and which inputs have no gradient."""
    shapes = {tensor.name: tensor.value.shape for tensor in problem.tensors}
    defects = tuple(defect for defect in remarks if _tells_of_shapes(defect, shapes))
    data = _data(case, defects, shapes, wanted)
    return replace(
        ran,
        defects=tuple(defect for defect in defects if defect.tensor not in data),
        tensors=len(problem.tensors),
        left_out=frozenset(wanted).difference(shapes) | data,
    )


def _sizes(case: Case, *, falling: bool, fixed: Mapping[str, int]) -> Chosen:
    """Sizes that all differ, but for those that are fixed; few images, over which layers loop in Python."""
    dims = {**different(case.space, falling=falling), **fixed}
    has_images = any(isinstance(spec, Floats) and len(spec.shape.axes) > 3 for spec in case.inputs.values())
    if has_images and BATCH in dims:
        dims[BATCH] = 3 if falling else 2
    return dims


def _data(case: Case, defects: Sequence[Defect], tensors: Collection[str], wanted: Sequence[str]) -> frozenset[str]:
    """The inputs whose gradient is missing and that need none, as nothing stands before the layer."""
    without = {defect.tensor for defect in defects if defect.code == _MISSING}
    missing = frozenset(name for name in wanted if name in without)
    return missing if missing and _is_first(case, tensors) else frozenset()


def _is_first(case: Case, tensors: Collection[str]) -> bool:
    """Whether nothing stands before it: it is a net that returns nothing, or says itself that it returns nothing.

    Declared, an input is one whose gradient is wanted, and then it is missing.
    """
    if case.convention is None:
        return False
    backward = getattr(case.subject, case.convention.backward)
    is_net = any("." in name for name in tensors) or _WHOLE.search(case.subject.__name__) is not None
    return hands_nothing_further(backward) or (is_net and returns_nothing(backward))


def _tells_of_shapes(defect: Defect, shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether it may be no fault of backward, but of the shapes that were tried.

    (1, k) for a bias of (k,) is a fault of backward: a bias that is (1, k) for its sake would hide it.
    """
    if defect.severity != "error" or defect.code == "GP205":
        return False
    own = shapes.get(defect.tensor or "")
    return own is None or defect.shape is None or not differs_in_ones(defect.shape, own)


def built(cls: type) -> Any:
    """An object of a layer class whose constructor needs nothing, to be handed to another one; None where it raises."""
    try:
        needed = method_signature(cls, convention_for(cls, cls.__name__, None).forward).required
        case = Case(cls, **cast(Any, dict.fromkeys(needed, "n d")))
        with quiet(), Randomness(0) as random:
            return getattr(subject_of(case, Example({}, {}, {}, 0), random), "layer", None)
    except (SubjectError, UsageError):
        return None


def different(space: Space, *, falling: bool) -> Chosen:
    """Sizes for the dims of a case, all different where their ranges allow it."""
    narrow = [name for name, (_, most) in space.ranges.items() if most < SIZES[1]]
    free = [name for name in space.ranges if name not in narrow]  # the last of them the smallest, where sizes fall
    chosen: dict[str, int] = {}
    for name in narrow:
        least, most = space.ranges[name]
        chosen[name] = _size_between(least, most, chosen.values(), falling=falling)
    leasts = {name: space.ranges[name][0] for name in (reversed(free) if falling else free)}
    chosen |= _primes_from(leasts, chosen.values())
    dims: Chosen = {name: chosen[name] for name in space.ranges}
    return {**dims, **dict.fromkeys(space.axes, (2,))}


def _primes_from(leasts: Mapping[str, int], taken: Collection[int]) -> dict[str, int]:
    """For each name, in their order, the first prime that is large enough and not yet taken; of a few small ones."""
    pool = [value for value in _PRIMES if value not in taken][: len(leasts) + 2]
    found: dict[str, int] = {}
    for name, least in leasts.items():
        found[name] = next((value for value in pool if value >= least), max(_PRIMES) + len(taken) + len(found))
        pool = [value for value in pool if value != found[name]]
    return found


def _size_between(least: int, most: int, taken: Collection[int], *, falling: bool) -> int:
    """A size that is not taken, from the largest down or from 2 up; where all are taken, the order of sizes is kept."""
    small = max(least, min(2, most))
    values, last = range(small, most + 1), most
    if falling:
        values, last = range(most, least - 1, -1), small
    return next((value for value in values if value not in taken), last)


def _with_extreme_labels(case: Case, example: Example) -> Example:
    """All labels are the largest that is allowed, so that a bound that is too high shows, and by how much."""
    for name, spec in {**case.init, **case.inputs}.items():
        values: Mapping[str, Any] = example.inputs if name in example.inputs else example.init
        if isinstance(spec, Labels):
            values[name][...] = spec.below.resolve(example.dims) - 1
    return example


def _still(problem: Problem, rng: np.random.Generator) -> frozenset[str]:
    """The inputs that the output does not depend on, as far as other values of them show."""
    found: set[str] = set()
    for number, tensor in enumerate(problem.tensors):
        is_input = tensor.role is Role.INPUT and tensor.value.size
        if is_input and _is_still(problem, number, tensor.value, rng):
            found.add(tensor.name)
    return frozenset(found)


def _is_still(problem: Problem, number: int, value: Array, rng: np.random.Generator) -> bool:
    """Whether the outputs stay as they are with other values of the tensor; the first that moves them ends it."""
    for _ in range(_STIRRED):
        other = np.abs(value) * rng.uniform(0.5, 1, value.shape)
        for sign in _signs(value):
            outputs = problem.evaluate(number, sign * other)
            if not np.array_equal(problem.outputs, outputs, equal_nan=True):
                return False
    return True


def _is_idle(problem: Problem, subject: Subject, example: Example, rng: np.random.Generator) -> bool:
    """Whether the output is an input as it is, and stays so where every parameter is another."""
    inputs = (tensor.value for tensor in problem.tensors if tensor.role is Role.INPUT)
    if not any(np.array_equal(np.ravel(value), problem.outputs) for value in inputs):
        return False
    subject.restart()
    for array in subject.parameters().values():
        array[...] = rng.uniform(0.5, 1, array.shape)
    outputs = subject.forward(example.inputs)
    return len(outputs) == 1 and np.array_equal(np.ravel(outputs[0]), problem.outputs)


def _signs(value: Any) -> tuple[int, ...]:
    """Negative values only where there are some: a domain may end at zero."""
    return (1, -1) if np.any(value < 0) else (1,)
