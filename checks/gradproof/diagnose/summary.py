"""From all outcomes of a subject to its summary: counts and verdicts. It runs nothing and words no findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradproof.compare.tally import verdict_of
from gradproof.findings import Finding
from gradproof.generate.hyperparameters import notes_of_varied
from gradproof.values import Outcome, Reason, TensorResult, TensorSummary, Verdict

# a subject with such an outcome cannot pass, however many of its entries agree elsewhere
SELDOM = 0.125  # of the failing examples: a staircase is one in nearly every example, plateaus are rare
SYSTEMATIC = (Reason.NON_DETERMINISTIC, Reason.QUANTISED)

BLURRED = 1e-6  # a median resolution that float64 does not lead to: float32 leaves about 1e-5, float64 about 1e-11


def summarise(outcomes: Sequence[Outcome]) -> tuple[TensorSummary, ...]:
    """Add up each tensor over all examples, in the order of first appearance."""
    results: dict[str, list[TensorResult]] = {}
    for outcome in outcomes:
        for result in outcome.tensors:
            results.setdefault(result.name, []).append(result)
    return tuple(_one(name, found) for name, found in results.items())


def _one(name: str, found: Sequence[TensorResult]) -> TensorSummary:
    counts = [(r.entries, r.judged, r.kinks, r.forwards) for r in found]
    entries, judged, kinks, forwards = map(sum, zip(*counts, strict=True))
    wrong = sum(r.verdict is Verdict.FAIL for r in found)
    measured = [result for result in found if result.entries]
    return TensorSummary(
        name=name,
        role=found[0].role,
        verdict=verdict_of(wrong, judged, entries),
        examples=len(measured),
        entries=entries,
        judged=judged,
        kinks=kinks,
        forwards=forwards,
        unjudged=_unjudged(found),
        resolution=_resolution(found),
        methods=tuple(sorted({r.method for r in measured})),
        remedy=next((r.remedy for r in found if r.remedy is not None), None),
    )


def _unjudged(found: Sequence[TensorResult]) -> dict[Reason, int]:
    """How many entries were not judged, by the reason."""
    total: Counter[Reason] = Counter()
    for result in found:
        total.update({reason: count for reason, count in result.unjudged.items() if count})
    return dict(total)


def _resolution(found: Sequence[TensorResult]) -> float:
    """The median resolution of the examples that pass; NaN where none has any."""
    sharp = [r.resolution for r in found if np.isfinite(r.resolution) and r.verdict is Verdict.PASS]
    return float(np.median(sharp)) if sharp else float("nan")


def verdict(
    tensors: Sequence[TensorSummary], findings: Sequence[Finding], outcomes: Sequence[Outcome]
) -> tuple[Verdict, str | None]:
    """Return the subject's verdict, and the reason in words where it is not PASS and no finding says it."""
    if any(finding.severity == "error" for finding in findings):
        return Verdict.FAIL, None
    unnamed = [tensor for tensor in tensors if not _is_settled(tensor, findings)]
    reason = _reason(tensors, outcomes) or _nothing_judged(tensors, unnamed)
    if reason is not None:
        return Verdict.INCONCLUSIVE, f"{reason}: {_note(outcomes, reason)}"
    if unnamed:
        return Verdict.INCONCLUSIVE, _why(unnamed)
    return Verdict.PASS, None


def _nothing_judged(tensors: Sequence[TensorSummary], unnamed: Sequence[TensorSummary]) -> Reason | None:
    """That nothing was examined, where no entry was judged and no tensor says why."""
    is_explained = any(tensor.judged for tensor in tensors) or any(tensor.unjudged for tensor in unnamed)
    return None if is_explained else Reason.NOT_EXAMINED


def _reason(tensors: Sequence[TensorSummary], outcomes: Sequence[Outcome]) -> Reason | None:
    """Why nothing is said of the subject: examples that mean that of all of them, or no example with a tensor."""
    unjudged = (outcome.unjudged for outcome in outcomes)
    reasons = Counter(r for r in unjudged if r is not None and r is not Reason.NOT_EXAMINED)
    if not reasons:
        return None
    is_systematic = any(reason in SYSTEMATIC for reason in reasons)
    return reasons.most_common(1)[0][0] if is_systematic or not tensors else None


def _is_settled(tensor: TensorSummary, findings: Sequence[Finding]) -> bool:
    """Whether the tensor passes, or a finding says why it does not."""
    return tensor.verdict is Verdict.PASS or any(_excuses(finding, tensor) for finding in findings)


def _excuses(finding: Finding, tensor: TensorSummary) -> bool:
    """Whether the finding, which is no error, says all that keeps the tensor from passing; a warning judges nothing."""
    is_said = finding.severity == "allowed" or tensor.verdict is Verdict.FAIL
    return is_said and tensor.name in (finding.tensor, *finding.also)


def _note(outcomes: Sequence[Outcome], reason: Reason) -> str:
    notes = [outcome.notes[0] for outcome in outcomes if outcome.unjudged is reason and outcome.notes]
    return notes[0] if notes else "no entry was looked at"


def _why(tensors: Sequence[TensorSummary]) -> str:
    """Why these were not judged, once for all of which the same holds."""
    names: dict[str, list[str]] = {}
    for tensor in tensors:
        names.setdefault(_most(tensor), []).append(tensor.name)
    return "; ".join(f"{', '.join(own)}: {why}" for why, own in names.items())


def _most(tensor: TensorSummary) -> str:
    if tensor.remedy is not None:
        return tensor.remedy
    if not tensor.unjudged:
        return f"{Reason.NOT_EXAMINED}"
    reason = max(tensor.unjudged, key=lambda key: tensor.unjudged[key])
    return f"{reason} in {tensor.unjudged[reason]} of {tensor.entries} entries"


def missed(outcomes: Sequence[Outcome]) -> str | None:
    """What the subject needs and has not, where an example met that: nothing can be said of it; None elsewhere."""
    errors = (outcome.error for outcome in outcomes)
    return next((f"{e.stage} {e.absence}" for e in errors if e is not None and e.absence is not None), None)


def withdrawn(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Take back accusations against a subject whose output was seen to move in steps.

    In another example the same staircase may look like a flat line, with a slope of zero that is no derivative. But one
    or two examples among many that fail with slopes are none: saturated outputs went from one plateau to the next, or a
    single column has nothing to be compared with. Then only the flat ones are taken back.
    """
    stepped = sum(_is_stepped(outcome) for outcome in outcomes)
    if not stepped:
        return list(outcomes)
    sloping = sum(_fails(outcome) and not _is_flat(outcome) for outcome in outcomes)
    is_seldom = stepped <= SELDOM * sloping
    return [outcome if is_seldom and not _is_flat(outcome) else _without_accusations(outcome) for outcome in outcomes]


def _is_stepped(outcome: Outcome) -> bool:
    return any(result.unjudged.get(Reason.QUANTISED) for result in outcome.tensors)


def _fails(outcome: Outcome) -> bool:
    return any(result.verdict is Verdict.FAIL for result in outcome.tensors)


def _without_accusations(outcome: Outcome) -> Outcome:
    return replace(outcome, tensors=tuple(_taken_back(result) for result in outcome.tensors))


def _is_flat(outcome: Outcome) -> bool:
    """Whether everything that is accused there has a slope of zero."""
    wrong = [entry for result in outcome.tensors if result.verdict is Verdict.FAIL for entry in result.wrong]
    return bool(wrong) and all(abs(entry.numeric) <= entry.bound for entry in wrong)


def _taken_back(result: TensorResult) -> TensorResult:
    if result.verdict is not Verdict.FAIL:
        return result
    judged = result.judged - result.wrong_count
    unjudged = {**result.unjudged, Reason.QUANTISED: result.unjudged.get(Reason.QUANTISED, 0) + result.wrong_count}
    open_again = replace(result, verdict=Verdict.INCONCLUSIVE, judged=judged, unjudged=unjudged)
    return replace(open_again, wrong=(), wrong_count=0)


def dims_tried(outcomes: Sequence[Outcome]) -> dict[str, tuple[int, int]]:
    """Return the least and the most of each dim over the examples that were examined (a starred one by its axes)."""
    tried: dict[str, list[int]] = {}
    for outcome in outcomes:
        if outcome.unjudged is Reason.NOT_EXAMINED:
            continue
        for name, value in outcome.example.dims.items():
            key, size = (f"*{name}", len(value)) if isinstance(value, tuple) else (name, value)
            tried.setdefault(key, []).append(size)
    return {name: (min(sizes), max(sizes)) for name, sizes in tried.items()}


def notes(outcomes: Sequence[Outcome], tensors: Sequence[TensorSummary]) -> tuple[str, ...]:
    """Return every note once, in the order of first appearance, and how little can be seen where that is so."""
    found = list(dict.fromkeys(note for outcome in outcomes for note in outcome.notes))
    found += notes_of_varied(outcome.example for outcome in outcomes)
    resolution = _blurred(tensors)
    if resolution is not None:
        backward = any(note.startswith("backward computes") for note in found)
        lost = "backward works in float32" if backward else "forward loses digits inside, as a cast to float32 does"
        found.append(f"{lost}: errors below {resolution:.0e} of the gradient stay unseen")
    return tuple(found)


def _blurred(tensors: Sequence[TensorSummary]) -> float | None:
    """The coarsest resolution, where every tensor has a coarse one for which no staircase accounts; else None."""
    found = [tensor.resolution for tensor in tensors if np.isfinite(tensor.resolution)]
    stepped = any(tensor.unjudged.get(Reason.QUANTISED) for tensor in tensors)
    is_blurred = min(found, default=0.0) > BLURRED
    return max(found) if is_blurred and not stepped else None
