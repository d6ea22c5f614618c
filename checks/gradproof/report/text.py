"""Reports in plain text, for a reader at a terminal; it knows values only: no colour, no layer, no array."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from gradproof.columns import columns, padded, wrapped
from gradproof.findings import Finding, SubjectReport
from gradproof.report.labels import file_of, labels, prefixes
from gradproof.report.lines import headline, lines
from gradproof.values import Reason, TensorSummary, Verdict

WIDTH = 80  # columns of the narrowest terminal that the tables are made for
EVERYWHERE = "fails-everywhere"  # the law of what fails in all examples that were tried
COMMANDS = frozenset({"reproduce", "explain"})  # labels whose text is copied whole, hence never wrapped
SEVERITIES = ("error", "warning", "note")  # in the order in which they are told; "allowed" ones are not
_LABEL = 13  # columns: the length of "smallest case", the longest usual label
_NAME = 24  # columns: a longer name pushes its own row to the right, not the whole table


def report(subjects: Sequence[SubjectReport], *, notes: Sequence[Finding] = (), interrupted: bool = False) -> str:
    """The whole report: what is wrong, the notes, the table of what was examined, then the counts.

    Where several files were checked, each name stands with its file.
    """
    files = prefixes([*(subject.location for subject in subjects), *(f"{note.file}::" for note in notes if note.file)])
    found = [block for subject in subjects for block in _faults(subject, files[file_of(subject.location)])]
    found += [finding(note, "" if note.file is None else files[note.file]) for note in notes]
    parts = [*found, table(subjects), summary(subjects, interrupted=interrupted)]
    return "\n\n".join(part for part in parts if part)


def failure(subjects: Sequence[SubjectReport], *, interrupted: bool = False) -> str:
    """What is wrong and what could not be judged, with the counts: the text of an error."""
    blocks: list[str] = []
    files = prefixes([subject.location for subject in subjects])
    for subject in subjects:
        blocks += _faults(subject, files[file_of(subject.location)])
        if subject.verdict is Verdict.INCONCLUSIVE:
            blocks.append(unjudged(subject, files[file_of(subject.location)]))
    return "\n\n".join([*blocks, summary(subjects, interrupted=interrupted)])


def finding(item: Finding, file: str = "") -> str:
    """One finding: a first line that says what is wrong, then one labelled line per piece of evidence.

    ``file`` stands before its name, as in "layers.py::".
    """
    return block(item, shown(item), file)


def shown(item: Finding) -> tuple[tuple[str, str], ...]:
    """The labelled lines of a finding that are printed.

    A warning is told without what a fault is shown with: it must not drown the faults beside it.
    """
    if item.severity == "error":
        return lines(item)
    says_little = item.law is not None and item.law.kind == EVERYWHERE
    details = {"values", "smallest case", *(["law"] if says_little else [])}
    return tuple((label, content) for label, content in lines(item) if label not in details)


def block(item: Finding, labelled: Sequence[tuple[str, str]], file: str = "") -> str:
    """A finding with these lines below its first one."""
    rank = "" if item.severity == "error" else f"{item.severity}: "
    subject = f"{file}{item.subject}: {rank}{headline(item)}"
    code = f"{item.code} {item.name}"
    lines = [f"{padded(subject, max(columns(subject) + 2, WIDTH - len(code)))}{code}"]
    column = max([_LABEL, *(columns(label) for label, _ in labelled)]) + 1
    for label, content in (*labelled, ("explain", f"gradproof explain {item.code}")):
        lines += _labelled(label, content, column)
    if item.traceback is not None:
        lines += textwrap.indent(item.traceback.rstrip("\n"), "    ").splitlines()
    return "\n".join(lines)


def unjudged(subject: SubjectReport, file: str = "") -> str:
    """Why a subject is inconclusive: its own reason, then each tensor that is not settled."""
    lines = [f"{file}{subject.name}: could not be judged"]
    if subject.reason is not None:
        lines += _labelled("reason", subject.reason, _LABEL + 1)
    for tensor in subject.tensors:
        if tensor.verdict is Verdict.INCONCLUSIVE:
            judged = f"{tensor.judged:,} of {tensor.entries:,} entries judged"
            lines += _labelled(f"tensor {tensor.name}", f"{judged}; {_reasons(tensor.unjudged)}", _LABEL + 1)
    if subject.examples:
        lines += _labelled("reproduce", f"gradproof {subject.location} --seed {subject.seed}", _LABEL + 1)
    return "\n".join(lines)


def table(subjects: Sequence[SubjectReport]) -> str:
    """One row per subject with what was tried, and under it one row per tensor with how much of it was examined."""
    if not subjects:
        return ""
    rows = labels([subject.location for subject in subjects])
    names = [*rows, *(f"  {tensor.name}" for subject in subjects for tensor in subject.tensors)]
    widths = map(columns, names)
    column = max([len("subject / tensor"), *(width for width in widths if width <= _NAME)])
    lines = [_columns("subject / tensor", "verdict", "judged", "resolution", "kinks", "forwards", column)]
    for name, subject in zip(rows, subjects, strict=True):
        lines += _subject_rows(name, subject, column)
    return "\n".join(lines)


def summary(subjects: Sequence[SubjectReport], *, interrupted: bool = False) -> str:
    """The counts of a run: subjects by verdict, entries judged and not, forwards, seed."""
    files = len({file_of(subject.location) for subject in subjects})
    where = f" in {files} files" if files > 1 else ""
    verdicts = f"{_count(len(subjects), 'subject', 'subjects')}{where}: {_verdicts(subjects)}"
    judged = _judged([tensor for subject in subjects for tensor in subject.tensors])
    forwards = _count(sum(subject.forwards for subject in subjects), "forward", "forwards")
    parts = [verdicts, *_milder(subjects), judged, forwards, *_seeds(subjects)]
    lines = wrapped("; ".join(parts), WIDTH)
    if interrupted:
        lines.append("interrupted: what is not listed was not checked")
    return "\n".join(lines)


def _verdicts(subjects: Iterable[SubjectReport]) -> str:
    counts = Counter(subject.verdict for subject in subjects)
    words = {
        Verdict.PASS: ("passes", "pass"),
        Verdict.FAIL: ("fails", "fail"),
        Verdict.INCONCLUSIVE: ("inconclusive", "inconclusive"),
    }
    parts = [_count(counts[verdict], one, many) for verdict, (one, many) in words.items() if counts[verdict]]
    return ", ".join(parts) if parts else "nothing was checked"


def _milder(subjects: Iterable[SubjectReport]) -> list[str]:
    """How many warnings and notes there are, which leave a verdict as it is."""
    counts = Counter(item.severity for subject in subjects for item in subject.findings)
    return [_count(counts[rank], rank, f"{rank}s") for rank in SEVERITIES[1:] if counts[rank]]


def _judged(tensors: Iterable[TensorSummary]) -> str:
    entries = judged = 0
    left: Counter[Reason] = Counter()
    for tensor in tensors:
        entries += tensor.entries
        judged += tensor.judged
        left.update(tensor.unjudged)
    counted = f"{_count(judged, 'entry', 'entries')} judged"
    return counted if entries == judged else f"{counted}, {entries - judged:,} not ({_reasons(left)})"


def _faults(subject: SubjectReport, file: str) -> list[str]:
    """One block per finding that its Case does not allow, errors first; a FAIL without any is told by its reason."""
    if subject.findings or subject.verdict is not Verdict.FAIL:
        return [finding(item, file) for rank in SEVERITIES for item in subject.findings if item.severity == rank]
    return ["\n".join([f"{file}{subject.name}: fails", *_labelled("reason", str(subject.reason), _LABEL + 1)])]


def _labelled(label: str, content: str, column: int) -> list[str]:
    """``content`` behind its label, wrapped under itself; the layout inside a line (runs of spaces) is kept."""
    lines = content.splitlines() if label in COMMANDS else _wrapped(content, WIDTH - 2 - column)
    first, *rest = lines or [""]
    head = f"  {padded(label, column)}{first}".rstrip()
    return [head, *(f"  {'':<{column}}{piece}".rstrip() for piece in rest)]


def _indented(note: str) -> list[str]:
    return [f"    {line}" for line in _wrapped(note, WIDTH - 4)]


def _wrapped(content: str, room: int) -> list[str]:
    return [piece for line in content.splitlines() for piece in wrapped(line, room) or [""]]


def _subject_rows(name: str, subject: SubjectReport, column: int) -> list[str]:
    head = f"{padded(name, column)}  {subject.verdict.value:<12}  "
    parts = [_count(subject.examples, "example", "examples"), *_dims(subject.dims), *_milder([subject])]
    lines = [head + "; ".join(parts)]
    for note in ([subject.reason] if subject.reason is not None else []) + list(subject.notes):
        lines += _indented(note)
    for tensor in subject.tensors:
        lines += _tensor_rows(tensor, column)
    return lines


def _tensor_rows(tensor: TensorSummary, column: int) -> list[str]:
    judged = f"{tensor.judged}/{tensor.entries}"
    kinks, forwards = str(tensor.kinks), str(tensor.forwards)
    resolution = f"{tensor.resolution:.0e}" if math.isfinite(tensor.resolution) else "-"
    name = f"  {tensor.name}"
    lines = [_columns(name, tensor.verdict.value, judged, resolution, kinks, forwards, column)]
    if tensor.unjudged:
        lines += _indented(f"not judged: {_reasons(tensor.unjudged)}")
    return lines


def _columns(name: str, verdict: str, judged: str, resolution: str, kinks: str, forwards: str, column: int) -> str:
    return f"{padded(name, column)}  {verdict:<12}  {judged:>11}  {resolution:>10}  {kinks:>5}  {forwards:>8}"


def _dims(dims: Mapping[str, tuple[int, int]]) -> list[str]:
    """Dims that were tried over the same range share it: ``n, d 1..6``."""
    together: dict[tuple[int, int], list[str]] = {}
    for name, extents in dims.items():
        together.setdefault(extents, []).append(name)
    return [
        f"{', '.join(names)} {least}" if least == most else f"{', '.join(names)} {least}..{most}"
        for (least, most), names in together.items()
    ]


def _reasons(counts: Mapping[Reason, int]) -> str:
    parts = [f"{reason.value} {count:,}" for reason, count in counts.items() if count]
    return ", ".join(parts) if parts else Reason.NOT_EXAMINED.value


def _seeds(subjects: Iterable[SubjectReport]) -> list[str]:
    seeds = sorted({subject.seed for subject in subjects})
    return [f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}"] if seeds else []


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
