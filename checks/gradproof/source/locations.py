"""Where a piece of source stands: file, lines and columns, in a notebook the cell; it knows what no piece is for."""

from __future__ import annotations

import ast
import linecache
import re

from gradproof.findings import Location
from gradproof.source.source import shown

_CELL = re.compile(r"(?P<notebook>.+)\[cell (?P<number>\d+)\]")


def cell_file(notebook: str, number: int) -> str:
    """The file name under which the source of a notebook's code cell is known, from 1 on."""
    return f"{notebook}[cell {number}]"


def located(file: str, node: ast.stmt | ast.expr) -> Location:
    """Where an expression or a statement stands; of a loop or a branch, where its head does."""
    last = _head(node)
    end = last.end_lineno or last.lineno
    columns = _character(file, node.lineno, node.col_offset), _character(file, end, last.end_col_offset or 0)
    return _location(file, node.lineno, columns[0], end, columns[1] + (last is not node))  # with its colon


def at_line(file: str, line: int) -> Location:
    """A whole line, without the spaces around it."""
    text = linecache.getline(file, line)
    begin = len(text) - len(text.lstrip())
    return _location(file, line, begin, line, max(len(text.rstrip()), begin))


def source_at(file: str, location: Location) -> str:
    """The text of a location, as its author wrote it."""
    lines = linecache.getlines(file)[location.line - 1 : location.end_line]
    if not lines:
        return ""
    lines[-1] = lines[-1][: location.end_column]
    lines[0] = lines[0][location.column :]
    return "".join(lines)


def _head(node: ast.stmt | ast.expr) -> ast.stmt | ast.expr:
    head = getattr(node, "iter", getattr(node, "test", None))
    return head if hasattr(node, "body") and isinstance(head, ast.expr) and isinstance(node, ast.stmt) else node


def _character(file: str, line: int, column: int) -> int:
    """The character of a line at a column that is counted in bytes, as the syntax tree counts."""
    return len(linecache.getline(file, line).encode()[:column].decode(errors="replace"))


def _location(file: str, line: int, column: int, end_line: int, end_column: int) -> Location:
    found = _CELL.fullmatch(file)
    if found is None:
        return Location(shown(file), line, column, end_line, end_column)
    first = next((text.strip() for text in linecache.getlines(file) if text.strip()), "")
    cell = int(found["number"])
    return Location(shown(found["notebook"]), line, column, end_line, end_column, cell, first)
