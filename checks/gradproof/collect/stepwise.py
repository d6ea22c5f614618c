"""Runs the statements of a module one by one: one that raises costs what it was to define, and no more.

It knows neither Cases nor layers.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gradproof import deadlines
from gradproof.collect.lost_statements import LostStatement, only_in_main, own_traceback
from gradproof.collect.placeholder import Placeholder
from gradproof.collect.statements import Statement, reads, unbound
from gradproof.errors import Absence

LEAST_SECONDS = 1.0  # for one statement, once the time of the whole file is used up
_VALUE = "__gradproof_placeholder__"  # the name under which a placeholder is handed to the user's own assignment


@dataclass(eq=False)
class Stepwise:
    """The run of a module, or of a notebook's cells.

    names: the module's; shown: the file in messages, or the file and the cell; seconds: for all of it, of which one
    statement that neither defines nor imports may take a sixth; mend: does something about an exception and says
    whether to try again; subject, code: of the note on a failure, where it is not "layers.py, line 3".
    """

    names: dict[str, Any]
    shown: str
    seconds: float
    mend: Callable[[BaseException], bool]
    subject: str | None = None
    code: str = "GP307"
    failures: list[LostStatement] = field(default_factory=list[LostStatement])
    _used: float = 0.0  # seconds

    def run(self, found: Sequence[Statement]) -> None:
        """Run them all, and put a placeholder where a name was to be defined and is not."""
        for statement in found:
            self._step(statement, found)
        self._name_main(found)

    def _step(self, statement: Statement, found: Sequence[Statement]) -> None:
        error = self._raised(statement)
        while error is not None and self.mend(error):
            error = self._raised(statement)
        if error is None:
            return
        parts = statement.parts()
        for part in parts:
            self._step(part, found)
        if not parts:
            self._fail(statement, error, found)

    def _raised(self, statement: Statement) -> BaseException | None:
        """What the statement raises, all but Ctrl-C."""
        share = self.seconds if statement.is_quick else self.seconds / deadlines.SHARE
        began = time.monotonic()
        try:
            with deadlines.whole(min(share, max(self.seconds - self._used, LEAST_SECONDS))):
                exec(statement.code, self.names)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return error
        finally:
            self._used += time.monotonic() - began
        return None

    def _fail(self, statement: Statement, error: BaseException, found: Sequence[Statement]) -> None:
        failure = self._failure(statement, error)
        self.failures.append(failure)
        for other in self.failures:
            if failure.of is not None and other.caused(failure.of):
                other.lost.append(statement.line)
        if statement.imports_all:
            self._bind(unbound(found), failure.absence)
        for target in statement.targets():
            self._assign(statement, target, failure.absence(ast.unparse(target)))

    def _failure(self, statement: Statement, error: BaseException) -> LostStatement:
        trace = own_traceback(error)
        return LostStatement(
            statement,
            f"{self.shown}:{statement.line}",
            self.subject or f"{self.shown}, line {statement.line}",
            self.code,
            error.with_traceback(None),
            trace,
        )

    def _assign(self, statement: Statement, target: ast.expr, absence: Absence) -> None:
        """Do what the statement was to do, with a placeholder; what a loop came to define before it failed stays."""
        if isinstance(target, ast.Name):
            if not (statement.is_compound and target.id in self.names):
                self.names[target.id] = Placeholder(absence)
        elif not statement.is_compound:
            self.names[_VALUE] = Placeholder(absence)
            with contextlib.suppress(Exception, deadlines.Expired), deadlines.whole(LEAST_SECONDS):
                exec(statement.assigning(target, _VALUE), self.names)
            del self.names[_VALUE]

    def _bind(self, missing: Iterable[str], absence: Callable[[str], Absence]) -> None:
        for name in missing:
            if name not in self.names:
                self.names[name] = Placeholder(absence(name))

    def _name_main(self, found: Sequence[Statement]) -> None:
        """Say of a name that only the part under ``if __name__ == "__main__":`` defines that it is there."""
        used = reads(statement for statement in found if not statement.is_main)
        for statement in found:
            if statement.is_main:
                defined = {target.id for target in statement.targets() if isinstance(target, ast.Name)}
                place = f"{self.shown}:{statement.line}"
                self._bind(used & defined, functools.partial(only_in_main, place=place))
