"""The kinds of small change that are tried, the likeliest slips first, by what they change; it tries none."""

from __future__ import annotations

from gradproof.assembled import assembled
from gradproof.mend.change_kind import ChangeKind, Changes

CHANGES = assembled("gradproof.mend.changes", ChangeKind, "CHANGES")


def _from(first: int) -> tuple[Changes, ...]:
    """The kinds whose places begin at a thousand."""
    return tuple(kind.changes for kind in CHANGES if first <= kind.place < first + 1000)


TIERS = (_from(1000), _from(2000))  # of backward: what an earlier tier mends is not looked for in a later one
FORWARD = _from(3000)
FORWARD_TYPOS = tuple(kind.changes for kind in CHANGES if kind.is_typo)
KEPT_FIRST, KEPT = _from(4000), _from(5000)
