"""The pytest plugin: each Case of a check_*.py is a test item; it stays out of runs that have none.

Only the standard library and pytest are imported here: everybody who installed gradproof pays for it in every run.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr

    from gradproof.case.case import Case

EXAMPLES, SEED = "--gradproof-examples", "--gradproof-seed"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; their values are validated once all are read."""
    group = parser.getgroup("gradproof", "gradient checks of hand-written backward passes")
    group.addoption(EXAMPLES, metavar="N", help="random examples per Case (default: the Case's own setting)")
    group.addoption(SEED, metavar="N", help="seed of every random draw (default: the Case's own setting)")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse option values that no run could use."""
    _option(config, EXAMPLES, least=1)
    _option(config, SEED, least=0)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """A collector for each check_*.py that mentions gradproof; nobody else's check_*.py is executed.

    Where pytest collects the file as well, because it was named or python_files matches it, one collector does both,
    so that an error of its import is told once.
    """
    collectors = yield
    if not (file_path.name.startswith("check_") and file_path.suffix == ".py"):
        return collectors
    from gradproof.collect.checkfile import is_check_file

    if not is_check_file(file_path):
        return collectors
    others = [collector for collector in collectors if type(collector) is not pytest.Module]
    return [*others, CheckFile.from_parent(parent, path=file_path, tests=len(others) < len(collectors))]


class CheckFile(pytest.Module):
    """A check_*.py, imported as pytest imports any test module."""

    def __init__(self, *, tests: bool, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._tests = tests

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """One item per module-level Case, under the name of its variable; then the tests, where pytest wants them."""
        from gradproof.collect.collect import named_cases

        for name, case in named_cases(self.obj).items():
            yield CaseItem.from_parent(self, name=name, case=case)
        if self._tests:
            yield from super().collect()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *arguments: Any) -> str | TerminalRepr:
        """An error of the import; a wrong declaration is shown with the author's frames only."""
        from gradproof.errors import UsageError

        if not isinstance(excinfo.value, UsageError):
            return super().repr_failure(excinfo, *arguments)
        ours = Path(__file__).parent
        author = excinfo.traceback.cut(path=self.path).filter(lambda entry: ours not in Path(entry.path).parents)
        excinfo.traceback = author
        return excinfo.getrepr(style="short", tbfilter=False)


class CaseItem(pytest.Item):
    """One Case as a test. It passes only if the subject does: what could not be judged is not green."""

    def __init__(self, *, case: Case, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.case = case

    def runtest(self) -> None:
        """Check the Case; raise GradientFault for any verdict but PASS."""
        from gradproof import __version__
        from gradproof.checking import check_case
        from gradproof.report.report import GradientFault, Report
        from gradproof.values import Verdict

        examples, seed = _option(self.config, EXAMPLES, least=1), _option(self.config, SEED, least=0)
        where = os.path.relpath(self.path, self.config.invocation_params.dir)
        subject = check_case(self.case, location=f"{where}::{self.name}", examples=examples, seed=seed)
        if subject.verdict is not Verdict.PASS:
            raise GradientFault(Report((subject,), seed, examples, __version__))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str | TerminalRepr:
        """The report's own text; a traceback through gradproof would tell a student nothing."""
        from gradproof.errors import UsageError
        from gradproof.report.report import GradientFault

        if isinstance(excinfo.value, (GradientFault, UsageError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The file, the line (from 0) of the Case where it was declared there, and the Case's name."""
        declared_here = self.case.file == str(self.path)
        return self.path, self.case.line - 1 if declared_here else None, self.name


def _option(config: pytest.Config, name: str, *, least: int) -> int | None:
    value = config.getoption(name)
    if value is None:
        return None
    try:
        number = int(value)
    except ValueError:
        number = least - 1
    if number < least:
        raise pytest.UsageError(f"{name}: expected an integer >= {least}, got {value!r}")
    return number
