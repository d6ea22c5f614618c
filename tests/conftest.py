"""Every report that a test makes is held against its JSON Schema."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator

import pytest


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
