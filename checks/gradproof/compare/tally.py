"""From verdicts on directions to the result of one tensor. It counts; it does not measure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradproof.compare.directions import Answer, Judged
from gradproof.compare.wrong_entries import Located
from gradproof.differentiate.differentiate import Bools, Floats, Ints
from gradproof.differentiate.problem import Tensor
from gradproof.values import Entry, Reason, TensorResult, Verdict

SHOWN = 8  # wrong entries kept with their numbers

REASONS: dict[int, Reason] = {
    Answer.KINK: Reason.KINK,
    Answer.KINK_OUTSIDE: Reason.KINK,
    Answer.JUMP: Reason.JUMP,
    Answer.QUANTISED: Reason.QUANTISED,
    Answer.NON_FINITE: Reason.NON_FINITE,
    Answer.BELOW_RESOLUTION: Reason.BELOW_RESOLUTION,
    Answer.UNSETTLED: Reason.UNSETTLED,
}


def verdict_of(wrong: int, judged: int, entries: int) -> Verdict:
    """FAIL if anything is wrong; PASS only where at least half of the entries have an answer; else INCONCLUSIVE."""
    if wrong:
        return Verdict.FAIL
    return Verdict.PASS if judged and 2 * judged >= entries else Verdict.INCONCLUSIVE


def _reasons(outcomes: Ints) -> dict[Reason, int]:
    tally = np.bincount(outcomes, minlength=len(Answer))
    counts: Counter[Reason] = Counter()
    for outcome in np.flatnonzero(tally).tolist():
        if outcome in REASONS:
            counts[REASONS[outcome]] += int(tally[outcome])
    return dict(counts)


def by_entry(tensor: Tensor, method: str, judged: Judged, mine: Bools, entries: Ints) -> TensorResult:
    """Add up single entries; ``mine`` marks this tensor's, ``entries`` are all flat indices."""
    where = entries[mine]
    outcomes, numeric, bound, rho = judged.outcome[mine], judged.numeric[mine], judged.bound[mine], judged.rho[mine]
    claim = tensor.claim.reshape(-1)[where]
    broken = ~np.isfinite(claim)
    measured = (outcomes == Answer.AGREE) | (outcomes == Answer.DISAGREE)
    wrong = (outcomes == Answer.DISAGREE) | (broken & measured)
    outcomes = np.where(broken & ~measured, Answer.NON_FINITE, outcomes)
    answered = int(np.count_nonzero(measured))
    scale = float(np.max(np.abs(np.where(broken, 0.0, claim)), initial=0.0)) or 1.0
    whole = [np.full(tensor.value.size, np.nan) for _ in range(2)]
    for full, part in zip(whole, (numeric, bound), strict=True):
        full[where[measured]] = part[measured]
    return TensorResult(
        name=tensor.name,
        role=tensor.role,
        shape=tensor.value.shape,
        verdict=verdict_of(int(wrong.sum()), answered, where.size),
        method=method,
        entries=where.size,
        judged=answered,
        forwards=int(judged.forwards[mine].sum()),
        unjudged=_reasons(outcomes),
        ties=tuple(int(i) for i in where[(outcomes == Answer.KINK) | (outcomes == Answer.KINK_OUTSIDE)]),
        strays=tuple(int(i) for i in where[outcomes == Answer.KINK_OUTSIDE]),
        resolution=float(np.nanmax(rho[measured], initial=0.0)) / scale if answered else float("nan"),
        wrong=_entries(tensor, where[wrong], numeric[wrong], bound[wrong]),
        wrong_count=int(wrong.sum()),
        analytic=tensor.claim,
        numeric=whole[0].reshape(tensor.value.shape),
        bound=whole[1].reshape(tensor.value.shape),
    )


def _entries(tensor: Tensor, where: Ints, numeric: Floats, bound: Floats) -> tuple[Entry, ...]:
    claim = tensor.claim.reshape(-1)[where]
    distance = np.where(np.isfinite(claim), np.abs(claim - numeric), np.inf)
    order = np.argsort(-distance, kind="stable")[:SHOWN]
    return tuple(
        Entry(_index(tensor, int(where[i])), float(claim[i]), float(numeric[i]), float(bound[i])) for i in order
    )


def _index(tensor: Tensor, entry: int) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(entry, tensor.value.shape))


def _all_where_a_kink_is(outcomes: NDArray[Any], size: int) -> tuple[int, ...]:
    """All entries where a direction met a kink: it may lie in any of them."""
    kinks = np.isin(outcomes, (Answer.KINK, Answer.KINK_OUTSIDE))
    return tuple(range(size)) if kinks.any() else ()


def by_direction(
    tensor: Tensor, parts: Sequence[Judged], located: Sequence[Located], searched: int, scale: float
) -> TensorResult:
    """Add up dense directions: they speak for every entry where at least half of them have an answer."""
    outcomes = np.concatenate([part.outcome for part in parts])
    rho = np.concatenate([part.rho for part in parts])
    agreed = int(np.count_nonzero(outcomes == Answer.AGREE))
    disagreed = bool(np.any(outcomes == Answer.DISAGREE))
    size = tensor.value.size
    judged = size if _speak_for_all(outcomes) else 0
    forwards = int(np.concatenate([part.forwards for part in parts]).sum())
    return TensorResult(
        name=tensor.name,
        role=tensor.role,
        shape=tensor.value.shape,
        verdict=verdict_of(int(disagreed), judged, size),
        method=f"{agreed} of {outcomes.size} signed random directions agree",
        entries=size,
        judged=judged,
        forwards=forwards + searched,
        directions=int(outcomes.size),
        unjudged={} if judged else dict.fromkeys(list(_reasons(outcomes))[:1], size),
        ties=() if judged else _all_where_a_kink_is(outcomes, size),
        resolution=float(np.nanmax(rho, initial=0.0)) / (scale or 1.0) if agreed else float("nan"),
        wrong=tuple(_located_entry(tensor, one) for one in located),
        wrong_count=len(located) if disagreed else 0,
        analytic=tensor.claim,
    )


def _speak_for_all(outcomes: Ints) -> bool:
    """Whether a direction disagrees, or at least half of them agree."""
    agreed = int(np.count_nonzero(outcomes == Answer.AGREE))
    disagreed = bool(np.any(outcomes == Answer.DISAGREE))
    return disagreed or (agreed > 0 and 2 * agreed >= outcomes.size)


def _located_entry(tensor: Tensor, one: Located) -> Entry:
    """The residual is truth - claim along a unit step of this entry."""
    claim = tensor.claim.reshape(-1)[one.entry]
    return Entry(_index(tensor, one.entry), float(claim), float(claim + one.residual), one.bound)


def is_unread(result: TensorResult) -> bool:
    """Whether its gradient was missing where one was due, or of a form that nothing can be compared with."""
    return result.remedy is None and 0 < result.entries == result.unjudged.get(Reason.NOT_EXAMINED, 0)
