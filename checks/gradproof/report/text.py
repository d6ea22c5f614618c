"""Reports in plain text, for a reader at a terminal; it knows values only: no colour, no layer, no array."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from gradproof.values import Finding, Reason, SubjectReport, TensorSummary, Verdict

WIDTH = 80  # columns of the narrowest terminal that the tables are made for
COMMANDS = frozenset({"reproduce", "explain"})  # labels whose text is copied whole, hence never wrapped
SEVERITIES = ("error", "warning", "note")  # in the order in which they are told; "allowed" ones are not
_LABEL = 13  # columns: the length of "smallest case", the longest usual label
_NAME = 24  # columns: a longer name pushes its own row to the right, not the whole table


def report(subjects: Sequence[SubjectReport], *, notes: Sequence[Finding] = (), interrupted: bool = False) -> str:
    """The whole report: what is wrong, the notes, the table of what was examined, then the counts."""
    found = [block for subject in subjects for block in _faults(subject)]
    found += [finding(note) for note in notes]
    parts = [*found, table(subjects), summary(subjects, interrupted=interrupted)]
    return "\n\n".join(part for part in parts if part)


def failure(subjects: Sequence[SubjectReport], *, interrupted: bool = False) -> str:
    """What is wrong and what could not be judged, with the counts: the text of an error."""
    blocks: list[str] = []
    for subject in subjects:
        blocks += _faults(subject)
        if subject.verdict is Verdict.INCONCLUSIVE:
            blocks.append(unjudged(subject))
    return "\n\n".join([*blocks, summary(subjects, interrupted=interrupted)])


def finding(item: Finding) -> str:
    """One finding: a first line that says what is wrong, then one labelled line per piece of evidence."""
    rank = "" if item.severity == "error" else f"{item.severity}: "
    subject = f"{item.subject}: {rank}{item.headline}"
    code = f"{item.code} {item.name}"
    lines = [f"{subject}{' ' * max(2, WIDTH - len(subject) - len(code))}{code}"]
    shown = [line for line in item.lines if item.severity == "error" or not _is_detail(*line)]
    column = max([_LABEL, *(len(label) for label, _ in shown)]) + 1
    for label, content in (*shown, ("explain", f"gradproof explain {item.code}")):
        lines += _labelled(label, content, column)
    if item.traceback is not None:
        lines += textwrap.indent(item.traceback.rstrip("\n"), "    ").splitlines()
    return "\n".join(lines)


def _is_detail(label: str, content: str) -> bool:
    """What a fault is shown with, and a warning is told without: it must not drown the faults beside it."""
    return label in ("values", "smallest case") or (label == "law" and content.startswith("fails in all "))


def unjudged(subject: SubjectReport) -> str:
    """Why a subject is inconclusive: its own reason, then each tensor that is not settled."""
    lines = [f"{subject.name}: could not be judged"]
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
    names = [_row_name(subject) for subject in subjects]
    names += [f"  {tensor.name}" for subject in subjects for tensor in subject.tensors]
    column = max([len("subject / tensor"), *(len(name) for name in names if len(name) <= _NAME)])
    lines = [_columns("subject / tensor", "verdict", "judged", "resolution", "kinks", "forwards", column)]
    for subject in subjects:
        lines += _subject_rows(subject, column)
    return "\n".join(lines)


def summary(subjects: Sequence[SubjectReport], *, interrupted: bool = False) -> str:
    """The counts of a run: subjects by verdict, entries judged and not, forwards, seed."""
    parts = [
        f"{_count(len(subjects), 'subject', 'subjects')}: {_verdicts(subjects)}",
        *_milder(subjects),
        _judged([tensor for subject in subjects for tensor in subject.tensors]),
        _count(sum(subject.forwards for subject in subjects), "forward", "forwards"),
        *_seeds(subjects),
    ]
    lines = textwrap.wrap("; ".join(parts), WIDTH)
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
    told = [_count(counts[verdict], one, many) for verdict, (one, many) in words.items() if counts[verdict]]
    return ", ".join(told) if told else "nothing was checked"


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
    told = f"{_count(judged, 'entry', 'entries')} judged"
    return told if entries == judged else f"{told}, {entries - judged:,} not ({_reasons(left)})"


def _faults(subject: SubjectReport) -> list[str]:
    """One block per finding that its Case does not allow, errors first; a FAIL without any is told by its reason."""
    if subject.findings or subject.verdict is not Verdict.FAIL:
        return [finding(item) for rank in SEVERITIES for item in subject.findings if item.severity == rank]
    return ["\n".join([f"{subject.name}: fails", *_labelled("reason", str(subject.reason), _LABEL + 1)])]


def _labelled(label: str, content: str, column: int) -> list[str]:
    """``content`` behind its label, wrapped under itself; the layout inside a line (runs of spaces) is kept."""
    lines = content.splitlines() if label in COMMANDS else _wrapped(content, WIDTH - 2 - column)
    first, *rest = lines or [""]
    return [f"  {label:<{column}}{first}".rstrip(), *(f"  {'':<{column}}{piece}".rstrip() for piece in rest)]


def _indented(note: str) -> list[str]:
    return [f"    {line}" for line in _wrapped(note, WIDTH - 4)]


def _wrapped(content: str, room: int) -> list[str]:
    wrapper = textwrap.TextWrapper(room, break_long_words=False, break_on_hyphens=False)
    return [piece for line in content.splitlines() for piece in wrapper.wrap(line) or [""]]


def _row_name(subject: SubjectReport) -> str:
    """The name of its Case, as one class may have several; the location ends with it."""
    return subject.location.rpartition("::")[2]


def _subject_rows(subject: SubjectReport, column: int) -> list[str]:
    head = f"{_row_name(subject):<{column}}  {subject.verdict.value:<12}  "
    told = [_count(subject.examples, "example", "examples"), *_dims(subject.dims), *_milder([subject])]
    lines = [head + "; ".join(told)]
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
    return f"{name:<{column}}  {verdict:<12}  {judged:>11}  {resolution:>10}  {kinks:>5}  {forwards:>8}"


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
    told = [f"{reason.value} {count:,}" for reason, count in counts.items() if count]
    return ", ".join(told) if told else Reason.NOT_EXAMINED.value


def _seeds(subjects: Iterable[SubjectReport]) -> list[str]:
    seeds = sorted({subject.seed for subject in subjects})
    return [f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}"] if seeds else []


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
