"""Builds the problem: runs a subject once at an example, and turns it into arrays and callables to be measured.

It knows how to perturb a subject and put it back; it judges no gradient.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradproof.convention.gradnames import is_trained
from gradproof.differentiate import per_sample
from gradproof.differentiate.claims import Claims, claims_of, of_lists
from gradproof.differentiate.differentiate import Floats
from gradproof.differentiate.noise import unit
from gradproof.differentiate.problem import Problem
from gradproof.differentiate.repeatable import FROZEN, repeatable_outputs, uncounted
from gradproof.differentiate.sampling import EvaluateStack
from gradproof.guard import SubjectError
from gradproof.subject import gradient_shapes, outputs
from gradproof.subject.outputs import Form
from gradproof.subject.subject import Subject, samples, upstream
from gradproof.values import Defect, Reason

PASSED_ON = "forward returns its input, and backward takes no dout: the loss is kept elsewhere, and was not examined"
LOST = (
    "forward reads it, and no gradient of it was found: let backward keep one, as in self.dW = ... for self.W; "
    'where it is frozen on purpose, name those that are not: Convention(gradients={"W": "dW"})'
)


@dataclass(frozen=True, eq=False)
class NoProblem:
    """Why there is nothing to measure: defects of form, or a reason with a sentence."""

    defects: tuple[Defect, ...] = ()
    reason: Reason | None = None
    note: str | None = None


@dataclass(eq=False)
class ProblemBuilder:
    """A subject at one example. ``forwards`` counts every call of forward; ``notes`` say what was done to check it."""

    subject: Subject
    inputs: Mapping[str, Any]
    wanted: tuple[str, ...]  # the differentiable inputs
    declared: bool = True
    widen: bool = True  # narrow inputs are raised to float64; if not, dout has the dtype of the output
    fixed: frozenset[str] = frozenset()  # the arguments that are declared to have no gradient
    forwards: int = 0
    notes: list[str] = field(default_factory=list[str])
    remarks: list[Defect] = field(default_factory=list[Defect])  # defects that do not stand in the way of measuring

    def __post_init__(self) -> None:
        self.subject.wanted = self.wanted
        raised = self.wanted if self.widen else ()
        self._inputs = {name: _wide(value) if name in raised else value for name, value in self.inputs.items()}
        self._form: Form | None = None
        self._lost: Mapping[str, str] = {}  # the parameters that backward left out; what to write to have them judged
        self._moved: dict[str, Floats] = {}  # parameters whose value is not the subject's own

    def build(self, rng: np.random.Generator) -> Problem | NoProblem:
        """Run forward and backward at the example. Raises SubjectError where the subject raises."""
        returned = self._forward({})
        form = outputs.form_of(returned)
        if isinstance(form, Defect):
            return NoProblem((form,))
        refusal = outputs.unjudgeable(form)
        if refusal is not None:
            return NoProblem(reason=refusal[0], note=refusal[1])
        self._form = form
        flat = repeatable_outputs(self.subject, self._forward, form, returned, self._inputs, self.wanted)
        if flat is None:
            return NoProblem(reason=Reason.NON_DETERMINISTIC, note="forward gives another output for the same input")
        if self.subject.frozen:
            self.notes.append(FROZEN)
        unexamined = self._unexamined(flat, form)
        if unexamined is not None:
            return NoProblem(reason=Reason.NOT_EXAMINED, note=unexamined)
        dout = upstream(self.subject, form.shapes, rng)
        claims, defects = self._backward(dout)
        if samples(self.subject, form.shapes):
            dout, note = per_sample.mean_or_sum(dout, self._values(), claims, self._moved_to)
            self.notes.append(note)
        if not defects:
            self._note_left_out(claims)
        self.notes += self.subject.notes
        self._note_lost(flat, form)
        if not np.isfinite(flat).all():
            return NoProblem(defects, Reason.NON_FINITE, "the output holds NaN or infinity")
        return self._problem(flat, dout, claims, defects)

    def _unexamined(self, flat: Floats, form: Form) -> str | None:
        """Why backward cannot be asked; None where it can."""
        untold = self.subject.untold()
        if untold is not None:
            return untold
        keeps_loss = self.subject.may_keep_loss() and self._is_input(flat, form)
        return PASSED_ON if keeps_loss else None

    def _note_left_out(self, claims: Mapping[str, Any]) -> None:
        left = [name for name in self.wanted if name not in claims]
        if left:
            self.notes.append(f"no gradient is returned for {', '.join(left)}: not checked")

    def _note_lost(self, flat: Floats, form: Form) -> None:
        """Find what forward reads and backward keeps no gradient for."""
        lost = uncounted(self.subject, self._forward, form, flat)
        self.notes += [f"{name} changes the output; no gradient is kept for it: not checked" for name in lost]
        live = self.subject.parameters().keys() - self.fixed
        self._lost = {name: LOST for name in lost if name in live and is_trained(name)}

    def _is_input(self, flat: Floats, form: Form) -> bool:
        """Whether the only output is one of the inputs, unchanged."""
        given = [np.asarray(value) for name, value in self._inputs.items() if name in self.wanted]
        known = [value for value in given if value.size]  # nothing is like nothing
        return any(form.shapes == (value.shape,) and outputs.same(flat, value.reshape(-1)) for value in known)

    def again(self, values: Mapping[str, Floats], dout: Floats) -> Problem | NoProblem:
        """Make the problem at other values of its tensors, with the same dout."""
        inputs, self._moved = self._parted(values)
        self._inputs = {**self._inputs, **inputs}
        flat, claims = self._run({}, {}, dout)
        if flat is None or claims is None or not np.isfinite(flat).all():
            return NoProblem(reason=Reason.NON_FINITE, note="the moved point lies outside of forward's domain")
        return self._problem(flat, dout, claims, ())

    def _problem(
        self, flat: Floats, dout: Floats, claims: Mapping[str, Any], defects: tuple[Defect, ...]
    ) -> Problem | NoProblem:
        parameters = self.subject.parameters()
        dtypes = {name: array.dtype for name, array in parameters.items()}
        found = claims_of(self._values(), claims, dtypes, self.subject.updates, self._missing(defects))
        # without parameters, no gradient is lost by what is wrong with their lists
        remarks = [] if parameters else of_lists(defects)
        defects = tuple(defect for defect in (*defects, *found.defects) if defect not in remarks)
        self.remarks += remarks
        if defects and not [*found.tensors, *found.unread]:
            return NoProblem(defects)
        self.remarks += [defect for defect in defects if defect not in self.remarks]
        return self._of_claims(found, flat, dout)

    def _of_claims(self, found: Claims, flat: Floats, dout: Floats) -> Problem:
        """The problem of these claims, with what measures it."""
        names, form = [tensor.name for tensor in found.tensors], self._form or Form((), ())
        calls = self._evaluator(names), self._line(names, dout), self._stacker(names)
        alone = self._forward_alone(names)
        return Problem(found.tensors, flat, dout, *calls, max(map(unit, form.dtypes)), form.shapes, found.unread, alone)

    def _missing(self, defects: Sequence[Defect]) -> dict[str, str | None]:
        """The tensors that should have a gradient and may have none, with what to write to have each judged."""
        missing: dict[str, str | None] = {**self._lost, **self.subject.unread}
        if any(defect.code == "GP203" for defect in defects):
            missing |= dict.fromkeys(self.wanted)
        return missing

    def _values(self) -> dict[str, Floats]:
        """Copies of every tensor's value: the differentiable inputs, then the parameters."""
        values = {name: np.array(self._inputs[name], dtype=np.float64) for name in self.wanted}
        values |= {name: np.array(array, dtype=np.float64) for name, array in self.subject.parameters().items()}
        return values | self._moved

    def _forward(self, changed: Mapping[str, Any]) -> tuple[Any, ...]:
        """Call forward on copies of the inputs, some of them changed."""
        self.forwards += 1
        own = {n: v if n in changed else _fresh(v, deep=self.subject.frozen) for n, v in self._inputs.items()}
        try:
            return self.subject.forward({**own, **changed})
        except SubjectError as raised:
            again = self._form is not None and not changed  # it came back at these inputs before
            raise SubjectError(replace(raised.error, again=again)) from None

    def _backward(self, dout: Floats) -> tuple[Mapping[str, Any], tuple[Defect, ...]]:
        """Call backward right after the forward that was just made; gradients are copied before anything else runs."""
        if self._form is None:
            return {}, ()
        live = self.subject.parameters()
        before = {name: array.copy() for name, array in live.items()}
        returned = self.subject.backward(self._douts(dout, self._form))
        arrays = [name for name, value in self._inputs.items() if isinstance(value, np.ndarray)]
        inputs, defects = outputs.input_gradients(returned, self.wanted, arrays, declared=self.declared)
        parameters, more = self.subject.gradients()
        claims = {name: _copy(gradient) for name, gradient in {**inputs, **parameters}.items()}
        for name, array in live.items():  # a backward that writes into the parameters was asked at their old values
            if array.flags.writeable:
                array[...] = before[name]
        return claims, (*defects, *more)

    def _douts(self, dout: Floats, form: Form) -> list[Any]:
        """Dout as backward takes it: an array or a number for each output, in float64 or in the output's own dtype."""
        dtypes = [np.dtype(np.float64) if self.widen else dtype for dtype in form.dtypes]
        parts = zip(form.split(dout), form.shapes, dtypes, strict=True)
        return [part.astype(dtype) if shape else float(part) for part, shape, dtype in parts]

    def _evaluator(self, names: Sequence[str]) -> Callable[[int, Floats], Floats]:
        return lambda number, value: self._moved_to({names[number]: value})

    def _forward_alone(self, names: Sequence[str]) -> Callable[[Sequence[Floats]], Floats]:
        return lambda values: self._moved_to(dict(zip(names, values, strict=True)))

    def _moved_to(self, values: Mapping[str, Floats]) -> Floats:
        return self._outputs(*self._parted(values))

    def _parted(self, values: Mapping[str, Floats]) -> tuple[dict[str, Floats], dict[str, Floats]]:
        """Values of tensors as those of the inputs, and those of the parameters."""
        inputs = {name: value for name, value in values.items() if name in self.wanted}
        return inputs, {name: value for name, value in values.items() if name not in self.wanted}

    def _outputs(self, inputs: Mapping[str, Floats], parameters: Mapping[str, Floats]) -> Floats:
        """Flat outputs with some tensors changed; NaN where forward raises there: outside of its domain."""
        flat, _ = self._run(inputs, parameters, None)
        return np.full(sum(self._form.sizes) if self._form else 0, np.nan) if flat is None else flat

    def _run(
        self, inputs: Mapping[str, Floats], parameters: Mapping[str, Floats], dout: Floats | None
    ) -> tuple[Floats | None, Mapping[str, Any] | None]:
        """Forward (and backward, with a dout) with some tensors changed; the parameters are put back."""
        form, changed = self._form, {**self._moved, **parameters} if self._moved else parameters
        if form is None:
            return None, None
        self.subject.restart()
        live = self.subject.parameters() if changed else {}
        if any(name not in live for name in changed):
            return None, None
        before = {name: live[name].copy() for name in changed}
        try:
            _write(changed, live)
            flat = outputs.flat(self._forward(inputs), form)
            return (flat, None) if dout is None else (outputs.own(flat), self._backward(dout)[0])
        except SubjectError:
            return None, None
        finally:
            _write(before, live)

    def _line(
        self, names: Sequence[str], dout: Floats
    ) -> Callable[[Sequence[Floats]], tuple[Floats, Sequence[Floats]]]:
        def at(values: Sequence[Floats]) -> tuple[Floats, Sequence[Floats]]:
            given = dict(zip(names, values, strict=True))
            flat, claims = self._run(*self._parted(given), dout)
            read = [gradient_shapes.read((claims or {}).get(name), given[name].shape) for name in names]
            known = [claim for claim in read if claim is not None]
            if flat is None or len(known) < len(names):
                return np.full(dout.size, np.nan), [np.full(value.shape, np.nan) for value in values]
            return flat, known

        return at

    def _stacker(self, names: Sequence[str]) -> Callable[[int], EvaluateStack | None]:
        def stack(number: int) -> EvaluateStack | None:
            name, form = names[number], self._form
            if name not in self.wanted or self.subject.frozen or form is None or len(form.shapes) != 1:
                return None
            rows = np.shape(self._inputs[name])[0] if np.ndim(self._inputs[name]) > 1 else 0
            if rows < 2 or not form.shapes[0] or form.shapes[0][0] != rows:
                return None
            return lambda copies, value: self._stacked(name, rows, copies, value)

        return stack

    def _stacked(self, name: str, rows: int, copies: int, value: Floats) -> Floats:
        """Outputs of one forward on many copies of the batch, as (rows of all copies, outputs of one row)."""
        changed: dict[str, Any] = {name: value}
        for other, array in self._inputs.items():
            if other != name and isinstance(array, np.ndarray) and array.ndim and array.shape[0] == rows:
                changed[other] = np.concatenate([array] * copies)
        nothing = np.empty((0, 0))
        try:
            returned = self._forward(changed)
        except SubjectError:
            return nothing
        result = np.asarray(returned[0], dtype=np.float64)
        fits = len(returned) == 1 and result.ndim > 0 and result.shape[0] == rows * copies
        return result.reshape(rows * copies, -1) if fits else nothing


def _wide(value: Any) -> Any:
    array = np.asarray(value)
    return array.astype(np.float64) if array.dtype.kind == "f" and array.dtype != np.float64 else value


def _fresh(value: Any, *, deep: bool) -> Any:
    """An input as forward may have it: a copy, as forward may write into it; of other objects where it is frozen."""
    if isinstance(value, np.ndarray):
        return value.copy()
    return copy.deepcopy(value) if deep or isinstance(value, (dict, list)) else value


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _write(values: Mapping[str, Floats], live: Mapping[str, Any]) -> None:
    for name, value in values.items():
        live[name][...] = value
