"""Finds the Case of a subject that declares none, from what its forward does with its arguments; it judges nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gradproof.case.case import Case
from gradproof.errors import UsageError
from gradproof.infer.arguments import Undeclared, hints_for, target_of
from gradproof.infer.attempt import Attempt
from gradproof.infer.columns import of_columns
from gradproof.infer.confirm import Confirming
from gradproof.infer.declare import Declaring
from gradproof.infer.doubts import CONSTANT, chosen, doubts, unused, without_gradient
from gradproof.infer.entrywise import with_three_axes
from gradproof.infer.equal_sizes import with_equal_sizes
from gradproof.infer.fewer_axes import of_one_sample, of_vectors, with_fewer_axes
from gradproof.infer.hyperparameters import usual
from gradproof.infer.implied_loss import with_implied_loss
from gradproof.infer.inference import Inference, Reading
from gradproof.infer.logits import of_handing_on, of_logits
from gradproof.infer.more_axes import of_flattened
from gradproof.infer.operations import infer_operation
from gradproof.infer.search import SECONDS, Found, Search
from gradproof.infer.sentences import LATE, hint_for, limits, told
from gradproof.infer.sequences import as_sequences, of_sequences
from gradproof.infer.starting_candidate import start_of
from gradproof.infer.with_ones import with_ones
from gradproof.nodes.conventions import operation_of
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import Kind, What, labels
from gradproof.trace.dims import argument_of
from gradproof.trace.run import Hint
from gradproof.trace.traced import Tracer

_TARGETS = (What.LABELS, What.ONE_HOT, What.PROBABILITIES, What.CONSTANT)  # kinds that targets are
ALTERNATIVES = 12  # traced runs for another kind of target, once one is found


def infer(subject: Any) -> Inference:
    """Find the Case of a class, of a pair (forward, backward) of functions, or of one loss function."""
    operation = operation_of(subject[0] if isinstance(subject, tuple) else subject)
    found = None if operation is None else infer_operation(operation)
    if found is not None:
        return found
    try:
        target = target_of(subject)
    except (ValueError, TypeError, UsageError):
        name = getattr(subject, "__name__", str(subject))
        return Inference(None, problem=f"the signature of {name} cannot be read: declare its Case")
    found = infer_target(target)
    return with_implied_loss(found, subject, lambda cls: infer_target(target_of(cls)))


def infer_target(target: Undeclared) -> Inference:
    """Find the Case of a target, whatever it is made of."""
    began = time.perf_counter()
    if not target.called and not target.built:
        return Inference(None, problem=f"{target.forward} takes no named argument: nothing goes in that has a gradient")
    inferring = _Inferring.of(target)
    try:
        found = inferring.inference()
    except UsageError as error:
        return Inference(None, problem=str(error))
    return replace(found, seconds=time.perf_counter() - began, forwards=inferring.forwards)


@dataclass(frozen=True, eq=False)
class _Inferring:
    """One target with all that finds its Case: what is known of its arguments, the search, how a Case is written."""

    target: Undeclared
    hints: Mapping[str, Hint]
    declaring: Declaring
    confirming: Confirming
    search: Search

    @staticmethod
    def of(target: Undeclared) -> _Inferring:
        hints = hints_for(target)
        declaring = Declaring(target, hints)
        subject = target.subject if target.backward is None else (target.subject, target.backward)
        confirming = Confirming(declaring, hints, subject)
        search = Search(Tracer(target.start, target.subject, hints, usual), confirming, hints, subject)
        return _Inferring(target, hints, declaring, confirming, search)

    @property
    def forwards(self) -> int:
        """Those of all runs, traced or plain."""
        return self.search.runs + self.confirming.forwards

    def inference(self) -> Inference:
        """The Case with what else runs and what is in doubt. Raises UsageError where it cannot be declared."""
        found, axes, refused = self._found()
        others = tuple(self.declaring.case(other) for other in _others(self.search, found, self.declaring, self.hints))
        alike = _alike(self.search, found, self.hints)
        candidate = found.candidate
        case = None if candidate is None else self.declaring.case(candidate)
        readings = self._readings(alike, case, found)
        if case is None or candidate is None or not found.runs:
            return _nothing(self.target, found, case)
        late = (LATE,) if self.search.cut_off else ()
        return Inference(
            case,
            others,
            doubts=_doubts(self.search, found, candidate, self.declaring, self.target),
            limits=axes + limits(refused, candidate, self.declaring) + late,
            chosen=chosen(candidate),
            readings=readings,
        )

    def _found(self) -> tuple[Found, tuple[str, ...], Mapping[str, Attempt]]:
        """What the search came to, what says how many axes something has, and what was raised at small sizes."""
        search, hints, target = self.search, self.hints, self.target
        found, vectors = of_vectors(search, search.find([start_of(target)]), hints, target.usage)
        found, flattened = of_flattened(search, found)
        found, sequences = of_sequences(search, found)
        found = of_columns(search, _as_data(found), hints)
        found, refused = _roomy(found, self.confirming)
        axes = tuple(reason for reason in (vectors, flattened, sequences) if reason is not None)
        return _as_distribution(search, found, target), axes, refused

    def _readings(self, alike: Sequence[Candidate], case: Case | None, found: Found) -> tuple[Reading, ...]:
        """What may be meant as well."""
        alone = of_one_sample(self.search, found, self.target)
        readings = [_also_taken(self.declaring.case(other)) for other in (*alike, *alone)]
        readings += [_meant(self.declaring.case(other)) for other in as_sequences(self.search, found)]
        if case is not None:
            readings += [*of_logits(self.target, case), *of_handing_on(self.target, case)]
        return tuple(readings)


def _others(search: Search, found: Found, declaring: Declaring, hints: Mapping[str, Hint]) -> list[Candidate]:
    """What runs as well and is to be judged beside it: another kind of target, and an axis more."""
    deeper = with_three_axes(search, found, declaring)
    others = _other_targets(search, found, hints)
    return others if deeper is None else [*others, deeper]


def _alike(search: Search, found: Found, hints: Mapping[str, Hint]) -> list[Candidate]:
    """What runs as well and may be what is meant: fewer axes, axes of one, equal sizes."""
    fewer = list(with_fewer_axes(search, found, hints))
    return [*fewer, *with_ones(search, found, hints), *with_equal_sizes(search, found, hints)]


def _also_taken(case: Case) -> Reading:
    return Reading(case, f"{case.declaration()}: forward takes both")


def _meant(case: Case) -> Reading:
    return Reading(case, f"{case.declaration()}: forward takes rows, too, for which backward is wrong", instead=True)


def _doubts(
    search: Search, found: Found, candidate: Candidate, declaring: Declaring, target: Undeclared
) -> tuple[str, ...]:
    """What keeps a pass from meaning much."""
    hints = search.hints
    all_constant = bool(found.seen) and all(seen.constant for seen in found.seen)
    of_output = (CONSTANT,) if all_constant else ()
    of_arguments = doubts(candidate, hints, declaring)
    of_idle = unused(candidate, target) if any(seen.idle for seen in found.seen) else ()
    of_labels = _labels_for_nothing(search, candidate, hints)
    is_between = all(seen.between for seen in found.seen)
    of_gradients = without_gradient(candidate, hints) if is_between else ()
    return (*of_output, *of_arguments, *of_idle, *of_labels, *of_gradients)


def _roomy(found: Found, confirming: Confirming) -> tuple[Found, Mapping[str, Attempt]]:
    """With the least sizes at which it runs; what was raised below them."""
    if found.candidate is None or not found.runs:
        return found, {}
    candidate, refused = confirming.roomy(found.candidate)
    return replace(found, candidate=candidate), refused


def _other_targets(search: Search, found: Found, hints: Mapping[str, Hint]) -> list[Candidate]:
    """Other kinds of targets: labels, one-hot rows and values may all run, and need not agree."""
    if found.candidate is None or not found.clean:
        return []
    name = _first_target(found.candidate, hints)
    if name is None or (hints[name].index and not hints[name].target):
        return []
    others: list[Candidate] = []
    for kind in _other_kinds(found.candidate.kinds[name]):
        other = _clean_with(search, found.candidate, name, kind)
        if other is not None and _is_used_as(search, other, name, kind):
            others.append(other)
    return others


def _first_target(candidate: Candidate, hints: Mapping[str, Hint]) -> str | None:
    """The first argument of forward, behind what it is about, that is of a kind that targets are."""
    fed = [name for name, hint in hints.items() if not (hint.built or hint.first)]
    return next((name for name in fed if candidate.kinds[name].what in _TARGETS), None)


def _clean_with(search: Search, candidate: Candidate, name: str, kind: Kind) -> Candidate | None:
    """The clean candidate that a few runs find, where an argument begins as of this kind; None where there is none."""
    other = search.find([_with_kind(candidate, name, kind)], most=ALTERNATIVES)
    return other.candidate if other.clean else None


def _as_data(found: Found) -> Found:
    """With what has no gradient at sizes that all differ as data: at equal ones it might be taken for a parameter's."""
    candidate = found.candidate
    if candidate is None or not found.clean or not found.seen:
        return found
    left_out = frozenset.intersection(*(seen.left_out for seen in found.seen))
    data = {name: Kind(What.CONSTANT, candidate.kinds[name].rank) for name in left_out}
    return replace(found, candidate=replace(candidate, kinds={**candidate.kinds, **data}))


def _as_distribution(search: Search, found: Found, target: Undeclared) -> Found:
    """With rows of probabilities instead of any values, where forward compares them with a softmax of such rows."""
    candidate = found.candidate
    if candidate is None or not found.clean:
        return found
    for name in _compared_values(candidate):
        if name in target.called and target.is_distribution(name):
            rows = Kind(What.PROBABILITIES, candidate.kinds[name].rank)
            other = search.find([_with_kind(candidate, name, rows)], most=ALTERNATIVES)
            if _is_clean_with(other, name, rows):
                return other
    return found


def _compared_values(candidate: Candidate) -> Iterator[str]:
    """The arrays without a gradient that have the shape of one with a gradient."""
    inputs = [candidate.axes(name) for name, kind in candidate.kinds.items() if kind.what is What.ARRAY]
    for name, kind in candidate.kinds.items():
        if kind.what is What.CONSTANT and kind.rank > 0 and candidate.axes(name) in inputs:
            yield name


def _is_clean_with(found: Found, name: str, kind: Kind) -> bool:
    """Whether what was found is clean, and the argument still what it began as."""
    return found.clean and found.candidate is not None and found.candidate.kinds[name].what is kind.what


def _is_used_as(search: Search, candidate: Candidate, name: str, kind: Kind) -> bool:
    """Whether an argument is of this kind, and labels index something: below a size that nothing else has, none do.

    Nor do those that are only calculated with, as values are.
    """
    if candidate.kinds[name].what is not kind.what:
        return False
    if kind.what is What.LABELS:
        seen = search.tracer.run(candidate, falling=False).run.evidence
        if name in seen.in_arithmetic - seen.picking:
            return False
    axes = {each for other in candidate.kinds for axis in candidate.axes(other) for each in axis.dims}
    return kind.what is not What.LABELS or not axes.isdisjoint(candidate.below(name).dims)


def _other_kinds(kind: Kind) -> Iterator[Kind]:
    rank = kind.rank + (kind.what is What.LABELS)
    others = [Kind(What.ONE_HOT, rank), labels(max(rank - 1, 1)), Kind(What.CONSTANT, rank)]
    if kind.what is What.PROBABILITIES:
        others.pop()  # of other values such a loss means nothing
    yield from (other for other in others if other.what is not kind.what)


def _with_kind(candidate: Candidate, name: str, kind: Kind) -> Candidate:
    before = candidate.kinds[name]
    keeps_axes = before.rank == kind.rank and What.LABELS not in (before.what, kind.what)
    own = {dim: size for dim, size in candidate.bound.items() if keeps_axes or argument_of(dim) != name}
    kinds = {**candidate.kinds, name: kind}
    return replace(candidate, kinds=kinds, bound=own, cost=0.0, steps=0)


def _labels_for_nothing(search: Search, candidate: Candidate, hints: Mapping[str, Hint]) -> tuple[str, ...]:
    """What forward is about, where it only ran with whole numbers that it then does not index with."""
    labelled = [n for n, kind in candidate.kinds.items() if kind.what is What.LABELS and hints[n].first]
    picking = search.tracer.run(candidate, falling=False).run.evidence.picking if labelled else set[str]()
    return tuple(f"{name} was only found to run as whole numbers" for name in labelled if name not in picking)


def _nothing(target: Undeclared, found: Found, case: Case | None) -> Inference:
    """What stood in the way."""
    hint = hint_for(target)
    cut_off = f" (the search was cut off after {SECONDS:g} s)" if found.cut_off else ""
    error = found.seen[0].error if found.seen else None
    if case is None or error is None:
        return Inference(None, problem=f"no signature runs{cut_off}.{hint}")
    problem = f"no signature was found that runs{cut_off}: {told(error, case)}.{hint}"
    return Inference(None, problem=problem, error=error)
