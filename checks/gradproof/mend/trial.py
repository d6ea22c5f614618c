"""One example with a known answer, at which a changed backward can be tried again and again; it changes nothing itself.

Where the example was judged, its true gradients are known already: a trial costs a backward, and no forward but for a
change of forward itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradproof.compare.tally import is_unread
from gradproof.diagnose.evidence import Sample
from gradproof.differentiate.differentiate import Floats, top_step
from gradproof.guard import Randomness, SubjectError
from gradproof.mend.budget import LINES, TURNS, Budget, EndlessError, counted
from gradproof.mend.truth import judged, measured
from gradproof.subject import gradient_shapes, outputs
from gradproof.subject.outputs import Form
from gradproof.subject.subject import Subject, upstream
from gradproof.values import Outcome

DIRECTIONS = 2  # along which a backward is held against another forward
STEP = 1e-4  # of the first step of a measurement: truncation is then near 1e-8 of a third derivative
CLOSE = 1e-5  # relative: what is no derivative is further off
NOTHING = 1e-30  # beside a dout of about 1: where an output does not move at all, a claim may be that small and right

Build = Callable[..., Subject]


@dataclass(eq=False)
class Trial:
    """A subject right after a forward at an example, and samples of its tensors with their true gradients.

    ``right`` names the tensors whose gradient is right there as it is; ``forwards`` counts those of the trial.
    ``twice`` asks that a second backward be as right as the first. ``unkept`` are variables that forward had.
    ``any_shape`` names the tensors whose gradient is read as it is, in another shape than theirs. ``costs`` are
    those of a forward and of a run of backward, in runs that take no time of their own, as the ``budget`` counts them.
    """

    outcome: Outcome
    subject: Subject
    form: Form
    outputs: Floats
    dout: Floats
    samples: Mapping[str, Sample] = field(default_factory=dict[str, Sample])
    right: frozenset[str] = frozenset()
    forwards: int = 0
    twice: bool = False
    unkept: Mapping[str, Any] = field(default_factory=dict[str, Any])
    any_shape: frozenset[str] = frozenset()
    budget: Budget = field(default_factory=Budget)
    costs: tuple[float, float] = (1.0, 1.0)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many entries are wrong, of each tensor that has some."""
        wrong = {name: sample for name, sample in self.samples.items() if name not in self.right}
        return {name: int(np.count_nonzero(sample.wrong)) or sample.position.size for name, sample in wrong.items()}

    def now_right(self, *, anew: bool = False) -> frozenset[str] | None:
        """The tensors whose gradient is right as the code is now; None where it raises, or gives another output.

        anew: run forward again, for that was changed too.
        """
        claims = self.claims(anew=anew)
        return None if claims is None else frozenset(n for n, s in self.samples.items() if _agrees(s, claims.get(n)))

    def claims(self, *, anew: bool = False) -> Mapping[str, Any] | None:
        """What backward claims as the code is now, by tensor."""
        forward, backward = self.costs
        self.budget.spend(backward * (1 + self.twice) + forward * anew)
        subject = self.subject.fork()
        try:
            if anew and not self._repeats(subject):
                return None
            if self.twice:
                self._backward(subject)
            return self._backward(subject)
        except SubjectError as raised:
            self._pay_for(raised)
            return None

    def _pay_for(self, raised: SubjectError) -> None:
        if raised.error.kind == EndlessError.__name__:
            self.budget.spend(TURNS / LINES)

    def arguments(self) -> dict[str, Any]:
        """Copies of forward's arguments that are arrays, by name, and of its variables where they were watched."""
        inputs = inputs_of(self.outcome, self.subject.wanted or ())
        variables = {name: value.copy() for name, value in self.unkept.items()}
        return {**variables, **{name: value for name, value in inputs.items() if isinstance(value, np.ndarray)}}

    def given(self, names: Collection[str]) -> dict[str, Any]:
        """Those of the arguments and variables of forward that have these names."""
        return {name: value for name, value in self.arguments().items() if name in names} if names else {}

    def run_again(self) -> None:
        """Run forward once more, on a copy of the subject."""
        self.forwards += 1
        subject = self.subject.fork()
        subject.restart()
        subject.forward(inputs_of(self.outcome, subject.wanted or ()))

    def outputs_at(self, name: str, value: Floats) -> Floats:
        """The outputs with one tensor replaced; NaN where forward raises or has another form there."""
        return self._outputs(self.subject, {name: value})

    def outputs_now(self) -> Floats:
        """The outputs as the code is now; NaN where forward raises or has another form."""
        return self._outputs(self.subject, {})

    def is_derivative(self, random: np.random.Generator) -> bool:
        """Whether backward, as the code is now, is the derivative of forward as it is now: along random directions."""
        forward, backward = self.costs
        self.budget.spend(backward + (1 + 2 * DIRECTIONS) * forward)
        subject, values = self.subject.fork(), {**self.arguments(), **self.subject.parameters()}
        try:
            self.forwards += 1
            subject.restart()
            flat = outputs.flat(subject.forward(inputs_of(self.outcome, subject.wanted or ())), self.form)
            claims = self._backward(subject) if flat is not None and np.isfinite(flat).all() else None
        except SubjectError as raised:
            self._pay_for(raised)
            return False
        shapes = {} if claims is None else {name: np.shape(claim) for name, claim in claims.items()}
        if claims is None or any(shapes.get(name) != sample.shape for name, sample in self.samples.items()):
            return False
        for _ in range(DIRECTIONS):
            way = {name: top_step(values[name]) * random.standard_normal(s.shape) for name, s in self.samples.items()}
            slope = self._slope(subject, values, way, STEP)
            parts = np.concatenate([(np.asarray(claims[name]) * w).reshape(-1) for name, w in way.items()])
            if not abs(slope - float(parts.sum())) <= CLOSE * (float(np.abs(parts).sum()) + abs(slope)):
                return False
        return True

    def agrees(self, names: Collection[str]) -> bool:
        """Whether the gradients of these tensors are right as the code is now, along a random direction.

        True where the slope along it cannot be told: beside a kink, or where the output moves in steps.
        """
        forward, backward = self.costs
        self.budget.spend(backward * (1 + self.twice) + 5 * forward)
        random, subject = np.random.default_rng(self.outcome.example.seed), self.subject.fork()
        values = {**self.arguments(), **self.subject.parameters()}
        known = [name for name in sorted(names) if name in values]
        way = {name: top_step(values[name]) * random.standard_normal(values[name].shape) for name in known}
        if not way:
            return True
        try:
            self.forwards += 1
            subject.restart()
            subject.forward(inputs_of(self.outcome, subject.wanted or ()))
            claims = self._backward(subject) if self.twice else None
            claims = self._backward(subject)
        except SubjectError as raised:
            self._pay_for(raised)
            return False
        if claims is None or not way.keys() <= claims.keys():
            return False
        if any(np.shape(claims[name]) != step.shape for name, step in way.items()):
            return False
        slopes = [self._slope(subject, values, way, step) for step in (STEP, 2 * STEP)]
        parts = np.concatenate([(np.asarray(claims[name]) * step).reshape(-1) for name, step in way.items()])
        size = float(np.abs(parts).sum())
        unclear = not abs(slopes[0] - slopes[1]) <= CLOSE * (size + abs(slopes[0]))
        return unclear or abs(slopes[0] - float(parts.sum())) <= CLOSE * (size + abs(slopes[0]))

    def _slope(self, subject: Subject, values: Mapping[str, Floats], way: Mapping[str, Floats], step: float) -> float:
        ends = [self._outputs(subject, {n: values[n] + sign * step * w for n, w in way.items()}) for sign in (1, -1)]
        return float(self.dout @ (ends[0] - ends[1])) / (2 * step)

    def _outputs(self, subject: Subject, values: Mapping[str, Floats]) -> Floats:
        self.forwards += 1
        subject.restart()
        inputs, live = inputs_of(self.outcome, subject.wanted or ()), subject.parameters()
        before = {name: live[name].copy() for name in values if name not in inputs}
        inputs |= {name: value for name, value in values.items() if name in inputs}
        try:
            for name in before:
                live[name][...] = values[name]
            flat = outputs.own(outputs.flat(subject.forward(inputs), self.form))
        except SubjectError:
            flat = None
        finally:
            for name, value in before.items():
                live[name][...] = value
        return np.full(self.outputs.size, np.nan) if flat is None else flat

    def _repeats(self, subject: Subject) -> bool:
        self.forwards += 1
        subject.restart()
        flat = outputs.flat(subject.forward(inputs_of(self.outcome, subject.wanted or ())), self.form)
        return flat is not None and outputs.same(flat, self.outputs)

    def _backward(self, subject: Subject) -> Mapping[str, Any] | None:
        parts = zip(self.form.split(self.dout), self.form.shapes, strict=True)
        given = [name for name, value in self.outcome.example.inputs.items() if isinstance(value, np.ndarray)]
        returned = subject.backward([part.copy() if shape else float(part) for part, shape in parts])
        found, defects = outputs.input_gradients(returned, subject.wanted or (), given, declared=True)
        parameters, more = subject.gradients()
        arrays = {name: np.copy(value) for name, value in {**found, **parameters}.items() if _is_array(value)}
        read = {name: gradient_shapes.read(arrays.get(name), self.samples[name].shape) for name in self._loose()}
        arrays |= {name: array for name, array in read.items() if array is not None}
        return None if defects or more else arrays

    def _loose(self) -> frozenset[str]:
        return self.any_shape & self.samples.keys()


def trial(
    outcome: Outcome,
    build: Build,
    random: Randomness,
    *,
    budget: Budget,
    twice: bool = False,
    any_shape: frozenset[str] = frozenset(),
) -> Trial | None:
    """Run an example once more; None where its true gradients are not known entry by entry, nor can be measured.

    random: entered with the example's seed, for as long as the trial is used. Raises SubjectError where the subject
    raises.
    """
    wanted = tuple(name for name in outcome.example.inputs if name in outcome.example.differentiable)
    subject = build(random, widen=True)
    subject.wanted = wanted
    made = begun(outcome, subject, wanted)
    if made is None:
        return None
    made = replace(made, samples=judged(outcome), any_shape=any_shape, budget=budget)
    unread = frozenset(result.name for result in outcome.tensors if is_unread(result))
    if unread or not outcome.tensors:
        made = _measured(made, wanted, unread)
    made.twice = twice
    with counted() as lines:
        right = made.now_right() or frozenset()
    made.costs = made.costs[0], 1 + lines.runs / (1 + twice)
    return replace(made, right=right) if made.samples else None


def begun(outcome: Outcome, subject: Subject, wanted: Collection[str]) -> Trial | None:
    """Run forward, and freeze a subject that draws anything, as it was when the example was judged."""
    subject.forward(inputs_of(outcome, wanted))  # what only a first forward does makes no difference
    before = subject.drawn()
    with counted() as lines:
        returned = subject.forward(inputs_of(outcome, wanted))
    forwards = 2
    if before != subject.drawn():
        subject.frozen = True
        subject.restart()
        returned = subject.forward(inputs_of(outcome, wanted))
        forwards = 3
    form = outputs.form_of(returned)
    if not isinstance(form, Form):
        return None
    flat = outputs.flat(returned, form)
    if flat is None or not np.isfinite(flat).all():
        return None
    dout = upstream(subject, form.shapes, np.random.default_rng(outcome.example.seed))
    return Trial(outcome, subject, form, flat.copy(), dout, forwards=forwards, costs=(1 + lines.runs, 1.0))


def _measured(made: Trial, wanted: Collection[str], unread: Collection[str]) -> Trial:
    """With the true gradients of the ``unread`` tensors as well; of all, where none of them was judged."""
    inputs = inputs_of(made.outcome, wanted)
    values = {name: inputs[name] for name in wanted}
    values |= {name: array.copy() for name, array in made.subject.parameters().items()}
    if made.samples:
        values = {name: value for name, value in values.items() if name in unread}
    samples = {**made.samples, **measured(made.outcome, values, made.dout, made.outputs_at)}
    made.subject.restart()
    made.subject.forward(inputs)
    return replace(made, samples=samples, forwards=made.forwards + 1)


def inputs_of(outcome: Outcome, wanted: Collection[str]) -> dict[str, Any]:
    """Copies of the example's inputs, in float64 where their gradient is asked for."""
    inputs = outcome.example.inputs
    return {
        name: (value.astype(np.float64) if name in wanted else value.copy()) if isinstance(value, np.ndarray) else value
        for name, value in inputs.items()
    }


def _is_array(value: Any) -> bool:
    return isinstance(value, float | int | np.number) or (isinstance(value, np.ndarray) and value.dtype.kind in "fiub")


def _agrees(sample: Sample, claim: Any) -> bool:
    if not _is_array(claim) or np.shape(claim) != sample.shape:
        return False
    claimed = np.asarray(claim, dtype=np.float64).reshape(-1)[sample.position]
    if not np.isfinite(claimed).all():
        return False
    equal = replace(sample, analytic=claimed).equals(sample.numeric)
    return bool((equal | (np.abs(claimed - sample.numeric) < NOTHING)).all())
