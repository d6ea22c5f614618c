"""A report as a document of plain JSON values, with a versioned layout; it knows neither files nor terminals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from gradproof.findings import Finding, SubjectReport
from gradproof.report.lines import headline, lines
from gradproof.values import Reason, TensorSummary, Verdict

NAME = "gradproof-report"
VERSION = 1  # grows when a field is removed or changes its meaning; a new field does not raise it


def document(
    subjects: Sequence[SubjectReport],
    *,
    verdict: Verdict,
    seed: int | None,
    examples: int | None,
    version: str,
    interrupted: bool,
    errors: Sequence[str],
    notes: Sequence[Finding],
) -> dict[str, Any]:
    """The whole report; every number is finite or None, so that it is strict JSON."""
    return {
        "schema": NAME,
        "version": VERSION,
        "gradproof": version,
        "verdict": verdict.value,
        "interrupted": interrupted,
        "errors": list(errors),
        "seed": seed,
        "examples": examples,
        "forwards": sum(subject.forwards for subject in subjects),
        "subjects": [_subject(subject) for subject in subjects],
        "notes": [_finding(note) for note in notes],
    }


def _subject(subject: SubjectReport) -> dict[str, Any]:
    return {
        "name": subject.name,
        "location": subject.location,
        "verdict": subject.verdict.value,
        "reason": subject.reason,
        "seed": subject.seed,
        "examples": subject.examples,
        "forwards": subject.forwards,
        "naming_forwards": subject.naming_forwards,
        "seconds": _finite(subject.seconds),
        "dims": {name: [least, most] for name, (least, most) in subject.dims.items()},
        "notes": list(subject.notes),
        "tensors": [_tensor(tensor) for tensor in subject.tensors],
        "findings": [_finding(finding) for finding in subject.findings],
    }


def _tensor(tensor: TensorSummary) -> dict[str, Any]:
    return {
        "name": tensor.name,
        "role": tensor.role.value,
        "verdict": tensor.verdict.value,
        "examples": tensor.examples,
        "entries": tensor.entries,
        "judged": tensor.judged,
        "unjudged": _reasons(tensor.unjudged),
        "kinks": tensor.kinks,
        "resolution": _finite(tensor.resolution),
        "forwards": tensor.forwards,
        "methods": list(tensor.methods),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "subject": finding.subject,
        "file": finding.file,
        "tensor": finding.tensor,
        "also": list(finding.also),
        "index": None if finding.index is None else [int(i) for i in finding.index],
        "severity": finding.severity,
        "headline": headline(finding),
        "lines": [{"label": label, "text": content} for label, content in lines(finding)],
        "traceback": finding.traceback,
        "dims": {name: _dim(extent) for name, extent in finding.dims.items()},
    }


def _reasons(unjudged: Mapping[Reason, int]) -> dict[str, int]:
    return {reason.value: int(count) for reason, count in unjudged.items()}


def _dim(extent: int | tuple[int, ...]) -> int | list[int]:
    return [int(axis) for axis in extent] if isinstance(extent, tuple) else int(extent)


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None
