"""Makes the edits of a JSON report in the source that it is about; it runs nothing and judges nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Edit = Mapping[str, Any]


def first_edits(findings: Iterable[Mapping[str, Any]], file: str) -> list[Edit]:
    """The first edit of each error that has one in this file alone, each once."""
    found: list[Edit] = []
    for finding in findings:
        edits = [edit for edit in finding["edits"] if _is_within(edit, file)]
        if finding["severity"] == "error" and edits and not any(_alike(edits[0], other) for other in found):
            found.append(edits[0])
    return found


def applied(text: str, edits: Sequence[Edit]) -> str | None:
    """The text with the edits made; None where one moves a statement, or two of them meet."""
    replacements = [each for edit in edits for each in edit["replacements"]]
    if any(each["action"] == "move" for each in replacements):
        return None
    lines = text.splitlines(keepends=True)
    begins = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]
    changed, last = text, len(text) + 1
    for each in sorted(replacements, key=lambda each: (each["line"], each["column"]), reverse=True):
        begin = begins[each["line"] - 1] + each["column"]
        end = begins[each["end_line"] - 1] + each["end_column"]
        if end > last:
            return None
        new = "pass" if each["action"] == "delete" else each["new"]
        changed, last = changed[:begin] + new + changed[end:], begin
    return changed


def _is_within(edit: Edit, file: str) -> bool:
    return all(each["file"].endswith(file) for each in edit["replacements"])


def _alike(one: Edit, other: Edit) -> bool:
    return one["replacements"] == other["replacements"]
