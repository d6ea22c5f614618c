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
from gradproof.differentiate.differentiate import Floats
from gradproof.guard import Randomness, SubjectError
from gradproof.mend.budget import LINES, TURNS, Budget, EndlessError, counted
from gradproof.mend.true_gradients import judged, measured
from gradproof.subject import gradient_shapes, outputs
from gradproof.subject.outputs import Form
from gradproof.subject.subject import Subject, upstream
from gradproof.values import Outcome

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

    def claims(self, *, anew: bool = False, of_any_output: bool = False) -> Mapping[str, Any] | None:
        """What backward claims as the code is now, by tensor; None where it raises.

        anew: after a forward as it is now; None then where its output is another one, unless of_any_output.
        """
        forward, backward = self.costs
        self.budget.spend(backward * (1 + self.twice) + forward * anew)
        subject = self.subject.fork()
        try:
            if anew and not self._is_unchanged(self.forward(subject)) and not of_any_output:
                return None
            if self.twice:
                self.backward(subject)
            return self.backward(subject)
        except SubjectError as raised:
            self.pay_for(raised)
            return None

    def _is_unchanged(self, flat: Floats | None) -> bool:
        return flat is not None and outputs.same(flat, self.outputs)

    def pay_for(self, raised: SubjectError) -> None:
        """Spend what a function that loops without end has taken."""
        if raised.error.kind == EndlessError.__name__:
            self.budget.spend(TURNS / LINES)

    def arguments(self) -> dict[str, Any]:
        """Copies of forward's arguments that are arrays, by name, and of its variables where they were watched."""
        inputs = self.inputs(self.subject)
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
        subject.forward(self.inputs(subject))

    def outputs_at(self, name: str, value: Floats) -> Floats:
        """The outputs with one tensor replaced; NaN where forward raises or has another form there."""
        return self.outputs_of(self.subject, {name: value})

    def outputs_now(self) -> Floats:
        """The outputs as the code is now; NaN where forward raises or has another form."""
        return self.outputs_of(self.subject, {})

    def outputs_of(self, subject: Subject, values: Mapping[str, Floats]) -> Floats:
        """The outputs with other values of some tensors; NaN where forward raises or has another form there."""
        self.forwards += 1
        subject.restart()
        inputs, live = self.inputs(subject), subject.parameters()
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

    def forward(self, subject: Subject) -> Floats | None:
        """The outputs of one forward in a row; None where they have another form. Raises SubjectError."""
        self.forwards += 1
        subject.restart()
        return outputs.flat(subject.forward(self.inputs(subject)), self.form)

    def backward(self, subject: Subject) -> Mapping[str, Any] | None:
        """What backward claims for dout, by tensor; None where its form is wrong. Raises SubjectError."""
        given = [name for name, value in self.outcome.example.inputs.items() if isinstance(value, np.ndarray)]
        returned = subject.backward(self._douts())
        found, defects = outputs.input_gradients(returned, subject.wanted or (), given, declared=True)
        parameters, more = subject.gradients()
        if defects or more:
            return None
        claims = {name: np.copy(value) for name, value in {**found, **parameters}.items() if _is_array(value)}
        for name in self.any_shape & self.samples.keys():
            claim = gradient_shapes.read(claims.get(name), self.samples[name].shape)
            if claim is not None:
                claims[name] = claim
        return claims

    def _douts(self) -> list[Any]:
        """What comes from upstream, for each output; of an output without axes, a number."""
        parts = zip(self.form.split(self.dout), self.form.shapes, strict=True)
        return [part.copy() if shape else float(part) for part, shape in parts]

    def inputs(self, subject: Subject) -> dict[str, Any]:
        """Copies of the example's inputs, as a subject is given them."""
        return inputs_of(self.outcome, subject.wanted or ())

    def tensors(self) -> dict[str, Floats]:
        """Forward's arguments that are arrays, its variables where they were watched, and the parameters, by name."""
        return {**self.arguments(), **self.subject.parameters()}


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
    wanted = outcome.example.wanted
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
    found: dict[str, Any] = {}
    for name, value in outcome.example.inputs.items():
        if not isinstance(value, np.ndarray):
            found[name] = value
        else:
            found[name] = value.astype(np.float64) if name in wanted else value.copy()
    return found


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
