"""The sentences of a cause: what shows it, what it is, what to do about it; it knows no finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gradproof.diagnose import causes
from gradproof.diagnose.cause_kind import CauseKind
from gradproof.findings import Cause, Support
from gradproof.report.facts import filled, words

# what is found otherwise than by the numbers, under the code of what was found
FOUND_OTHERWISE = (
    CauseKind("", "broken-promise"),  # whose own headline says it
    CauseKind("", "slip", likely=lambda w: "; or ".join(map(w["phrase"], w["raw"]["slips"]))),
)
KINDS: Mapping[str, CauseKind] = {kind.name: kind for kind in (*causes.KINDS, *FOUND_OTHERWISE)}


def likely(cause: Cause, tensor: str) -> str | None:
    """Why the gradient of ``tensor`` is wrong; None where nothing but what was measured is known."""
    return filled(KINDS[cause.kind].likely, _words(cause, tensor)) or None


def advice(cause: Cause, tensor: str) -> str | None:
    """What to do about it; None where nothing can be said."""
    return filled(KINDS[cause.kind].advice, _words(cause, tensor)) or None


def headline(cause: Cause, tensor: str) -> str | None:
    """What is wrong, where the cause says more than that a gradient is; None where it does not."""
    own = filled(KINDS[cause.kind].headline, _words(cause, tensor))
    return own or (None if cause.of is None else headline(cause.of, cause.tensor or tensor))


def evidence(cause: Cause, tensor: str) -> Iterator[tuple[str, str]]:
    """What shows it, as (label, text): its own, then that of the cause which it stands for."""
    kind = KINDS[cause.kind]
    shown = filled(kind.evidence, _words(cause, tensor))
    if shown:
        yield kind.label, shown if cause.support is None else f"{shown}   {_count(cause.support)}"
    if cause.of is not None:
        yield from evidence(cause.of, cause.tensor or tensor)


def _words(cause: Cause, tensor: str) -> dict[str, Any]:
    found = words({**cause.parameters, **cause.evidence}, tensor)
    if cause.of is not None and cause.tensor is not None:  # of a part
        why = likely(cause.of, cause.tensor)
        found |= {"why": f": {why}" if why else "", "advice_of_part": advice(cause.of, cause.tensor)}
    return found


def _count(support: Support) -> str:
    """How many entries show it: "(9 of 9 entries in 2 examples)"."""
    examples = f" in {support.examples} examples" if support.examples > 1 else ""
    return f"({support.entries} of {support.entries} entries{examples})"
