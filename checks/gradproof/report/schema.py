"""A report as a document of plain JSON values, with a versioned layout; it knows neither files nor terminals."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from gradproof.findings import (
    OWN,
    Cause,
    Edit,
    Fact,
    Finding,
    Location,
    RightLine,
    RightUpTo,
    SourceHint,
    SubjectReport,
    Value,
    WrongLine,
)
from gradproof.report.lines import headline, lines
from gradproof.values import Entry, Reason, TensorSummary, Verdict

T = TypeVar("T")

NAME = "gradproof-report"
FILE = Path(__file__).with_name("schema.json")  # the JSON Schema of the document
VERSION = 2  # grows when a field is removed or changes its meaning; a new field does not raise it


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
    tensor = finding.tensor or ""
    return {
        "code": finding.code,
        "name": finding.name,
        "kind": finding.kind or None,
        "subject": finding.subject,
        "file": finding.file,
        "tensor": finding.tensor,
        "also": list(finding.also),
        "severity": finding.severity,
        "confidence": finding.confidence.value,
        "headline": headline(finding),
        "cause": _or_none(finding.cause, functools.partial(_cause, tensor=tensor)),
        "because": _or_none(finding.because, _because),
        "worst": _or_none(finding.worst, _entry),
        "law": _or_none(finding.law, functools.partial(plain, tensor=tensor)),
        "location": _or_none(_place(finding), _location),
        "hints": [_hint(hint) for hint in finding.hints],
        "edits": [_edit(edit) for edit in finding.edits],
        "right_up_to": _or_none(finding.right_up_to, _right_up_to),
        "dims": {name: _dim(extent) for name, extent in finding.dims.items()},
        "values": {name: _plain(value) for name, value in finding.values.items()},
        "varied": {name: str(value) for name, value in finding.varied.items()},
        "reproduce": finding.reproduce,
        "lines": [{"label": label, "text": content} for label, content in lines(finding)],
        "traceback": finding.traceback,
    }


def _or_none(value: T | None, write: Callable[[T], Any]) -> Any:
    return None if value is None else write(value)


def _place(finding: Finding) -> Location | None:
    """Where to look first: at a change that mends it, else where backward goes wrong, else at a line of a hint."""
    changed = [each.at for edit in finding.edits for each in edit.replacements]
    if changed:
        return changed[0]
    if finding.right_up_to is not None:
        return finding.right_up_to.wrong.at
    return finding.hints[0].at if finding.hints else None


def _cause(cause: Cause, tensor: str) -> dict[str, Any]:
    return {
        "code": cause.code,
        "kind": cause.kind,
        "parameters": {name: plain(value, tensor) for name, value in cause.parameters.items()},
        "evidence": {name: plain(value, tensor) for name, value in cause.evidence.items()},
        "support": _or_none(cause.support, dataclasses.asdict),
        "confidence": cause.confidence.value,
        "tensor": cause.tensor,
        "of": _or_none(cause.of, functools.partial(_cause, tensor=cause.tensor or tensor)),
    }


def _because(promise: Finding) -> dict[str, Any]:
    return {"code": promise.code, "name": promise.name, "headline": headline(promise)}


def _entry(entry: Entry) -> dict[str, Any]:
    numbers = {"analytic": entry.analytic, "numeric": entry.numeric, "bound": entry.bound}
    finite = {name: _finite(number) for name, number in numbers.items()}
    return {"index": [int(i) for i in entry.index], **finite}


def _location(at: Location) -> dict[str, Any]:
    return dataclasses.asdict(at)


def _hint(hint: SourceHint) -> dict[str, Any]:
    return {**_location(hint.at), "text": hint.text, "sentence": hint.sentence, "code": hint.code}


def _edit(edit: Edit) -> dict[str, Any]:
    return {
        "replacements": [
            {**_location(each.at), "action": each.action.value, "old": each.old, "new": each.new}
            for each in edit.replacements
        ],
        "tensors": list(edit.tensors),
        "examples": edit.examples,
        "needs": list(edit.needs),
    }


def _right_up_to(found: RightUpTo) -> dict[str, Any]:
    wrong = found.wrong
    numbers = {"expected": _finite(wrong.expected), "bound": _finite(wrong.bound), "got": _finite(wrong.got)}
    return {
        "right": _or_none(found.right, _line),
        "wrong": {**_line(wrong), "index": list(wrong.index), **numbers},
        "tensors": list(found.tensors),
        "unsure": [_location(at) for at in found.unsure],
    }


def _line(line: RightLine | WrongLine) -> dict[str, Any]:
    return {**_location(line.at), "text": line.text, "variable": line.variable, "of": line.of}


def plain(value: Value, tensor: str) -> Any:
    """A parameter as JSON: a fact as its kind and parameters, the tensor's own name where a formula stands for it."""
    if isinstance(value, Fact):
        return {"kind": value.kind, "parameters": {name: plain(one, tensor) for name, one in value.parameters.items()}}
    if isinstance(value, tuple):
        return [plain(one, tensor) for one in value]
    return value.replace(OWN, tensor) if isinstance(value, str) else _plain(value)


def _plain(value: Any) -> Any:
    """A value of an example as JSON: numbers, lists of them, or the text of anything else."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float | np.floating):
        return _finite(float(value))
    if isinstance(value, int | np.integer):
        return value if isinstance(value, bool) else int(value)
    return str(value)


def _reasons(unjudged: Mapping[Reason, int]) -> dict[str, int]:
    return {reason.value: int(count) for reason, count in unjudged.items()}


def _dim(extent: int | tuple[int, ...]) -> int | list[int]:
    return [int(axis) for axis in extent] if isinstance(extent, tuple) else int(extent)


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None
