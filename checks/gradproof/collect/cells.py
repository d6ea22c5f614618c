"""Reads a notebook's code cells as Python source, without the lines that are no Python; it runs none of them."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradproof.collect.places import shown
from gradproof.errors import UsageError

# a line magic, a shell command or a question, alone on a line or assigned: x = !ls
_MAGIC = re.compile(r"^(\s*)([%!?].*|[\w.]+\?{1,2}\s*|[\w, ]+=\s*[%!].*)$")
# cell magics behind which the cell is Python as before; behind any other it is something else
_STILL_PYTHON = frozenset({"%%time", "%%timeit", "%%capture", "%%prun"})


@dataclass(frozen=True)
class Cell:
    """One code cell: its number as "Run All" would give it, its Python, and the lines that were passed over."""

    number: int
    source: str
    passed_over: tuple[str, ...] = ()


def read(file: Path) -> list[Cell]:
    """The code cells of a notebook that are not blank, in their order.

    Raises UsageError where nbformat is not installed, or where the file is no notebook or has no code cell.
    """
    sources = [cell.source for cell in _document(file).cells if cell.cell_type == "code" and cell.source.strip()]
    if not sources:
        raise UsageError(f"{shown(file)}: nothing to check: the notebook has no code cell")
    return [_cell(number, source) for number, source in enumerate(sources, start=1)]


def _document(file: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on what its own dependencies have become
            import nbformat
    except ImportError:
        remedy = "install it with: pip install 'gradproof[notebook]'"
        raise UsageError(f"{shown(file)}: to read a notebook takes nbformat, which is missing: {remedy}") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on cells without an id, which no reader needs
            text = file.read_text(encoding="utf-8")
            reads: Any = nbformat.reads
            return reads(text, as_version=4)
    except OSError as error:
        raise UsageError(f"{shown(file)} cannot be read: {error.strerror}") from None
    except Exception as error:  # whatever nbformat and its validator raise at a file that is something else
        why = f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
        raise UsageError(
            f"{shown(file)} is no notebook that nbformat can read ({why}): save it again in Jupyter, "
            "or export the cells to a .py file"
        ) from None


def _cell(number: int, source: str) -> Cell:
    lines = source.splitlines()
    if lines[0].startswith("%%"):
        if lines[0].split()[0] not in _STILL_PYTHON:
            return Cell(number, "", (lines[0],))
        rest = _cell(number, "\n".join(["pass", *lines[1:]]))
        return Cell(number, rest.source, (lines[0], *rest.passed_over))
    if _parses(source):
        return Cell(number, source)
    kept = [_MAGIC.sub(r"\1pass", line) for line in lines]
    passed = [line.strip() for line, other in zip(lines, kept, strict=True) if line != other]
    return Cell(number, "\n".join(kept), tuple(passed))


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True
