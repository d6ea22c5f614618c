"""Which findings say up to which line backward is right: where no change of the source says another thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gradproof.adjoint.locate import Located
from gradproof.codes import CODES, is_of_gradient
from gradproof.findings import Edit, Finding, RightUpTo


def worth_locating(findings: Sequence[Finding]) -> bool:
    """Whether a gradient is wrong, and no call changes what another one reads."""
    return not any(map(_disturbs, findings)) and any(map(_is_located, findings))


def _disturbs(finding: Finding) -> bool:
    """Whether one call changes what another one reads."""
    return CODES[finding.code].mutates or CODES[finding.code].between_calls


def agreed(findings: Sequence[Finding], located: Located) -> list[Finding]:
    """The findings with the lines, where a change that they propose stands on one of them, or they propose none."""
    return [_with_lines(finding, located) if _is_located(finding) else finding for finding in findings]


def _is_located(finding: Finding) -> bool:
    if finding.severity != "error":
        return False
    if finding.because is not None:
        return finding.tensor is not None and not _disturbs(finding.because)
    return is_of_gradient(finding.code) and not CODES[finding.code].of_forward


def _with_lines(finding: Finding, located: Located) -> Finding:
    of_all = CODES[finding.code].of_parts or finding.tensor is None
    lines = located.of(located.wrong if of_all else [str(finding.tensor)])
    if lines is None or (finding.edits and not _is_at(finding.edits, lines)):
        return finding
    return replace(finding, right_up_to=lines)


def _is_at(edits: Iterable[Edit], lines: RightUpTo) -> bool:
    """Whether a change stands on the line that is wrong, or on one that may be."""
    changed = [each.at for edit in edits for each in edit.replacements]
    return any(at.meets(place) for at in changed for place in (lines.wrong.at, *lines.unsure))
