"""The values that travel from stage to stage; it computes nothing and knows no stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradproof.errors import Absence

FloatArray = NDArray[np.floating[Any]]


class Verdict(StrEnum):
    """What can be said of a tensor, a subject or a run."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


class Reason(StrEnum):
    """Why an entry or a tensor could not be judged."""

    KINK = "kink"  # the function has no derivative here, and the claim lies outside the one-sided slopes
    JUMP = "jump"  # the function itself jumps here
    QUANTISED = "quantised output"  # the output moves in steps: rounding, a cast to integers, argmax
    NON_FINITE = "non-finite"  # NaN or infinity in the output or near the point
    NON_DETERMINISTIC = "non-deterministic"  # the same input gave two outputs, even with the random state frozen
    BELOW_RESOLUTION = "below resolution"  # the gradient is smaller than what round-off leaves visible
    UNSETTLED = "never settled"  # no step size gave a slope that further steps confirm
    NOT_EXAMINED = "not examined"  # nothing was measured: an empty tensor, or a run that ended before


class Role(StrEnum):
    """Where a tensor enters the subject."""

    INPUT = "input"
    PARAMETER = "parameter"


@dataclass(frozen=True)
class Entry:
    """One entry of a gradient: what backward says and what was measured."""

    index: tuple[int, ...]
    analytic: float
    numeric: float
    bound: float


@dataclass(frozen=True, eq=False)
class TensorResult:
    """What one example showed of one tensor.

    ``entries`` is how many the tensor has, ``judged`` how many of them have an answer (agreeing or not); the others are
    counted in ``unjudged`` by reason. ``kinks`` counts entries accepted as a subgradient at a tie. ``resolution`` is
    the certified distance between claim and truth, relative to the largest entry (dimensionless). ``analytic``,
    ``numeric`` and ``bound`` have the tensor's shape where it was measured entry by entry (NaN where not), else None.
    ``remedy``: why no gradient could be read, and what to write to have it judged; None where one was.
    """

    name: str
    role: Role
    shape: tuple[int, ...]
    verdict: Verdict
    method: str
    entries: int
    judged: int
    forwards: int
    unjudged: Mapping[Reason, int] = field(default_factory=dict[Reason, int])
    kinks: int = 0
    directions: int = 0
    resolution: float = float("nan")
    wrong: tuple[Entry, ...] = ()  # the worst first; where the tensor is large, those that were located
    wrong_count: int = 0
    ties: tuple[int, ...] = ()  # flat indices of the entries that sit on a kink and still need another look
    strays: tuple[int, ...] = ()  # those of them whose claim lies outside of the one-sided slopes
    analytic: FloatArray | None = None
    numeric: FloatArray | None = None
    bound: FloatArray | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class LayerError:
    """An exception that left the user's own code. ``traceback`` holds the user's frames only.

    file, line, text: the innermost line of the user's, 0 and "" where the call itself was refused; operands: the arrays
    on it, with their shapes; again: the same call had come back before.
    """

    stage: str  # "the constructor", "forward", "backward"
    kind: str  # the exception's class name
    message: str
    traceback: str
    absence: Absence | None = None  # of a name or a module, where that is why
    file: str = ""
    line: int = 0
    text: str = ""
    operands: tuple[tuple[str, tuple[int, ...]], ...] = ()
    again: bool = False


@dataclass(frozen=True)
class Defect:
    """Something wrong with what was returned (``shape``: of a gradient), or a promise broken; "warning" is no fault.

    ``lines`` are what was seen and what to do, as (label, text). ``kind`` tells apart what one code stands for.
    """

    code: str
    headline: str
    tensor: str | None = None
    lines: tuple[tuple[str, str], ...] = ()
    severity: str = "error"
    shape: tuple[int, ...] | None = None
    kind: str = ""


@dataclass(frozen=True, eq=False)
class Made:
    """A parameter that the layer makes itself, with a value of ours: put there once it is made.

    path: where it stands in the layer, as in convention.leaves. gradient: where the gradient of a Python number stands;
    None for an array. low, high: the ends of the domain that the author's own values suggest, of which none is drawn;
    None where there is no end.
    """

    path: tuple[Any, ...]
    value: NDArray[np.float64]
    gradient: tuple[Any, ...] | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Varied:
    """A hyper-parameter with one of its values, beside its author's ``own``: an argument, or an entry of a dict."""

    argument: str
    value: Any
    own: Any
    of_constructor: bool
    key: str | None = None

    @property
    def is_moved(self) -> bool:
        """Whether it has another value than its author's own."""
        return bool(self.value != self.own)


@dataclass(frozen=True, eq=False)
class Example:
    """One drawn instance of a case: named dims, and the value of every argument of the constructor and of forward.

    made: the values of parameters that the layer makes itself, by name; those that are not there stay as its author
    made them. numbers: the parameters that are Python numbers, with where each stands and where its gradient does.
    varied: the hyper-parameters that take several values, by name, as they are here; init and inputs hold them too.
    """

    dims: Mapping[str, int | tuple[int, ...]]
    init: Mapping[str, Any]
    inputs: Mapping[str, Any]
    seed: int  # of the Generator that draws dout and the directions for this example
    differentiable: frozenset[str] = frozenset()  # the arguments whose gradient is checked
    fixed: frozenset[str] = frozenset()  # the float arguments declared constant
    made: Mapping[str, Made] = field(default_factory=dict[str, Made])
    numbers: Mapping[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = field(default_factory=dict[str, Any])
    varied: Mapping[str, Varied] = field(default_factory=dict[str, Varied])

    @property
    def wanted(self) -> tuple[str, ...]:
        """The inputs whose gradient is checked, in forward's order."""
        return tuple(name for name in self.inputs if name in self.differentiable)


@dataclass(frozen=True, eq=False)
class Jacobian:
    """One tensor, output by output: arrays of shape (outputs, entries of the tensor).

    ``claimed`` is the gradient that backward returns for a dout of 1 at one output and 0 at the others, ``true`` the
    derivative of that output by central differences, good to about five digits.
    """

    claimed: FloatArray
    true: FloatArray


@dataclass(frozen=True, eq=False)
class Dependence:
    """What the gradients of a failing example depend on, as it showed when it was asked.

    ``outputs`` and ``dout`` are flat float64 arrays, as forward gave them and as backward got them. ``elementwise``
    says that each output depends on its own entry of the one tensor alone. ``negated`` names the tensors whose
    gradient stays the same where dout changes its sign, ``rescaled`` those where each entry of dout changes its size.
    ``shapes`` are those of the outputs, ``jacobians`` what was asked output by output, where few forwards could tell;
    ``forwards`` is what all of it took.
    """

    outputs: FloatArray
    dout: FloatArray
    elementwise: bool
    negated: frozenset[str] = frozenset()
    rescaled: frozenset[str] = frozenset()
    shapes: tuple[tuple[int, ...], ...] = ()
    jacobians: Mapping[str, Jacobian] = field(default_factory=dict[str, "Jacobian"])
    forwards: int = 0


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one example showed: a crash, defects of form, or one result per tensor.

    dependence: what its gradients depend on, where that was asked.
    """

    example: Example
    tensors: tuple[TensorResult, ...] = ()
    error: LayerError | None = None
    defects: tuple[Defect, ...] = ()
    unjudged: Reason | None = None  # set where the example as a whole could not be judged
    forwards: int = 0
    notes: tuple[str, ...] = ()
    dependence: Dependence | None = None


@dataclass(frozen=True)
class TensorSummary:
    """One tensor over all examples of a subject."""

    name: str
    role: Role
    verdict: Verdict
    examples: int
    entries: int
    judged: int
    kinks: int
    forwards: int
    unjudged: Mapping[Reason, int] = field(default_factory=dict[Reason, int])
    resolution: float = float("nan")  # the median over the examples
    methods: tuple[str, ...] = ()
    remedy: str | None = None  # where no gradient could be read: why, and what to write to have it judged
