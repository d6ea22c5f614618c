"""Runs a notebook's cells in order in one namespace and keeps every version of what they define; it checks nothing."""

from __future__ import annotations

import functools
import linecache
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from gradproof import deadlines
from gradproof.collect import cells, scan
from gradproof.collect.cells import Cell
from gradproof.collect.discover import Found, left_out, lost, subjects
from gradproof.collect.load import Source, importable, mended, module_for
from gradproof.collect.lost_statements import LostStatement, notes_of_lost
from gradproof.collect.places import Place, shown
from gradproof.collect.statements import Statement, statements
from gradproof.collect.stepwise import Stepwise
from gradproof.findings import Finding
from gradproof.sandbox.surroundings import restored
from gradproof.source.locations import cell_file


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
    """Run the code cells, each for at most ``seconds``; a statement that fails is told and passed over.

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
    notes = (*running.notes, *notes_of_lost([*running.failures, *source.failures_beside]))
    return Notebook(source, (*versions, *running.missing(names)), (*notes, *left_out(names, own)))


@dataclass(eq=False)
class _Running:
    file: Path
    source: Source
    seconds: float
    notes: list[Finding] = field(default_factory=list[Finding])
    replaced: list[Version] = field(default_factory=list[Version])
    failed: list[tuple[Cell, LostStatement]] = field(default_factory=list[tuple[Cell, LostStatement]])
    unparsed: list[tuple[Cell, str]] = field(default_factory=list[tuple[Cell, str]])
    failures: list[LostStatement] = field(default_factory=list[LostStatement])

    def run(self, cell: Cell) -> None:
        """Run one cell, and keep what it replaces."""
        for line in cell.passed_over:
            self._note(cell, f"{line} is no Python: passed over")
        names = vars(self.source.module)
        before = dict(names)
        home, filename = f"{self._name}.cell_{cell.number}", cell_file(shown(self.file), cell.number)
        lines = cell.source.splitlines(keepends=True)
        linecache.cache[filename] = (len(cell.source), None, lines, filename)  # for tracebacks and inspect
        module = ModuleType(home)
        module.__file__ = filename
        sys.modules[home] = module
        names["__name__"] = home
        try:
            found = statements(cell.source, filename)
        except (SyntaxError, ValueError) as wrong:
            self._unparsed(cell, "".join(traceback.format_exception_only(wrong)).rstrip())
        else:
            self._run(cell, filename, found)
        names["__name__"] = self._name
        vars(module).update({k: v for k, v in names.items() if k not in vars(module)})
        self._keep(before, names)

    def _run(self, cell: Cell, filename: str, found: Sequence[Statement]) -> None:
        mend = functools.partial(mended, self.source, may_restart=False)
        subject = f"{self.file.name}, cell {cell.number}"
        running = Stepwise(vars(self.source.module), filename, self.seconds, mend, subject, "GP305", self.failures)
        before = len(self.failures)
        with importable(self.source), restored():
            running.run(found)
        self.failed += [(cell, failure) for failure in self.failures[before:]]

    def _unparsed(self, cell: Cell, trace: str) -> None:
        self.unparsed.append((cell, trace.splitlines()[-1]))
        self._note(cell, "does not parse: passed over", trace)

    def own(self, value: Any) -> bool:
        """Whether a class or function was defined in a cell."""
        return str(getattr(value, "__module__", "")).startswith(f"{self._name}.cell_")

    def cell_of(self, found: Found) -> int:
        """The number of the cell that defined the last part of a subject."""
        return max(int(part.__module__.rpartition("_")[2]) for part in found.parts)

    def missing(self, names: Mapping[str, Any]) -> Iterator[Version]:
        """The subjects that a cell would have defined, had it not failed."""
        for cell, why in self.unparsed:
            for name in scan.subject_names(cell.source):
                if getattr(names.get(name), "__module__", None) != f"{self._name}.cell_{cell.number}":
                    found = Found(name, None, f"cell {cell.number} failed before it defined {name}: {why}")
                    yield Version(cell.number, found, self.source)
        for cell, failure in self.failed:
            yield from (Version(cell.number, found, self.source) for found in lost([failure]))

    @property
    def _name(self) -> str:
        return self.source.module.__name__.partition(".cell_")[0]

    def _keep(self, before: Mapping[str, Any], names: Mapping[str, Any]) -> None:
        """The subjects that were there before the cell ran, and of which a part is no longer there."""
        changed = [value for name, value in before.items() if names.get(name) is not value]
        gone = {id(value) for value in changed if isinstance(value, (type, FunctionType)) and self.own(value)}
        if not gone:
            return
        source = replace(self.source, namespace=before)
        for found in subjects(before, self.own):
            if not gone.isdisjoint(map(id, found.parts)):
                self.replaced.append(Version(self.cell_of(found), found, source))

    def _note(self, cell: Cell, headline: str, trace: str | None = None) -> None:
        subject = f"{self.file.name}, cell {cell.number}"
        self.notes.append(Finding("GP305", subject, headline, severity="note", traceback=trace or None))
