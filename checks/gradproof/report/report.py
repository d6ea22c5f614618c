"""What a run found, as one value, and the error that carries it; it runs nothing and formats nothing by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass

from gradproof.findings import Finding, SubjectReport
from gradproof.report import schema, text
from gradproof.values import Verdict


@dataclass(frozen=True, eq=False)
class Report:
    """All verdicts and findings of one run.

    ``seed`` and ``examples`` are what the run was asked for; None means that each case's own settings held.
    ``interrupted`` says that the run ended before everything was checked; ``errors`` are the usage errors of single
    paths, such as a file that does not parse, beside which the others were checked. ``notes`` are what can be said of
    the files beside their subjects; they leave the verdict as it is.
    """

    subjects: tuple[SubjectReport, ...]
    seed: int | None
    examples: int | None
    version: str
    interrupted: bool = False
    errors: tuple[str, ...] = ()
    notes: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """FAIL if any subject fails; PASS only if all that was asked for was checked, something was, and it passes."""
        verdicts = {subject.verdict for subject in self.subjects}
        if Verdict.FAIL in verdicts:
            return Verdict.FAIL
        complete = not self.interrupted and not self.errors
        return Verdict.PASS if complete and verdicts == {Verdict.PASS} else Verdict.INCONCLUSIVE

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of every subject, in the order of the subjects."""
        return tuple(finding for subject in self.subjects for finding in subject.findings)

    @property
    def forwards(self) -> int:
        """How many times a forward of a subject was called."""
        return sum(subject.forwards for subject in self.subjects)

    @property
    def exit_code(self) -> int:
        """0: everything passes; 1: a fault was found; 2: wrong usage; 3: no fault, but something was not judged."""
        if self.errors:
            return 2
        return {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}[self.verdict]

    def to_json(self) -> str:
        """The report as strict JSON (no NaN, no Infinity); docs/report-schema.md describes every field."""
        document = schema.document(
            self.subjects,
            verdict=self.verdict,
            seed=self.seed,
            examples=self.examples,
            version=self.version,
            interrupted=self.interrupted,
            errors=self.errors,
            notes=self.notes,
        )
        return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False)

    def __str__(self) -> str:
        return text.report(self.subjects, notes=self.notes, interrupted=self.interrupted)


class GradientFault(AssertionError):  # noqa: N818  an assertion that failed, not a broken program
    """A gradient, or a promise of the layer, is wrong; ``report`` says all, ``str()`` is its failure text."""

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return text.failure(self.report.subjects, interrupted=self.report.interrupted)
