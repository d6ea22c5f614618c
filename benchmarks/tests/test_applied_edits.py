"""Edits of a report that are made in its source: statements of one line and of several, what is deleted, what meets."""

from __future__ import annotations

from applied_edits import applied, first_edits

SOURCE = "def backward(dout):\n    dx = (\n        dout * 2\n    )\n    db = dout\n    return dx\n"


def replacement(line: int, column: int, end_line: int, end_column: int, new: str, action: str = "replace") -> dict:
    place = {"file": "layer.py", "line": line, "column": column, "end_line": end_line, "end_column": end_column}
    return {**place, "action": action, "new": new}


def edit(*replacements: dict) -> dict:
    return {"replacements": list(replacements), "tensors": ["x"]}


def test_statements_are_replaced_from_their_first_character_to_their_last() -> None:
    changes = [edit(replacement(2, 4, 4, 5, "dx = dout")), edit(replacement(5, 4, 5, 13, "db = 2 * dout"))]
    assert applied(SOURCE, changes) == "def backward(dout):\n    dx = dout\n    db = 2 * dout\n    return dx\n"
    assert applied(SOURCE, changes[::-1]) == applied(SOURCE, changes)


def test_what_is_deleted_leaves_a_block_that_runs() -> None:
    assert "    pass\n" in (applied(SOURCE, [edit(replacement(5, 4, 5, 13, "", "delete"))]) or "")


def test_what_moves_or_meets_is_not_made() -> None:
    assert applied(SOURCE, [edit(replacement(5, 4, 5, 13, "", "move"))]) is None
    twice = [edit(replacement(5, 4, 5, 13, "db = 1")), edit(replacement(5, 9, 5, 13, "1"))]
    assert applied(SOURCE, twice) is None


def test_the_first_edit_of_each_error_counts_and_each_once() -> None:
    one, other = edit(replacement(5, 4, 5, 13, "db = 1")), edit(replacement(6, 4, 6, 13, "return db"))
    errors = [{"severity": "error", "edits": [one, other]}, {"severity": "error", "edits": [one]}]
    warnings = [{"severity": "warning", "edits": [other]}]
    assert first_edits([*errors, *warnings], "layer.py") == [one]
    assert first_edits(errors, "other.py") == []
