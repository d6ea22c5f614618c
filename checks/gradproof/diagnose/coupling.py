"""Rules on axes: which does forward mix along, and which does backward? They know no layer.

An output is mixed along an axis if entries at other indices of that axis have a share in it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradproof.diagnose.answers import Answers, aligned, counted, linear_answers
from gradproof.diagnose.cause import Cause
from gradproof.diagnose.evidence import Evidence, Mask

Pair = tuple[int, int]


def wrong_axis(evidence: Evidence) -> Cause | None:
    """GP116 where backward mixes along an axis along which forward keeps the entries apart."""
    found = linear_answers(evidence)
    missing, extra = _missing(found), _extra(found)
    if not extra:
        return None
    d, text = f"d{evidence.tensor}", _axes(extra)
    if missing:
        right, wrong, count = _of_dout(missing), _of_dout(extra), counted(evidence, found)
        if right == wrong:  # of a dout of fewer axes
            return None
        lines = (("everywhere", f"forward mixes along {right} of its output, yours along {wrong}   {count}"),)
        likely = f"{d} is summed over the wrong axis of dout: {wrong}, not {right}"
        return Cause("GP116", lines, likely, f"sum over {right} of dout")
    if len(extra) > 1:  # so does a reshape of the wrong axes
        return None
    lines = (("everywhere", f"yours mixes along {text}, forward does not   {counted(evidence, found)}"),)
    likely = f"{d} mixes the entries along {text}, which forward keeps apart"
    # by a sum over the axis, a reshape, a term that is one too many
    return Cause("GP116", lines, likely, "look for a sum, a mean or an index over that axis in backward", vague=True)


def uncoupled(evidence: Evidence) -> Cause | None:
    """GP113 where forward mixes along an axis, and backward takes each entry by itself."""
    found = linear_answers(evidence)
    missing = _missing(found)
    if not missing or _extra(found):
        return None
    tensor, axes, count = evidence.tensor, _axes(missing), counted(evidence, found)
    if _in_order(found, missing[0]):
        lines = (("everywhere", f"yours takes nothing from later steps along {axes}   {count}"),)
        likely = f"forward carries {tensor} on from step to step along {axes}; backward does not carry d{tensor} back"
        return Cause("GP113", lines, likely, "go through the steps in reverse, adding what the next step hands back")
    lines = (("everywhere", f"forward mixes along {axes}, yours does not   {count}"),)
    likely = f"a term of d{tensor} is missing: each entry has a share in all outputs along {axes}, not in its own alone"
    return Cause(
        "GP113",
        lines,
        likely,
        f"differentiate the sum, mean or maximum over {axes} too: it depends on {tensor}",
        vague=True,
    )


def carried_wrong(evidence: Evidence) -> Cause | None:
    """GP113 where the shares within each step are right, and those carried back from later steps are wrong."""
    found = linear_answers(evidence)
    for pair in aligned(found):
        if not (_in_order(found, pair) and any((axes_apart(f, pair) & f.given).any() for f in found)):
            continue
        if all((f.right | axes_apart(f, pair)).all() and not f.right.all() for f in found):
            axis = _axes([pair])
            text = f"right within each step along {axis}, wrong from one to another   {counted(evidence, found)}"
            likely = (
                f"what backward carries from step to step along {axis} is wrong: a factor or a term of it is missing"
            )
            advice = "differentiate one step by the state before it: every way from the old state to the new one counts"
            return Cause("GP113", (("everywhere", text),), likely, advice, vague=True)
    return None


def _axes(pairs: list[Pair]) -> str:
    return " and ".join(dict.fromkeys(f"axis {a}" for a, _ in pairs))


def _of_dout(pairs: list[Pair]) -> str:
    return " and ".join(dict.fromkeys(f"axis {b}" for _, b in pairs))


def axes_apart(found: Answers, pair: Pair) -> Mask:
    """Shares of outputs in entries at another index of this axis: of the tensor, and of the output."""
    return np.asarray(found.rows(pair[1]) != found.columns(pair[0]), dtype=np.bool_)


def _mixes(found: list[Answers], pair: Pair, shares: Callable[[Answers], Mask]) -> list[bool]:
    return [bool((shares(f) & axes_apart(f, pair)).any()) for f in found]


def _given(found: Answers) -> Mask:
    return found.given


def _wanted(found: Answers) -> Mask:
    return found.wanted


def _missing(found: list[Answers]) -> list[Pair]:
    """Axes along which forward mixes, and backward never does, though it returns something."""
    if not all(f.given.any() for f in found):
        return []
    return [p for p in aligned(found) if any(_mixes(found, p, _wanted)) and not any(_mixes(found, p, _given))]


def mixes_more(found: list[Answers]) -> bool:
    """Whether backward mixes along an axis along which forward does not."""
    return bool(_extra(found))


def _extra(found: list[Answers]) -> list[Pair]:
    return [p for p in aligned(found) if any(_mixes(found, p, _given)) and not any(_mixes(found, p, _wanted))]


def _in_order(found: list[Answers], pair: Pair) -> bool:
    """Say whether an entry has a share in outputs at its own index and at later ones alone, in two of them or more."""
    later = [f.rows(pair[1]) >= f.columns(pair[0]) for f in found]
    steps = max(f.sample.shape[pair[0]] for f in found)
    return (
        steps > 1
        and all(not (f.wanted & ~o).any() for f, o in zip(found, later, strict=True))
        and any(_mixes(found, pair, _wanted))
    )
