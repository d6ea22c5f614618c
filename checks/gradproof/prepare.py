"""The parameters that a layer makes itself, and its hyper-parameters, get values of ours, at which it runs as well.

It joins what is drawn with what the layer holds; it judges no gradient.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradproof.compare.judge_example import Build
from gradproof.deadlines import Expired
from gradproof.diagnose.evidence import sizes
from gradproof.diagnose.exceptions import is_of_backward
from gradproof.generate import parameters
from gradproof.generate.arrays import PARAMETER_STYLES
from gradproof.generate.hyperparameters import moved, varied
from gradproof.guard import Randomness, SubjectError, quiet
from gradproof.infer.variations import Variation
from gradproof.subject import outputs
from gradproof.subject.outputs import Form
from gradproof.subject.subject import upstream
from gradproof.values import Example, Made, Outcome, Reason, TensorResult, Verdict

Judge = Callable[[Example], Outcome]

OWN_EVERY = 4  # one example in so many keeps all parameters as their author makes them
VARY_EVERY = 3  # one example in so many has another value of a hyper-parameter; the first ones, which tell most, do not
REFUSALS = 2  # examples in which the layer does not run with a value, before that is given up
FIRST = 4  # examples at which it is asked whether it is backward alone that does not run with a value
NEAR_TRIES = 2  # failing examples at which it is asked whether they fail near the author's own values too
_STREAM = 2  # beside a seed: the stream from which parameters are drawn


@dataclass(eq=False)
class Preparation:
    """Gives examples the values of what the layer makes, and of its hyper-parameters.

    build: the subject of an example. variations: the hyper-parameters that may vary. ``numbers`` are the Python numbers
    that were seen to be parameters, as an Example has them. ``forwards`` counts the calls that this took.
    """

    build: Callable[[Example], Build]
    variations: Sequence[Variation] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    forwards: int = 0
    _refused: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    _first: list[Example] = field(default_factory=list[Example])
    _in_forward: dict[str, bool] = field(default_factory=dict[str, bool])
    _own: dict[str, Mapping[str, Made]] = field(default_factory=dict[str, Mapping[str, Made]])

    def judged(self, example: Example, position: int, judge: Judge) -> Outcome:
        """The outcome of the example with parameters drawn; with the author's own where it leaves the domain there."""
        self._keep_first(example)
        found: list[Outcome] = []
        for candidate in self.candidates(example, position):
            found.append(judge(candidate))
            if not leaves_domain(found[-1]):
                self._note(candidate, -REFUSALS)
                return found[-1]
            if not candidate.made:
                self._note(candidate, 1)
                if self._is_given_up(candidate) and self._fails_behind_forward(candidate, judge):
                    return found[-1]
        if not found:
            return judge(example)
        return next(outcome for outcome in found if outcome is found[-1] or _is_as_malformed(outcome, found[-1]))

    def _keep_first(self, example: Example) -> None:
        is_empty = 0 in sizes(example.dims).values()
        if len(self._first) < FIRST and not is_empty:
            self._first.append(example)

    def _is_given_up(self, example: Example) -> bool:
        return any(self._refused[name, repr(one.value)] == REFUSALS for name, one in moved(example).items())

    def _fails_behind_forward(self, example: Example, judge: Judge) -> bool:
        """Whether backward raises, or returns another shape, with this value of a hyper-parameter where forward runs.

        Then that is no end of the domain, which forward would have: a ``[pad:-pad]`` is empty at a pad of 0.
        """
        others = [varied(each, {**each.varied, **example.varied}) for each in self._first]
        came = [outcome for outcome in map(judge, [*others, example]) if outcome.tensors or fails_in_backward(outcome)]
        return len(came) > REFUSALS and all(map(fails_in_backward, came))

    def fresh(self, example: Example, number: int) -> Example:
        """The example with parameters drawn, and the ``number``-th of all other values of hyper-parameters, if any."""
        own = varied(example, {variation.name: variation.at(variation.own) for variation in self.variations})
        others = [(one, value) for one in self.variations for value in one.others if not one.is_penalty]
        others = [(one, value) for one, value in others if self._refused[one.name, repr(value)] < REFUSALS]
        others.sort(key=lambda pair: pair[0].others.index(pair[1]))  # one value of each first, then the next
        if number < len(others):
            one, value = others[number]
            own = varied(own, {**own.varied, one.name: one.at(value)})
        return next(self._drawn(own, 0))

    def _note(self, example: Example, refusals: int) -> None:
        """Remember whether the layer runs with a value: where it never does, that is not tried again and again."""
        for name, one in moved(example).items():
            self._refused[name, repr(one.value)] += refusals

    def confirmed(self, outcomes: Sequence[Outcome], judge: Judge) -> list[Outcome]:
        """The outcomes without accusations that hold only far from the author's own values of what the layer makes.

        A fault shows also near them, on both sides; where only one side fails, or neither, an end of the domain lies
        between: that author's code is judged at his own values instead.
        """
        doubtful = [name for name in _failing(outcomes) if not self._is_confirmed(name, outcomes, judge)]
        return [self._withdrawn(outcome, doubtful, judge) for outcome in outcomes]

    def _is_confirmed(self, name: str, outcomes: Sequence[Outcome], judge: Judge) -> bool:
        failing = [outcome.example for outcome in outcomes if _fails(outcome, name)]
        if any(not example.made for example in failing):
            return True
        tries = sorted(failing, key=_size_of_made)[:NEAR_TRIES]
        return self._any_fails_near(tries, name, 1, judge) and self._any_fails_near(tries, name, -1, judge)

    def _any_fails_near(self, tries: Sequence[Example], name: str, sign: int, judge: Judge) -> bool:
        return any(self._fails_near(example, name, sign, judge) for example in tries)

    def _fails_near(self, example: Example, name: str, sign: int, judge: Judge) -> bool:
        own = self.own(replace(example, made={}))
        made = parameters.near(own, np.random.default_rng([example.seed, _STREAM]), sign)
        return _fails(judge(replace(example, made=made)), name)

    def _withdrawn(self, outcome: Outcome, names: Sequence[str], judge: Judge) -> Outcome:
        if not any(_fails(outcome, name) for name in names):
            return outcome
        return judge(replace(outcome.example, made={}))

    def candidates(self, example: Example, position: int) -> Iterator[Example]:
        """The example with parameters drawn and a hyper-parameter varied, then ever closer to the author's own.

        The author's own values come last. Every third example varies one of the hyper-parameters, in turn.
        """
        example = varied(example, {variation.name: variation.at(variation.own) for variation in self.variations})
        chosen = self._chosen(position)
        if chosen is not None:
            variation, value = chosen
            moved_to = varied(example, {**example.varied, variation.name: variation.at(value)})
            drawn = self._drawn(moved_to, position)
            first = next(drawn)
            if not variation.is_penalty or self._is_in_forward(variation, first):
                yield first
                yield from drawn
        yield from self._drawn(example, position)

    def _is_in_forward(self, variation: Variation, example: Example) -> bool:
        """Whether forward's output moves with a penalty, or is the loss itself; asked once.

        example: with another value of it than the author's own.
        """
        if variation.name not in self._in_forward:
            own = varied(example, {**example.varied, variation.name: variation.at(variation.own)})
            one, two = self._outputs(example), self._outputs(own)
            is_loss = all(np.ndim(part) == 0 for part in one)
            self._in_forward[variation.name] = is_loss or not all(map(np.array_equal, one, two))
        return self._in_forward[variation.name]

    def _outputs(self, example: Example) -> tuple[Any, ...]:
        """What forward returns at an example; nothing where it raises."""
        with quiet(), Randomness(example.seed) as random, contextlib.suppress(SubjectError):
            self.forwards += 1
            return self.build(example)(random, widen=True).forward(_inputs(example))
        return ()

    def _chosen(self, position: int) -> tuple[Variation, Any] | None:
        """The hyper-parameter that is varied in this example; None where none is."""
        possible = [(variation, value) for variation in self.variations for value in variation.others]
        possible = [(one, value) for one, value in possible if self._refused[one.name, repr(value)] < REFUSALS]
        if position % VARY_EVERY != VARY_EVERY - 1 or not possible:
            return None
        # one value of each first, then the next
        possible.sort(key=lambda pair: pair[0].others.index(pair[1]))
        return possible[position // VARY_EVERY % len(possible)]

    def _drawn(self, example: Example, position: int) -> Iterator[Example]:
        is_own = position % OWN_EVERY == OWN_EVERY - 1
        own = {} if is_own and position else self.own(example)
        example = replace(example, numbers=self.numbers)
        if own:
            rng = np.random.default_rng([example.seed, _STREAM])
            style = PARAMETER_STYLES[position % len(PARAMETER_STYLES)]
            yield replace(example, made=parameters.drawn(own, style, rng))
            yield replace(example, made=parameters.near(own, rng))
        yield example

    def fitted(self, example: Example) -> Example:
        """The example, which was cut to other dims, with its values of parameters cut to the shapes that these have."""
        if not example.made:
            return example
        key = repr((example.dims, example.varied))
        if key not in self._own:
            self._own[key] = self.own(replace(example, made={}))
        return replace(example, made=parameters.fitted(example.made, self._own[key]))

    def own(self, example: Example) -> Mapping[str, Made]:
        """What the layer makes itself at this example, with its author's values; nothing where it does not run."""
        try:
            return self._made_at(example)
        except Expired as expired:
            expired.dims = example.dims
            raise

    def _made_at(self, example: Example) -> Mapping[str, Made]:
        given = [value for value in example.init.values() if isinstance(value, np.ndarray)]
        with quiet(), Randomness(example.seed) as random, contextlib.suppress(SubjectError):
            subject = self.build(example)(random, widen=True)
            subject.seek_numbers()
            subject.wanted = example.wanted
            subject.forward(_inputs(example))  # what only a first forward makes is seen by the second
            form = outputs.form_of(subject.forward(_inputs(example)))
            self.forwards += 2
            if not isinstance(form, Form):
                return {}
            douts = form.split(upstream(subject, form.shapes, np.random.default_rng(example.seed)))
            subject.backward([part if shape else float(part) for part, shape in zip(douts, form.shapes, strict=True)])
            made = subject.made()
            self._learn(made)
            return {name: parameters.with_domain(one) for name, one in made.items() if _is_own(one.value, given)}
        return {}

    def _learn(self, made: Mapping[str, Made]) -> None:
        found = {name: (one.path, one.gradient) for name, one in made.items() if one.gradient is not None}
        self.numbers = {**self.numbers, **found}


def _failing(outcomes: Sequence[Outcome]) -> list[str]:
    names = [result.name for outcome in outcomes for result in outcome.tensors if result.verdict is Verdict.FAIL]
    return list(dict.fromkeys(names))


def _fails(outcome: Outcome, name: str) -> bool:
    return any(result.name == name and result.verdict is Verdict.FAIL for result in outcome.tensors)


def _is_as_malformed(outcome: Outcome, own: Outcome) -> bool:
    """Whether nothing but the form of gradients is wrong, as it is at the author's own values: then it tells more."""
    is_formed_alike = bool(outcome.defects) and _forms(outcome) == _forms(own)
    return is_formed_alike and not leaves_domain(replace(outcome, defects=()))


def _forms(outcome: Outcome) -> list[tuple[str, str | None]]:
    return [(defect.code, defect.tensor) for defect in outcome.defects]


def leaves_domain(outcome: Outcome) -> bool:
    """Whether an outcome may tell more of the values than of the gradient: it raised, or something is not finite.

    A gradient that is malformed is so at the author's own values too.
    """
    if outcome.error is not None or outcome.defects or outcome.unjudged is not None:
        return True
    return any(_is_extreme(result) for result in outcome.tensors)


def _is_extreme(result: TensorResult) -> bool:
    """Whether an output moves in steps or is not finite, or a wrong entry is not."""
    if result.unjudged.get(Reason.QUANTISED) or result.unjudged.get(Reason.NON_FINITE):
        return True
    wrong = result.wrong if result.verdict is Verdict.FAIL else ()
    return not all(np.isfinite([entry.analytic, entry.numeric]).all() for entry in wrong)


def fails_in_backward(outcome: Outcome) -> bool:
    """Whether forward ran, and backward raised at a line of its own, or returned what has another shape."""
    if outcome.error is not None:
        return is_of_backward(outcome.error)
    return any(defect.severity == "error" for defect in outcome.defects)


def _inputs(example: Example) -> dict[str, Any]:
    return {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in example.inputs.items()}


def _size_of_made(example: Example) -> int:
    """How many numbers the drawn parameters of an example have."""
    return sum(one.value.size for one in example.made.values())


def _is_own(value: Any, given: list[Any]) -> bool:
    """Whether a parameter is finite, and not made of what the constructor was given: that has its own domain, and is
    drawn already.
    """
    return not _is_given(value, given) and bool(np.isfinite(value).all())


def _is_given(value: Any, given: list[Any]) -> bool:
    """Whether a parameter is made of what the constructor was given."""
    if any(np.array_equal(value, array) for array in given):
        return True  # a copy
    varies = np.unique(value).size > 1
    return varies and any(bool(np.isin(value, array).all()) for array in given)
