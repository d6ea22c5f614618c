"""Poses the problem: runs a subject once at an example, and turns it into arrays and callables to be measured.

It knows how to perturb a subject and put it back; it judges no gradient.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradproof import outputs
from gradproof.differentiate import Floats
from gradproof.guard import SubjectError, fingerprint
from gradproof.noise import unit
from gradproof.outputs import Form
from gradproof.problem import Problem, Tensor
from gradproof.sampling import EvaluateStack
from gradproof.subject import Subject
from gradproof.values import Defect, Reason, Role


@dataclass(frozen=True, eq=False)
class Unposed:
    """Why there is nothing to measure: defects of form, or a reason with a sentence."""

    defects: tuple[Defect, ...] = ()
    reason: Reason | None = None
    note: str | None = None


@dataclass(eq=False)
class Pose:
    """A subject at one example. ``forwards`` counts every call of forward; ``notes`` say what was done to check it."""

    subject: Subject
    inputs: Mapping[str, Any]
    wanted: tuple[str, ...]  # the differentiable inputs
    declared: bool = True
    widen: bool = True  # narrow inputs are raised to float64; if not, dout has the dtype of the output
    forwards: int = 0
    notes: list[str] = field(default_factory=list[str])
    remarks: list[Defect] = field(default_factory=list[Defect])  # defects that do not stand in the way of measuring

    def __post_init__(self) -> None:
        raised = self.wanted if self.widen else ()
        self._inputs = {name: _wide(value) if name in raised else value for name, value in self.inputs.items()}
        self._form: Form | None = None
        self._moved: dict[str, Floats] = {}  # parameters whose value is not the subject's own

    def pose(self, rng: np.random.Generator) -> Problem | Unposed:
        """Run forward and backward at the example. Raises SubjectError where the subject raises."""
        before = self.subject.drawn(), fingerprint(self._inputs)
        returned = self._forward({})
        draws = before != (self.subject.drawn(), fingerprint(self._inputs))
        form = outputs.form_of(returned)
        if isinstance(form, Defect):
            return Unposed((form,))
        refusal = outputs.unjudgeable(form)
        if refusal is not None:
            return Unposed(reason=refusal[0], note=refusal[1])
        self._form = form
        flat = self._settle(returned, form, draws)
        if isinstance(flat, Unposed):
            return flat
        dout = rng.standard_normal(flat.size) if self.subject.takes_dout() else np.ones(flat.size)
        claims, defects = self._backward(dout)
        if not np.isfinite(flat).all():
            return Unposed(defects, Reason.NON_FINITE, "the output holds NaN or infinity")
        return self._problem(flat, dout, claims, defects)

    def again(self, values: Mapping[str, Floats], dout: Floats) -> Problem | Unposed:
        """Pose the problem at other values of its tensors, with the same dout."""
        self._inputs = {**self._inputs, **{name: value for name, value in values.items() if name in self.wanted}}
        self._moved = {name: value for name, value in values.items() if name not in self.wanted}
        flat, claims = self._run({}, {}, dout)
        if flat is None or claims is None or not np.isfinite(flat).all():
            return Unposed(reason=Reason.NON_FINITE, note="the nudged point lies outside of forward's domain")
        return self._problem(flat, dout, claims, ())

    def _problem(
        self, flat: Floats, dout: Floats, claims: Mapping[str, Any], defects: tuple[Defect, ...]
    ) -> Problem | Unposed:
        values = self._values()
        roles = {name: Role.INPUT if name in self.wanted else Role.PARAMETER for name in values}
        if not self.subject.parameters():
            self.remarks += [defect for defect in defects if defect.code == "GP205"]  # no gradient is lost by it
            defects = tuple(defect for defect in defects if defect.code != "GP205")
        unreal = {name: array.dtype for name, array in self.subject.parameters().items() if array.dtype.kind != "f"}
        defects = (*defects, *(outputs.unreal_parameter(name, dtype) for name, dtype in unreal.items()))
        malformed = [
            outputs.malformed(name, claim, values[name].shape, parameter=roles[name] is Role.PARAMETER)
            for name, claim in claims.items()
        ]
        defects = (*defects, *(defect for defect in malformed if defect is not None))
        if defects:
            return Unposed(defects)
        tensors = [Tensor(name, roles[name], values[name], np.array(claims[name], dtype=np.float64)) for name in claims]
        names = [tensor.name for tensor in tensors]
        eps = max(unit(dtype) for dtype in (self._form.dtypes if self._form else ()))
        return Problem(tensors, flat, dout, self._evaluator(names), self._line(names, dout), self._stacker(names), eps)

    def _values(self) -> dict[str, Floats]:
        """Copies of every tensor's value: the differentiable inputs, then the parameters."""
        values = {name: np.array(self._inputs[name], dtype=np.float64) for name in self.wanted}
        values |= {name: np.array(array, dtype=np.float64) for name, array in self.subject.parameters().items()}
        return values | self._moved

    def _forward(self, changed: Mapping[str, Any]) -> tuple[Any, ...]:
        """Call forward on copies of the inputs, some of them changed."""
        self.forwards += 1
        return self.subject.forward(
            {
                name: changed[name] if name in changed else _fresh(value, deep=self.subject.frozen)
                for name, value in self._inputs.items()
            }
        )

    def _settle(self, returned: tuple[Any, ...], form: Form, draws: bool) -> Floats | Unposed:
        """Make forward repeatable: as it is, or frozen before each call, or not at all."""
        first = outputs.own(outputs.flat(returned, form))
        with contextlib.suppress(SubjectError):  # another input in between: a state that it leaves behind shows
            self._forward({name: outputs.stirred(self._inputs[name]) for name in self.wanted})
        again = outputs.flat(self._forward({}), form)
        if not draws and first is not None and again is not None and outputs.same(first, again):
            return first
        self.subject.frozen = True
        pair = []
        for _ in range(2):
            self.subject.restart()
            pair.append(outputs.own(outputs.flat(self._forward({}), form)))
        if pair[0] is None or pair[1] is None or not outputs.same(pair[0], pair[1]):
            return Unposed(reason=Reason.NON_DETERMINISTIC, note="forward gives another output for the same input")
        self.notes.append("forward is random or keeps a state: frozen before every call")
        return pair[0]

    def _backward(self, dout: Floats) -> tuple[Mapping[str, Any], tuple[Defect, ...]]:
        """Call backward right after the forward that was just made; gradients are copied before anything else runs."""
        form = self._form
        if form is None:
            return {}, ()
        dtypes = [np.dtype(np.float64) if self.widen else dtype for dtype in form.dtypes]
        parts = zip(form.split(dout), form.shapes, dtypes, strict=True)
        douts = [part.astype(dtype) if shape else float(part) for part, shape, dtype in parts]
        returned = self.subject.backward(douts)
        arrays = [name for name, value in self._inputs.items() if isinstance(value, np.ndarray)]
        inputs, defects = outputs.input_gradients(returned, self.wanted, arrays, declared=self.declared)
        parameters, more = self.subject.gradients()
        claims = {name: _copy(gradient) for name, gradient in {**inputs, **parameters}.items()}
        return claims, (*defects, *more)

    def _evaluator(self, names: Sequence[str]) -> Callable[[int, Floats], Floats]:
        inputs = frozenset(self.wanted)

        def evaluate(number: int, value: Floats) -> Floats:
            name = names[number]
            return self._outputs({name: value}, {}) if name in inputs else self._outputs({}, {name: value})

        return evaluate

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
        before = {name: live[name].copy() for name in changed}
        try:
            for name, value in changed.items():
                live[name][...] = value
            flat = outputs.flat(self._forward(inputs), form)
            return (flat, None) if dout is None else (outputs.own(flat), self._backward(dout)[0])
        except SubjectError:
            return None, None
        finally:
            for name, value in before.items():
                live[name][...] = value

    def _line(
        self, names: Sequence[str], dout: Floats
    ) -> Callable[[Sequence[Floats]], tuple[Floats, Sequence[Floats]]]:
        def at(values: Sequence[Floats]) -> tuple[Floats, Sequence[Floats]]:
            given = dict(zip(names, values, strict=True))
            inputs = {name: value for name, value in given.items() if name in self.wanted}
            flat, claims = self._run(inputs, {name: given[name] for name in given if name not in inputs}, dout)
            fits = claims is not None and all(
                name in claims and np.shape(claims[name]) == given[name].shape for name in names
            )
            if flat is None or claims is None or not fits:
                return np.full(dout.size, np.nan), [np.full(value.shape, np.nan) for value in values]
            return flat, [np.asarray(claims[name], dtype=np.float64) for name in names]

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
    """An input as forward may have it: a copied array; where the subject is frozen, a copied generator too."""
    return value.copy() if isinstance(value, np.ndarray) else copy.deepcopy(value) if deep else value


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value
