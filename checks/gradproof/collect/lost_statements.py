"""A statement of the user's that did not run, and what is told of it; it runs nothing."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field

from gradproof import deadlines
from gradproof.collect.statements import Statement
from gradproof.errors import Absence, NotAvailable, not_installed
from gradproof.findings import Finding

LONGEST = 200  # characters of an exception's message in a sentence
_FOREIGN = (deadlines.OURS, "<frozen ", f"{sys.prefix}{os.sep}", f"{sys.base_prefix}{os.sep}")


def own_traceback(error: BaseException) -> str:
    """The traceback as the author of the file wants it: without the frames of what is installed, and without ours."""
    trace = traceback.TracebackException.from_exception(error)
    trace.stack = traceback.StackSummary.from_list([f for f in trace.stack if not f.filename.startswith(_FOREIGN)])
    lines = list(trace.format())
    return "".join(lines[:-1] if isinstance(error, deadlines.Expired) else lines).rstrip()


def did(error: BaseException) -> str:
    """What user code did instead of coming to an end: "raises ValueError"."""
    if isinstance(error, deadlines.Expired):
        return f"does not end within {error.seconds:g} s"
    return f"raises {type(error).__name__}"


def described(error: BaseException) -> str:
    """The same with its message: "raises ValueError (no data)"."""
    message = next(iter(_message(error).splitlines()), "")[:LONGEST]
    return did(error) + (f" ({message})" if message else "")


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "its message cannot be read"


@dataclass(frozen=True, eq=False)
class LostStatement:
    """One statement that raised: where, what, and what was lost with it.

    place: as in "layers.py:3"; subject, code: of the note; traceback: the author's own; lost: the lines of the
    statements that were lost because of this one.
    """

    statement: Statement
    place: str
    subject: str
    code: str
    error: BaseException
    traceback: str
    lost: list[int] = field(default_factory=list[int])

    @property
    def module(self) -> str | None:
        """The module that is not installed, where that is why."""
        return self.error.name if isinstance(self.error, ModuleNotFoundError) else None

    @property
    def of(self) -> Absence | None:
        """What was missing, where it only met what another statement had not defined."""
        return self.error.absence if isinstance(self.error, NotAvailable) else None

    def absence(self, name: str) -> Absence:
        """Why ``name`` is missing, which the statement was to define."""
        if self.module is not None:
            return not_installed(self.module)
        of = self.of
        what = described(self.error)
        why, because = (f"it {what}", f"{self.place} {what}") if of is None else (of.because, of.because)
        if self.statement.defines:
            remedy = f"correct {self.place}" if of is None else of.remedy
        else:
            remedy = of.remedy if of is not None and of.is_module else f"write a value for {name} there"
        is_module = of is not None and of.is_module
        return Absence(name, f"{self.place} does not define because {why}", because, remedy, is_module)

    def caused(self, absence: Absence) -> bool:
        """Whether something is missing because of this failure, and of no earlier one."""
        return self.of is None and self.absence("").because == absence.because

    def problem(self, name: str) -> str:
        """The sentence that says why the definition of ``name`` is not there, and what to do."""
        absence = self.absence(name)
        because = f"it {described(self.error)}" if self.of is None else absence.because
        return f"{self.place} does not define {name} because {because}: {absence.remedy}"

    def note(self) -> Finding:
        """What is told of it beside the subjects."""
        if self.module is None:
            headline, shown = f"{did(self.error)}: passed over", self.traceback
        else:
            headline, shown = f"{self.module} is not installed: what uses it is left out", None
        lost = ", ".join(map(str, self.lost))
        lines = (("with it", f"{'line' if len(self.lost) == 1 else 'lines'} {lost}"),) if self.lost else ()
        return Finding(self.code, self.subject, headline, severity="note", remarks=lines, traceback=shown)


def notes_of_lost(failures: Iterable[LostStatement]) -> list[Finding]:
    """One note for each statement that failed by itself; of those that miss the same module, for the first."""
    first: dict[object, LostStatement] = {}
    for failure in failures:
        if failure.of is None:
            first.setdefault(failure.module or failure, failure)
    return [failure.note() for failure in first.values()]


def refusal(file: str, error: BaseException, trace: str) -> str:
    """Why a file cannot be checked at all: what it did when it was imported, in the author's own ``trace``."""
    main = 'put what is to run under if __name__ == "__main__":'
    if isinstance(error, SystemExit):
        return f"{file} calls sys.exit({error.code!r}) when it is imported: {main}"
    if isinstance(error, deadlines.Expired):
        return f"{file} did not end within {error.seconds:g} s when it was imported: {main}\n{trace}"
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    remedy = "" if missing is None else f"\ninstall {missing}, or move the import to where the layers do not meet it"
    return f"{file} raises when it is imported:\n{trace}{remedy}"


def only_in_main(name: str, *, place: str) -> Absence:
    """The absence of a name that only the main part of a file defines, which is not run."""
    why = f'is defined at {place}, under if __name__ == "__main__":'
    return Absence(name, why, f"{name} {why}", "define it above that line")
