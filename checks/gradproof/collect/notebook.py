"""Runs a notebook's cells in order in one namespace and keeps every version of what they define; it checks nothing."""

from __future__ import annotations

import linecache
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from gradproof import deadlines
from gradproof.codes import CODES
from gradproof.collect import cells, scan
from gradproof.collect.cells import Cell
from gradproof.collect.discover import Found, left_out, subjects
from gradproof.collect.load import Place, Source, execute, module_for, own_traceback, shown
from gradproof.values import Finding


@dataclass(frozen=True, eq=False)
class Version:
    """A subject as one cell defines it, with the names that it is to see while it is checked."""

    cell: int
    found: Found
    source: Source


@dataclass(frozen=True, eq=False)
class Notebook:
    """A notebook that ran: its subjects, and what is to be told of its cells."""

    source: Source
    versions: tuple[Version, ...]
    notes: tuple[Finding, ...]


def run(file: Path, seconds: float = deadlines.SECONDS) -> Notebook:
    """Run the code cells, each for at most ``seconds``; one that fails is told and passed over.

    A class or function that a later cell defines again sees the names as they were right before that cell ran; all
    others see them as they are at the end, as they would in a live notebook. Raises UsageError where
    there is no notebook.
    """
    found = cells.read(file)
    source = module_for(file, Place(0))
    running = _Running(file, source, seconds)
    for cell in found:
        running.run(cell)
    names = vars(source.module)
    own = running.own
    end = [Version(running.cell_of(s), s, source) for s in subjects(names, own)]
    versions = sorted([*running.replaced, *end], key=lambda version: version.cell)
    return Notebook(source, (*versions, *running.missing(names)), (*running.notes, *left_out(names, own)))


@dataclass(eq=False)
class _Running:
    file: Path
    source: Source
    seconds: float
    notes: list[Finding] = field(default_factory=list[Finding])
    replaced: list[Version] = field(default_factory=list[Version])
    failed: list[tuple[Cell, str]] = field(default_factory=list[tuple[Cell, str]])

    def run(self, cell: Cell) -> None:
        """Run one cell, and keep what it replaces."""
        for line in cell.passed_over:
            self._note(cell, f"{line} is no Python: passed over")
        names = vars(self.source.module)
        before = dict(names)
        home, filename = f"{self._name}.cell_{cell.number}", f"{shown(self.file)}[cell {cell.number}]"
        lines = cell.source.splitlines(keepends=True)
        linecache.cache[filename] = (len(cell.source), None, lines, filename)  # for tracebacks and inspect
        module = ModuleType(home)
        module.__file__ = filename
        sys.modules[home] = module
        names["__name__"] = home
        error: BaseException | None
        try:
            code = compile(cell.source, filename, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as wrong:
            error, told = wrong, "".join(traceback.format_exception_only(wrong)).rstrip()
        else:
            error = execute(self.source, code, self.seconds)
            told = "" if error is None else own_traceback(error)
        names["__name__"] = self._name
        vars(module).update({k: v for k, v in names.items() if k not in vars(module)})
        if error is not None:
            self._fail(cell, error, told)
        self._keep(before, names)

    def own(self, value: Any) -> bool:
        """Whether a class or function was defined in a cell."""
        return str(getattr(value, "__module__", "")).startswith(f"{self._name}.cell_")

    def cell_of(self, found: Found) -> int:
        """The number of the cell that defined the last part of a subject."""
        return max(int(part.__module__.rpartition("_")[2]) for part in found.parts)

    def missing(self, names: Mapping[str, Any]) -> Iterator[Version]:
        """The subjects that a cell which failed would have defined."""
        for cell, why in self.failed:
            for name in scan.subject_names(cell.source):
                module = f"{self._name}.cell_{cell.number}"
                if getattr(names.get(name), "__module__", None) != module:
                    found = Found(name, None, f"cell {cell.number} failed before it defined {name}: {why}")
                    yield Version(cell.number, found, self.source)

    @property
    def _name(self) -> str:
        return self.source.module.__name__.partition(".cell_")[0]

    def _keep(self, before: Mapping[str, Any], names: Mapping[str, Any]) -> None:
        """The subjects that were there before the cell ran, and of which a part is no longer there."""
        gone = [v for n, v in before.items() if isinstance(v, (type, FunctionType)) and names.get(n) is not v]
        gone = [value for value in gone if self.own(value)]
        if not gone:
            return
        source = replace(self.source, namespace=before)
        for found in subjects(before, self.own):
            if any(part is value for part in found.parts for value in gone):
                self.replaced.append(Version(self.cell_of(found), found, source))

    def _fail(self, cell: Cell, error: BaseException, told: str) -> None:
        message = next(iter(_message(error).splitlines()), "")
        if isinstance(error, deadlines.Expired):
            what, message = f"does not end within {self.seconds:g} s", ""
        elif isinstance(error, SyntaxError):
            what = "does not parse"
        else:
            what = f"raises {type(error).__name__}"
        self.failed.append((cell, f"it {what}{f' ({message})' if message else ''}"))
        self._note(cell, f"{what}: passed over", told)

    def _note(self, cell: Cell, headline: str, told: str | None = None) -> None:
        subject = f"{self.file.name}, cell {cell.number}"
        self.notes.append(Finding("GP305", CODES["GP305"], subject, headline, severity="note", traceback=told or None))


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "<its message cannot be read>"
