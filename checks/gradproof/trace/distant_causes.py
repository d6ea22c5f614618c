"""What may be amiss where something far from its cause fails, by what was met before; it applies nothing."""

from __future__ import annotations

from gradproof.trace.changes import SIZE, Become, Multiple, Proposal, Small, Together
from gradproof.trace.polynomials import Polynomial
from gradproof.trace.run import TracedRun, UnequalSizes

_LAST = 6  # of the pairs that were compared and differ, how many are looked at
_LAST_DIVISIONS, _LAST_LARGER, _LAST_BELOW = 4, 2, 4  # the same of what was met otherwise


def anything(run: TracedRun) -> list[Proposal]:
    """What may be amiss, of everything that was met."""
    multiples = _multiples(run)
    found = [*_compared(run), *multiples]
    if len(multiples) > 1:
        equations = tuple(each.change for each in multiples if isinstance(each.change, Multiple))
        found.insert(0, Proposal(0.02, Together(equations)))
    return [*found, *_smaller(run), *_windows(run)]


def _compared(run: TracedRun) -> list[Proposal]:
    """That sizes are equal, or numbers of axes, which were compared and differ."""
    found: list[Proposal] = []
    latest_first = reversed(run.evidence.compared[-_LAST:])  # the latest is likely the cause
    for place, compared in enumerate(latest_first):
        if isinstance(compared, UnequalSizes):
            found += run.equal(compared.pairs, 0.05 + 0.1 * place)
        else:
            found += run.ranks(compared.roots, compared.more, 0.03 + 0.05 * place)
    return found


def _multiples(run: TracedRun) -> list[Proposal]:
    """That dims are multiples of what they were divided by with a rest."""
    found: list[Proposal] = []
    for size, divisor in dict.fromkeys(run.evidence.inexact[-_LAST_DIVISIONS:]):
        found += [Proposal(0.02, Multiple(name, divisor)) for name in _whole_terms(size)]
    return found


def _whole_terms(size: Polynomial) -> list[str]:
    """The dims of a product; of a sum, those that are terms of it."""
    if len(size.terms) == 1:
        return list(size.dims)
    return [monomial[0] for monomial, factor in size.terms if len(monomial) == 1 and factor == 1]


def _smaller(run: TracedRun) -> list[Proposal]:
    """That dims are small which were compared and are larger."""
    larger = [frozenset(size.dims) for size in run.evidence.larger[-_LAST_LARGER:]]
    return [Proposal(0.06, Small(dims)) for dims in larger if not dims <= run.candidate.small]


def _windows(run: TracedRun) -> list[Proposal]:
    """That dims are small which left less than 1 of what they were taken off."""
    windows = run.windows(run.evidence.below[-_LAST_BELOW:]) - run.candidate.small
    return [Proposal(0.0, Small(windows))] if windows else []


def whole_numbers(run: TracedRun, error: Exception) -> list[Proposal]:
    """Where a number has a wrong type: those of the constructor that are taken for fractions may be sizes."""
    if not isinstance(error, TypeError):
        return []
    numbers = [a for a, k in run.candidate.kinds.items() if isinstance(k.value, float) and run.hints[a].built]
    return [Proposal(0.1, Become(argument, SIZE)) for argument in numbers]
