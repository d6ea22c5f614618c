"""Reads at which line a finding tells a change, and at which lines a teacher would make one; it knows no cause.

A teacher's lines are those of the wrong layer that its right neighbour does not have. Where the neighbour has a line
more, they are the lines between which that one stands.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

from faulty.base import Fault, Pair
from gradproof.findings import Finding

Line = tuple[str, int]  # the file as its author would type it, and the number of a statement's first line
Statement = tuple[str, int]  # its indent and its source without comments and breaks; the number of its first line


def line_told(finding: Finding) -> Line | None:
    """The file's name and the line of the change that is told first; None where none is told."""
    if not finding.edits:
        return None
    at = finding.edits[0].replacements[0].at
    return Path(at.file).name, at.line


def teachers_lines(fault: Fault) -> frozenset[Line]:
    """Where the wrong layer and the right one are not the same."""
    right = _functions(fault.right)
    return frozenset(
        (inspect.getfile(function).rsplit("/", 1)[-1], line)
        for name, function in _functions(fault.wrong).items()
        if function is not right.get(name)
        for line in _differing(_statements(function), _statements(right[name]) if name in right else [])
    )


def _functions(layer: type | Pair) -> dict[str, FunctionType]:
    if isinstance(layer, Pair):
        return dict(zip(("forward", "backward"), layer, strict=True))  # type: ignore[misc]
    return dict(inspect.getmembers(layer, inspect.isfunction))


def _statements(function: FunctionType) -> list[Statement]:
    """The statements of a function, as its author numbers the lines; of a loop or a branch, its head."""
    lines, first = inspect.getsourcelines(function)
    tree = ast.parse(textwrap.dedent("".join(lines)))
    body = tree.body[0]
    told = [
        (f"{node.col_offset} {_head(node)}", node.lineno + first - 1)
        for node in ast.walk(body)
        if isinstance(node, ast.stmt) and node is not body
    ]
    arguments = (ast.unparse(body.args), first) if isinstance(body, ast.FunctionDef) else ("", first)
    return [arguments, *sorted(told, key=lambda statement: statement[1])]


def _head(node: ast.stmt) -> str:
    return ast.unparse(node).splitlines()[0] if hasattr(node, "body") else ast.unparse(node)


def _differing(wrong: list[Statement], right: list[Statement]) -> Iterator[int]:
    matcher = difflib.SequenceMatcher(None, [text for text, _ in wrong], [text for text, _ in right], autojunk=False)
    for kind, begin, end, _, _ in matcher.get_opcodes():
        if kind == "insert":
            yield from (line for _, line in wrong[max(begin - 1, 0) : end + 1])
        elif kind != "equal":
            yield from (line for _, line in wrong[begin:end])
