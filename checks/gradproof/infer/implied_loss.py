"""A backward that is given the answer: of which loss behind forward's output is it the gradient? It accuses none.

Networks are often written so: ``forward(x)`` predicts, ``backward(y)`` begins with ``self.out - y``, and no line says
which loss that is the gradient of. Each of the usual ones is put behind forward; the one with which every gradient is
right is what the author meant. Where some gradients are right with one loss, and with no other scale of it, that loss
is settled all the same, and the others are wrong. Else nothing is said: it may be another loss.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import Parameter
from typing import Any, cast

import numpy as np

from gradproof import guard
from gradproof.case.case import Case
from gradproof.case.specs import Floats, Spec
from gradproof.compare.spot_check import spot_check
from gradproof.convention.answers import answer_of_backward
from gradproof.convention.argument_names import predictions
from gradproof.convention.calling import arguments
from gradproof.convention.convention import Convention, convention_of
from gradproof.convention.return_statements import returns_nothing
from gradproof.deadlines import Expired, limited
from gradproof.errors import UsageError
from gradproof.generate.few_examples import examples_of
from gradproof.infer.inference import Inference, Reading
from gradproof.subject.subject import subject_of
from gradproof.values import Verdict

SECONDS = 20.0  # the safety net of the search, for calls that take far longer than most
SETTLES = 2  # gradients that are right with a loss and not at every scale of it, so that it is the one
_KEPT = "_gradproof_answer"  # the attribute in which an object keeps what forward was given, and what came out

Loss = Callable[[Any, Any], Any]  # (predictions, answers) -> a number
Scale = Callable[["Usual", Any], float]  # (the loss, predictions) -> what its sum is multiplied by


@dataclass(frozen=True)
class Usual:
    """A usual loss, summed over all entries.

    samples: the axis along which samples lie. classes: the axis along which an answer has a single one, if it is such.
    """

    name: str
    summed: Loss
    samples: int = 0
    classes: int | None = None

    def answer(self, given: Any) -> Any:
        """The answer, of the shape of what was drawn for it: with a single one along the axis of the classes."""
        if self.classes is None or np.ndim(given) == 0 or not np.size(given):
            return given
        found = np.zeros_like(given)
        largest = np.expand_dims(np.argmax(given, axis=self.classes), self.classes)
        np.put_along_axis(found, largest, 1, axis=self.classes)
        return found

    def count(self, predictions: Any) -> int:
        """How many samples there are."""
        return max(predictions.shape[self.samples] if np.ndim(predictions) else 1, 1)


def _of_labels(p: Any, y: Any) -> Any:
    """p: (n, c) chances, y: (n,) labels -> minus the logarithm of the chance of each label, summed."""
    return -np.sum(np.log(p[np.arange(len(p)), y]))


def _of_ones(p: Any, y: Any) -> Any:
    """p, y: chances and answers of one shape -> -sum y log p."""
    return -np.sum(y * np.log(p))


def _of_chances(p: Any, y: Any) -> Any:
    """p, y: chances and answers of one shape, each by itself -> -sum y log p + (1 - y) log (1 - p)."""
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))


def _squared(p: Any, y: Any) -> Any:
    """p, y: of one shape -> sum (p - y)^2."""
    return np.sum((p - y) ** 2)


USUAL = (
    Usual("cross entropy", _of_labels),
    Usual("cross entropy", _of_ones, classes=-1),
    Usual("cross entropy", _of_ones, samples=-1, classes=0),
    Usual("binary cross entropy", _of_chances),
    Usual("squared error", _squared),
)
# what a sum is multiplied by, in words, and as a function of the predictions
SCALES: tuple[tuple[str, Scale], ...] = (
    ("the {} summed", lambda usual, p: 1.0),
    ("the mean {} of the samples", lambda usual, p: 1.0 / usual.count(p)),
    ("the mean {} of all entries", lambda usual, p: 1.0 / max(p.size, 1)),
    ("half the {} summed", lambda usual, p: 0.5),
    ("half the mean {} of the samples", lambda usual, p: 0.5 / usual.count(p)),
    ("half the mean {} of all entries", lambda usual, p: 0.5 / max(p.size, 1)),
)


def with_implied_loss(found: Inference, subject: Any, infer: Callable[[Any], Inference]) -> Inference:
    """What was inferred, with the loss that stands behind it, as far as the time allows."""
    try:
        with limited(SECONDS):
            return replace(found, implied=implied_loss(subject, infer))
    except Expired as expired:
        late = f"the search for the loss behind backward was cut off after {expired.seconds:g} s"
        return replace(found, limits=(*found.limits, late))


@dataclass(frozen=True, eq=False)
class _Trial:
    """One loss put behind a class: the case, and which tensors have a right gradient at all of a few examples.

    weights: the tensors that have two axes or more.
    """

    case: Case
    text: str
    right: frozenset[str]
    wrong: frozenset[str]
    weights: frozenset[str]

    def reading(self, always: frozenset[str]) -> Reading:
        """The case, with what it is worth. always: what is right at every scale, as zeros are, and so tells nothing."""
        return Reading(self.case, self.text, settled=len(self.right - always) >= SETTLES, weights=self.weights)


def implied_loss(subject: Any, infer: Callable[[Any], Inference]) -> Reading | None:
    """The class with a loss behind it of which its backward is the gradient at a few examples; None where none is."""
    convention = convention_of(subject) if isinstance(subject, type) else None
    answer = None if convention is None else _answer(subject, convention)
    if convention is None or answer is None:
        return None
    partly: list[tuple[int, Reading]] = []
    for usual in USUAL:
        trials = list(_trials(subject, convention, answer, usual, infer))
        always = _always_right(trials)
        for trial in trials:
            reading = trial.reading(always)
            if trial.right - always and not trial.wrong:
                return reading
            if reading.settled:
                partly.append((len(trial.right), reading))
    _, likeliest = max(partly, key=lambda each: each[0], default=(0, None))
    return likeliest


def _always_right(trials: Sequence[_Trial]) -> frozenset[str]:
    """The gradients that are right at one scale of the loss and wrong at none: they say nothing of the scale."""
    ever = frozenset[str]().union(*(trial.right for trial in trials))
    return ever.difference(*(trial.wrong for trial in trials))


def _answer(subject: type, convention: Convention) -> str | None:
    """What backward is given to compare with, that forward does not take."""
    answer = answer_of_backward(getattr(subject, convention.backward))
    taken = [name for name, _ in arguments(getattr(subject, convention.forward))[1:]]
    return None if answer in taken else answer


def _needed(backward: Callable[..., Any]) -> list[str]:
    """The arguments that a method must be given."""
    return [name for name, is_required in arguments(backward)[1:] if is_required]


def _trials(
    subject: Any, convention: Convention, answer: str, usual: Usual, infer: Callable[[Any], Inference]
) -> Iterator[_Trial]:
    """Each scale of one loss, of which the shapes are the same."""
    specs: dict[str, Spec] | None = None
    ranges: dict[str, tuple[int, int]] = {}
    for words, scale in SCALES:
        try:
            behind = guard.call("a subclass", _with_loss, subject, convention, answer, usual, scale)
            if specs is None:
                found = infer(behind).case
                if found is None:
                    return
                ranges = dict(found.space.ranges)
                specs = _specs(found, answer, usual, getattr(subject, convention.backward))
            case = Case(behind, dims=ranges, **cast(Any, specs))
            right, wrong, weights = _judged(case)
        except (UsageError, guard.SubjectError, ValueError, TypeError):  # a class may refuse to be derived from
            return
        loss = words.format(usual.name)
        text = (
            f"{convention.backward} is given {answer}, and the loss between them stands elsewhere: checked as the "
            f"gradient of {loss}, of {convention.forward}'s output and {answer}"
        )
        yield _Trial(case, text, right, wrong, weights)


def _specs(found: Case, answer: str, usual: Usual, backward: Callable[..., Any]) -> dict[str, Spec]:
    """What was inferred, with the answer as one, and without a gradient of the inputs of a whole."""
    specs: dict[str, Spec] = {**found.init, **found.inputs}
    specs[answer] = _fixed(specs[answer])
    if returns_nothing(backward):
        specs |= {name: _fixed(specs[name]) for name in found.inputs}
    return specs


def _fixed(spec: Spec) -> Spec:
    """The same, without a gradient."""
    return replace(spec, differentiable=False) if isinstance(spec, Floats) else spec


def _judged(case: Case) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """The tensors whose gradient is right at each of a few examples, the others, and those that have two axes or more.

    None where at one of the examples nothing is compared.
    """
    compared = [spot_check(one, functools.partial(subject_of, case, one)).tensors for one in examples_of(case, 0)]
    results = list(itertools.chain.from_iterable(compared))
    if not all(compared):
        return frozenset(), frozenset(), frozenset()
    wrong = frozenset(tensor.name for tensor in results if tensor.verdict is not Verdict.PASS)
    weights = frozenset(tensor.name for tensor in results if len(tensor.shape) > 1)
    return frozenset(tensor.name for tensor in results) - wrong, wrong, weights


@dataclass(frozen=True, eq=False)
class _Kept:
    """What an object keeps from forward to backward: what it was given, by name, and what came out."""

    given: Mapping[str, Any]
    output: Any


def _with_loss(cls: Any, convention: Convention, answer: str, usual: Usual, scale: Scale) -> type:
    """A subclass whose forward takes the answer as well and returns the loss, and whose backward hands it on."""
    forward, backward = getattr(cls, convention.forward), getattr(cls, convention.backward)
    signature = inspect.signature(forward)
    own = _needed(backward)
    known = {*signature.parameters, answer, *predictions(own)}
    rest = [name for name in own if name not in known]  # a rate, say: what they are given, their names tell as usual

    @functools.wraps(forward)
    def with_loss(self: Any, *args: Any, **kwargs: Any) -> Any:
        given = usual.answer(kwargs.pop(answer))
        bound = signature.bind(self, *args, **kwargs)
        returned = forward(self, *args, **kwargs)
        output = returned[0] if isinstance(returned, tuple) else returned
        setattr(self, _KEPT, _Kept({**bound.arguments, answer: given}, output))
        return scale(usual, output) * usual.summed(output, given)

    @functools.wraps(backward)
    def of_loss(self: Any, *args: Any) -> Any:
        kept: _Kept = getattr(self, _KEPT)
        values = {**kept.given, **dict(zip(rest, args, strict=True))}
        return backward(self, *(values.get(name, kept.output) for name in own))

    extra = Parameter(answer, Parameter.KEYWORD_ONLY)
    parameters = [*signature.parameters.values()]
    variadic = [p for p in parameters if p.kind is Parameter.VAR_KEYWORD]
    plain = [p for p in parameters if p.kind is not Parameter.VAR_KEYWORD]
    cast(Any, with_loss).__signature__ = signature.replace(parameters=[*plain, extra, *variadic])
    left = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ("self", *rest)]
    cast(Any, of_loss).__signature__ = inspect.Signature(left)
    methods = {convention.forward: with_loss, convention.backward: of_loss}
    return type(cls.__name__, (cls,), {**methods, "__module__": cls.__module__, "__qualname__": cls.__qualname__})
