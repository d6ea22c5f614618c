"""The law of the shapes: stated where every example agrees with it and with no other, else failures are counted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gradproof.diagnose.laws import law
from gradproof.report.facts import phrase

SIZES = [(n, d) for n in (1, 2, 3, 4) for d in (1, 2, 3, 4)]

LAWS: dict[str, tuple[Callable[[int, int], bool], list[tuple[int, int]], str]] = {
    "always": (lambda n, d: True, SIZES, "fails in all 16 examples tried"),
    "one example": (lambda n, d: True, SIZES[:1], "fails in the one example tried"),
    "threshold": (lambda n, d: d >= 3, SIZES, "fails whenever d >= 3, passes up to d = 2"),
    "only at one": (lambda n, d: n == 1, SIZES, "fails at n = 1, passes from n = 2 on"),
    "small": (lambda n, d: n <= 2, SIZES, "fails whenever n <= 2, passes from n = 3 on"),
    "equal": (lambda n, d: n == d, SIZES, "fails whenever n = d, passes where n != d"),
    "wide": (lambda n, d: d > n, SIZES, "fails whenever n < d, passes where n >= d"),
    "odd": (lambda n, d: d % 2 == 1, SIZES, "fails whenever d is odd, passes where it is even"),
    "one size": (lambda n, d: d == 2, SIZES, "fails at d = 2 only"),
    "both large": (
        lambda n, d: n >= 2 and d >= 3,
        SIZES,
        "fails whenever n >= 2 and d >= 3, passes up to n = 1 and up to d = 2",
    ),
    "one size, seen once": (lambda n, d: n == 2, [(1, 1), (2, 2), (3, 3)], "fails in 1 of 3 examples tried"),
    "one size, but not always": (lambda n, d: n == 2 and d <= 3, SIZES, "fails in 3 of 16 examples tried"),
    "no law": (lambda n, d: (n, d) in {(1, 2), (3, 4), (4, 1)}, SIZES, "fails in 3 of 16 examples tried"),
    "too few for a relation": (
        lambda n, d: n < d,
        [(1, 2), (3, 4), (2, 1), (4, 3), (2, 2), (3, 3)],
        "fails in 2 of 6 examples tried",
    ),
    "two laws fit": (lambda n, d: n == 2, [(1, 1), (2, 2)], "fails in 1 of 2 examples tried"),
}


@pytest.mark.parametrize(("fails", "sizes", "text"), LAWS.values(), ids=LAWS.keys())
def test_a_law_is_stated_only_as_far_as_tried(
    fails: Callable[[int, int], bool], sizes: list[tuple[int, int]], text: str
) -> None:
    groups = {True: [], False: []}
    for n, d in sizes:
        groups[fails(n, d)].append({"n": n, "d": d})
    assert phrase(law(groups[True], groups[False]), "W") == text


def test_a_law_counts_the_axes_of_a_starred_dim() -> None:
    failing = [{"batch": (2,)}, {"batch": (2, 3)}, {"batch": (1,)}]
    found = law(failing, [{"batch": ()}])
    assert phrase(found, "W") == "fails whenever ndim(*batch) >= 1, passes at ndim(*batch) = 0"
