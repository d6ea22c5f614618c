"""States the law of the shapes: for which dims a subject fails, as far as tried; it knows no gradient and no cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from gradproof.diagnose.evidence import Dims, sizes
from gradproof.findings import Fact, Parameters

EVERYWHERE = "fails-everywhere"  # the kind of law that holds where nothing passes

# Laws other than a threshold are many, and a few examples obey one by chance: so many distinct dims of each are needed.
ENOUGH = 3


def law(failing: Sequence[Dims], passing: Sequence[Dims]) -> Fact:
    """Say for which dims the examples failed.

    A law is stated only if every failing example obeys it, no passing one does, both kinds were seen and no other law
    of its kind does the same; else the failures are counted.
    """
    counts = {"failing": len(failing), "tried": len(failing) + len(passing)}
    if not passing:
        return Fact(EVERYWHERE, counts)
    for kind in (_thresholds, _starred, _exact, _relations, _parities, _conjunctions):
        if kind not in (_thresholds, _starred) and min(_distinct(failing), _distinct(passing)) < ENOUGH:
            break
        found = list(kind(failing, passing))
        if len(found) == 1:
            return found[0]
        if found:
            break
    return Fact("fails-in-some", counts)


def _distinct(group: Sequence[Dims]) -> int:
    return len({tuple(sorted(sizes(dims).items())) for dims in group})


def _columns(failing: Sequence[Dims], passing: Sequence[Dims]) -> Iterator[tuple[str, list[int], list[int]]]:
    """Yield each named dim with its values in the failing and in the passing examples."""
    for name in failing[0]:
        bad, good = [d.get(name) for d in failing], [d.get(name) for d in passing]
        bad_ints, good_ints = [v for v in bad if isinstance(v, int)], [v for v in good if isinstance(v, int)]
        if len(bad_ints) == len(bad) and len(good_ints) == len(good):
            yield name, bad_ints, good_ints


def _threshold(name: str, bad: Sequence[int], good: Sequence[int]) -> Fact | None:
    fails, passes = (min(bad), max(bad)), (min(good), max(good))
    is_apart = min(bad) > max(good) or max(bad) < min(good)
    return Fact("threshold", {"dim": name, "fails": fails, "passes": passes}) if is_apart else None


def _thresholds(failing: Sequence[Dims], passing: Sequence[Dims]) -> Iterator[Fact]:
    for name, bad, good in _columns(failing, passing):
        found = _threshold(name, bad, good)
        if found is not None:
            yield found


def _starred(failing: Sequence[Dims], passing: Sequence[Dims]) -> Iterator[Fact]:
    """Yield thresholds on how many axes a starred dim has, else on its size."""
    for name in failing[0]:
        if not all(isinstance(dims.get(name), tuple) for dims in [*failing, *passing]):
            continue
        found = _threshold(f"ndim(*{name})", _ranks(name, failing), _ranks(name, passing))
        if found is None:
            found = _threshold(f"size(*{name})", _starred_sizes(name, failing), _starred_sizes(name, passing))
        if found is not None:
            yield found


def _starred_sizes(name: str, group: Sequence[Dims]) -> list[int]:
    return [sizes(dims)[f"*{name}"] for dims in group]


def _ranks(name: str, group: Sequence[Dims]) -> list[int]:
    """How many axes the starred dim has in each example."""
    values = (dims[name] for dims in group)
    return [len(value) for value in values if isinstance(value, tuple)]


_RELATIONS: tuple[tuple[str, str, Callable[[int, int], bool]], ...] = (
    ("=", "!=", lambda a, b: a == b),
    (">", "<=", lambda a, b: a > b),
    ("<", ">=", lambda a, b: a < b),
    ("!=", "=", lambda a, b: a != b),
    (">=", "<", lambda a, b: a >= b),
    ("<=", ">", lambda a, b: a <= b),
)


def _relations(failing: Sequence[Dims], passing: Sequence[Dims]) -> Iterator[Fact]:
    """Yield relations between two dims, the narrowest that holds for each pair."""
    for (a, bad_a, good_a), (b, bad_b, good_b) in combinations(_columns(failing, passing), 2):
        for sign, opposite, holds in _RELATIONS:
            fails = all(holds(x, y) for x, y in zip(bad_a, bad_b, strict=True))
            passes = not any(holds(x, y) for x, y in zip(good_a, good_b, strict=True))
            if fails and passes:
                yield Fact("relation", {"one": a, "other": b, "fails": sign, "passes": opposite})
                break


def _exact(failing: Sequence[Dims], passing: Sequence[Dims]) -> Iterator[Fact]:
    for name, bad, good in _columns(failing, passing):
        if len(set(bad)) == 1 and bad[0] not in good:
            yield Fact("one-size", {"dim": name, "fails": bad[0]})


def _conjunctions(failing: Sequence[Dims], passing: Sequence[Dims]) -> Iterator[Fact]:
    """Yield pairs of lower thresholds, each of which was tried from below while the other was kept."""
    for (a, bad_a, good_a), (b, bad_b, good_b) in combinations(_columns(failing, passing), 2):
        least_a, least_b = min(bad_a), min(bad_b)
        good = list(zip(good_a, good_b, strict=True))
        below_a, below_b = [x for x, y in good if y >= least_b], [y for x, y in good if x >= least_a]
        if below_a and below_b and max(below_a) < least_a and max(below_b) < least_b:
            one: Parameters = {"one": a, "one_fails_from": least_a, "one_passes_up_to": max(below_a)}
            other: Parameters = {"other": b, "other_fails_from": least_b, "other_passes_up_to": max(below_b)}
            yield Fact("both", {**one, **other})


def _parities(failing: Sequence[Dims], passing: Sequence[Dims]) -> Iterator[Fact]:
    for name, bad, good in _columns(failing, passing):
        for bit, word, other in ((1, "odd", "even"), (0, "even", "odd")):
            if all(v % 2 == bit for v in bad) and all(v % 2 != bit for v in good):
                yield Fact("parity", {"dim": name, "fails": word, "passes": other})
