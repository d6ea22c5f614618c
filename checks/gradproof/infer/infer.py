"""Finds the Case of a subject that declares none, from what its forward does with its arguments; it judges nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
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
from gradproof.infer.fewer_axes import of_vectors, with_fewer_axes
from gradproof.infer.hyperparameters import usual
from gradproof.infer.implied_loss import with_implied_loss
from gradproof.infer.inference import Inference, Reading
from gradproof.infer.logits import of_handing_on, of_logits
from gradproof.infer.more_axes import of_flattened
from gradproof.infer.operations import infer_operation
from gradproof.infer.search import SECONDS, Found, Search
from gradproof.infer.sentences import LATE, hint_for, limits, told
from gradproof.infer.starting_candidate import start_of
from gradproof.infer.with_ones import with_ones
from gradproof.nodes.conventions import operation_of
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import Kind, What, labels
from gradproof.trace.run import Hint, argument_of
from gradproof.trace.traced import Tracer

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
    hints = hints_for(target)
    declaring = Declaring(target, hints)
    subject = target.subject if target.backward is None else (target.subject, target.backward)
    confirming = Confirming(declaring, hints, subject)
    search = Search(Tracer(target.start, target.subject, hints, usual), confirming, hints, subject)
    try:
        found, vectors = of_vectors(search, search.find([start_of(target)]), hints, target.usage)
        found, flattened = of_flattened(search, found)
        found = of_columns(search, _as_data(found), hints)
        found, refused = _roomy(found, confirming)
        found = _as_distribution(search, found, target)
        others = tuple(declaring.case(other) for other in _others(search, found, declaring, hints))
        alike = _alike(search, found, hints)
        case = None if found.candidate is None else declaring.case(found.candidate)
        readings = [_also_taken(declaring.case(other)) for other in alike]
        if case is not None:
            readings += [*of_logits(target, case), *of_handing_on(target, case)]
    except UsageError as error:
        return Inference(None, problem=str(error))
    spent = search.runs + confirming.forwards
    candidate = found.candidate
    if case is None or candidate is None or not found.runs:
        nothing = _nothing(target, found, case)
        return replace(nothing, seconds=time.perf_counter() - began, forwards=spent)
    ranks = tuple(reason for reason in (vectors, flattened) if reason is not None)
    late = (LATE,) if search.cut_off else ()
    return Inference(
        case,
        others,
        doubts=_doubts(search, found, candidate, declaring, target),
        limits=ranks + limits(refused, candidate, declaring) + late,
        chosen=chosen(candidate),
        seconds=time.perf_counter() - began,
        forwards=spent,
        readings=tuple(readings),
    )


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
    targets = (What.LABELS, What.ONE_HOT, What.PROBABILITIES, What.CONSTANT)
    kinds = found.candidate.kinds
    fed = [name for name in hints if not (hints[name].built or hints[name].first)]
    names = [name for name in fed if kinds[name].what in targets]
    if not names:
        return []
    name = names[0]
    if hints[name].index and not hints[name].target:
        return []
    others: list[Candidate] = []
    for kind in _other_kinds(kinds[name]):
        other = _clean_with(search, found.candidate, name, kind)
        if other is not None and _is_used_as(search, other, name, kind):
            others.append(other)
    return others


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
    inputs = [candidate.axes(name) for name, kind in candidate.kinds.items() if kind.what is What.ARRAY]
    for name, kind in candidate.kinds.items():
        is_compared = kind.what is What.CONSTANT and kind.rank > 0 and candidate.axes(name) in inputs
        if is_compared and name in target.called and target.is_distribution(name):
            rows = Kind(What.PROBABILITIES, kind.rank)
            other = search.find([_with_kind(candidate, name, rows)], most=ALTERNATIVES)
            if _is_clean_with(other, name, rows):
                return other
    return found


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
    own = {dim: size for dim, size in candidate.bound.items() if argument_of(dim) != name}
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
