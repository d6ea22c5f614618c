"""One fault told once: findings about several gradients of one subject that have one cause; it looks for no cause."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from gradproof.diagnose.cause import BROKEN
from gradproof.values import Finding

PART, CHAIN, UNNAMED = "GP120", "GP121", "GP101"
MUTATES = frozenset({"GP501", "GP502", "GP511", "GP512", "GP514"})


def told_once(findings: Sequence[Finding]) -> list[Finding]:
    """Findings about gradients first, those with a cause before those without; one for each cause.

    A part of a composite that is wrong by itself stands for every gradient of the whole, and so does a chain that hands
    a part a wrong dout: whatever else the numbers look like follows from it. What the whole makes of right parts is
    less than a cause that a gradient has of its own.
    """
    part = next((f for f in findings if f.code == PART or (f.code == CHAIN and _is_broken(f))), None)
    gradients = [f for f in findings if _is_gradient(f)]
    rest = [f for f in findings if not _is_gradient(f) and f.code not in (PART, CHAIN)]
    # what a call writes to is wrong for all that read it
    written = [f for f in rest if f.code in MUTATES and f.severity == "error"]
    others = [f for f in rest if f not in written]
    if part is not None:
        return [*written, _for_all(part, gradients), *others]
    chains = [f for f in findings if f.code == CHAIN]
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in gradients:
        groups.setdefault(_key(finding, chained=bool(chains)), []).append(finding)
    told = [_with_others(group) for group in groups.values()]
    named, unnamed = ([f for f in told if (f.code == UNNAMED) is without] for without in (False, True))
    # where each gradient has a cause of its own, that says more than that the chaining is wrong
    ordered = [*chains, *named, *unnamed] if unnamed else [*named, *chains]
    return [*written, *ordered, *others]


def _is_broken(finding: Finding) -> bool:
    return finding.headline == BROKEN


def _is_gradient(finding: Finding) -> bool:
    return finding.tensor is not None and finding.code.startswith("GP1")


def _key(finding: Finding, *, chained: bool) -> tuple[str, str]:
    """Code and cause, with the tensor's own name taken out; without a cause, every tensor is a case of its own."""
    likely = dict(finding.lines).get("likely cause")
    name = finding.tensor or ""
    if likely is None:
        return finding.code, "" if chained else name
    return finding.code, re.sub(rf"(?<!\w)(d?){re.escape(name)}(?!\w)", r"\1*", likely)


def _with_others(group: Sequence[Finding]) -> Finding:
    first, names = group[0], [f.tensor for f in group if f.tensor is not None]
    if len(names) < 2:
        return first
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    same = ("the same for", ", ".join(names[1:]))
    lines = (*first.lines[:1], same, *first.lines[1:])
    return replace(first, headline=f"the gradients of {listed} are wrong", lines=lines, also=tuple(names[1:]))


def _for_all(part: Finding, gradients: Sequence[Finding]) -> Finding:
    names = [f.tensor for f in gradients if f.tensor is not None]
    explains = (("accounts for", f"the wrong gradient of {', '.join(names)}"),) if names else ()
    lines = (*part.lines[:1], *explains, *part.lines[1:])
    return replace(part, tensor=names[0] if names else None, lines=lines, also=tuple(names[1:]))
