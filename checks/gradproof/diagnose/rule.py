"""What a rule is: a function from evidence to a cause, with its place among the others; it knows none of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gradproof.diagnose.cause_kind import CauseKind, FactKind
from gradproof.diagnose.evidence import Evidence
from gradproof.findings import Cause


@dataclass(frozen=True)
class Rule:
    """``judge`` says what the cause is, or None; ``kinds`` are those that it may give, ``facts`` what these are about.

    ``place``: rules are asked from the lowest to the highest, and the first that speaks is believed; no two share one.
    What leaves least to chance comes first. From 100 on: the numbers of the entries, each beside its true one. 200: the
    right numbers in other places. 300: which outputs have a part in which entries. 400: each derivative of an output by
    an entry. 500: what holds of some entries or some examples alone. 600: formulas of what forward takes and returns.
    700: what is left.
    """

    judge: Callable[[Evidence], Cause | None]
    place: int
    kinds: tuple[CauseKind, ...]
    facts: tuple[FactKind, ...] = ()
