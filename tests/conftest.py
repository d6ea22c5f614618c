"""Every report that a test makes is held against its JSON Schema; of long tables, a few rows are enough by default."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

ROWS = 2  # of a table that are tested by default


@pytest.hookimpl(tryfirst=True)  # before items are chosen by their marks
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Marks the further rows of tables as slow."""
    seen: Counter[str] = Counter()
    for item in items:
        test = item.nodeid.partition("[")[0]
        seen[test] += 1
        if item.get_closest_marker("table") is not None and seen[test] > ROWS:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True, scope="session")
def _reports_fit_their_schema() -> Iterator[None]:
    """Wraps what makes a subject's report: its document must be valid, whatever the test looks at."""
    from gradproof.findings import SubjectReport
    from gradproof.report.report import Report
    from gradproof.run import Run
    from json_schema import REPORT

    made = Run.report

    @functools.wraps(made)
    def report(self: Run, *arguments: str | None) -> SubjectReport:
        subject = made(self, *arguments)
        document = json.loads(Report((subject,), 0, None, "0").to_json(), parse_constant=pytest.fail)
        assert list(REPORT.problems(document)) == []
        return subject

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "report", report)
        yield
