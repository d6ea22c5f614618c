"""A finding as labelled lines, in the order in which they are read; it knows no page and no terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from gradproof.codes import CODES, is_of_promise
from gradproof.findings import Cause, Edit, Finding, Location, Replacement, RightLine, RightUpTo, SourceHint, WrongLine
from gradproof.report import sentences
from gradproof.report.facts import phrase
from gradproof.values import Entry

MOST_DIGITS = 6
TO_DO = "what to do"
ENDLESS = "GP304"  # code: of a call that does not end, no smaller case is looked for

Line = tuple[str, str]


def headline(finding: Finding) -> str:
    """What is wrong, in one sentence without the subject."""
    if finding.headline is not None:
        raised = finding.error is not None and bool(finding.dims)
        return f"{finding.headline} at {dims_text(finding.dims)}" if raised else finding.headline
    own = None if finding.cause is None else sentences.headline(finding.cause, finding.tensor or "")
    if own is not None:
        return own
    if not finding.also:
        return f"the gradient of {finding.tensor} is wrong"
    *names, last = (finding.tensor, *finding.also)
    return f"the gradients of {', '.join(map(str, names))} and {last} are wrong"


def lines(finding: Finding) -> tuple[Line, ...]:
    """All that is said of a finding below its headline, as (label, text)."""
    found = [*_seen(finding), *_source(finding), *_case(finding)]
    return (*found[:1], *_together(finding), *found[1:])


def _seen(finding: Finding) -> Iterator[Line]:
    """The evidence, the law, the cause, the advice."""
    tensor, cause = finding.tensor or "", finding.cause
    # the advice of a broken promise says why; any other one where to look, which a change that was tried says better
    is_mended = bool(finding.edits) and not is_of_promise(finding.code)
    if finding.code == ENDLESS and finding.dims:
        yield "at", dims_text(finding.dims)
    if finding.worst is not None:
        yield "worst entry", entry_text(tensor, finding.worst)
    if finding.because is not None:
        yield from _promise(finding.because, cause)
    yield from _remarks(finding, is_mended=is_mended)
    if cause is not None:
        yield from sentences.evidence(cause, tensor)
    if finding.law is not None:
        yield "law", phrase(finding.law, tensor)
    yield from _cause(finding, is_mended=is_mended)


def _remarks(finding: Finding, *, is_mended: bool) -> Iterator[Line]:
    """What was seen and why it matters; what to do, where no change that was tried says it better."""
    yield from ((label, text) for label, text in finding.remarks if label != TO_DO or not is_mended)


def _cause(finding: Finding, *, is_mended: bool) -> Iterator[Line]:
    """The likely cause, and what to do about it."""
    tensor, cause = finding.tensor or "", finding.cause
    likely = None if cause is None else sentences.likely(cause, tensor)
    if likely is not None:
        yield "likely cause", likely
    advice = finding.advice if cause is None else sentences.advice(cause, tensor)
    if advice is not None and not is_mended:
        yield TO_DO, advice


def _promise(because: Finding, cause: Cause | None) -> Iterator[Line]:
    """The broken promise that explains a wrong gradient."""
    if cause is not None and cause.kind == "broken-promise":
        yield "likely cause", headline(because)
    yield from because.remarks


def _together(finding: Finding) -> Iterator[Line]:
    """The other gradients that the finding is about."""
    of_the_whole = finding.cause is not None and CODES[finding.cause.measured.code].of_parts
    if of_the_whole and finding.tensor is not None:
        yield "accounts for", f"the wrong gradient of {', '.join((finding.tensor, *finding.also))}"
    elif finding.also:
        yield "the same for", ", ".join(finding.also)


def _source(finding: Finding) -> Iterator[Line]:
    """The lines of source that bear on it, and the changes that were tried."""
    shown = [_where(hint) for hint in finding.hints if hint.sentence is None]
    if finding.right_up_to is not None:
        yield from _right_up_to(finding.right_up_to)
        shown = [_where(finding.right_up_to.wrong)]
    elif shown:
        yield "look at", "\n".join(shown)
    yield from _slips(finding.hints, shown)
    if finding.edits:
        together = [list(edits) for _, edits in groupby(finding.edits, key=lambda edit: edit.tensors)]
        yield "change to", "\n".join(line for edits in together for line in _changed(edits))


def _slips(hints: Sequence[SourceHint], shown: Sequence[str]) -> Iterator[Line]:
    """What the syntax of lines shows; a line that is shown already is not shown again."""
    for hint in hints:
        if hint.sentence is not None:
            sentence = hint.sentence if hint.code is None else f"{hint.sentence} ({hint.code})"
            yield "the source", sentence if _where(hint) in shown else f"{_where(hint)}\n{sentence}"


def _right_up_to(found: RightUpTo) -> Iterator[Line]:
    """The last line that is right, and the first that is not: which value it has, and which it should have."""
    right, wrong = found.right, found.wrong
    if right is not None:
        yield "right up to", f"{_place(right.at)}   {_value(right, found.tensors)} is the gradient of {right.of}"
    expected, got = number_text(wrong.expected, wrong.bound), number_text(wrong.got, wrong.bound)
    parts = [_where(wrong), f"{_value(wrong, found.tensors, wrong.index)} should be {expected}, is {got}"]
    if found.unsure:
        parts.append(f"it is made of {_listed(found.unsure, wrong.at)}, which may be wrong, too")
    yield "wrong from", "\n".join(parts)


def _listed(places: Sequence[Location], near: Location) -> str:
    """Write "lines 12, 14" of the file where ``near`` stands, and where others stand."""
    lines = sorted({at.line for at in places if (at.file, at.cell) == (near.file, near.cell)})
    here = [f"line{'s' * (len(lines) > 1)} {', '.join(map(str, lines))}"] if lines else []
    others = dict.fromkeys(_place(at) for at in places if (at.file, at.cell) != (near.file, near.cell))
    return ", ".join([*here, *others])


def _value(line: RightLine | WrongLine, tensors: Sequence[str], index: Sequence[int] = ()) -> str:
    """A variable, or what a line returns; of it, an entry."""
    where = f"[{', '.join(map(str, index))}]" if index else ""
    if line.variable and ":" not in line.variable:
        return f"{line.variable}{where}"
    returned = f"what it returns{f' for {line.of}' * (line.of in tensors)}" if line.text.startswith("return") else ""
    value = line.variable or returned or "its value"
    return f"{value} at {where}" if where else value


def _changed(edits: Sequence[Edit]) -> Iterator[str]:
    """Changes of the same gradients, each of which mends them."""
    for edit in edits:
        yield from (_where(each) for each in edit.replacements if each.text)
    yield _tried(edits[0])


def _where(place: SourceHint | Replacement | WrongLine) -> str:
    return f"{_place(place.at)}   {place.text}"


def _place(at: Location) -> str:
    cell = "" if at.cell is None else f"[cell {at.cell}]"
    return f"{at.file}{cell}:{at.line}"


def _tried(edit: Edit) -> str:
    *names, last = [f"d{name}" for name in edit.tensors]
    tensors = f"{', '.join(names)} and {last} are" if names else f"{last} is"
    examples = "the example" if edit.examples == 1 else f"all {edit.examples} examples"
    kept = f"; forward must keep {' and '.join(edit.needs)} for it" if edit.needs else ""
    return f"tried: {tensors} then right in {examples}{kept}"


def _case(finding: Finding) -> Iterator[Line]:
    """The smallest example that shows it, and how to see it again."""
    if finding.dims and finding.code != ENDLESS:
        yield "smallest case", dims_text(finding.dims)
    varied = [f"{name} = {value}" for name, value in finding.varied.items()]
    arrays = [f"{name} = {_digits(value)}" for name, value in finding.values.items()]
    if varied or arrays:
        yield "values", ", ".join((*varied, *arrays))
    if finding.reproduce is not None:
        yield "reproduce", finding.reproduce


def _digits(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_digits(item) for item in value)}]"
    return f"{value:.6g}"


def dims_text(dims: Mapping[str, int | tuple[int, ...]]) -> str:
    """Write dims as ``n=3, d=1, *batch=(2, 3)``."""
    return ", ".join(
        f"*{name}={value}" if isinstance(value, tuple) else f"{name}={value}" for name, value in dims.items()
    )


def entry_text(tensor: str, entry: Entry) -> str:
    """Write one entry as ``W[1, 0]   yours 0.513700   numeric 1.54100 ± 3e-13``."""
    where = f"{tensor}[{', '.join(map(str, entry.index))}]" if entry.index else tensor
    yours, numeric = number_text(entry.analytic, entry.bound), number_text(entry.numeric, entry.bound)
    hidden = f"   difference {entry.analytic - entry.numeric:.2g}" if yours == numeric else ""
    return f"{where}   yours {yours}   numeric {numeric} ± {entry.bound:.0e}{hidden}"


def number_text(value: float, bound: float) -> str:
    """Write ``value`` with the significant digits that ``bound`` supports: at least 1, at most six."""
    if value == 0.0 or not math.isfinite(value):
        return f"{value:g}"
    # the last digit written is the one in the place of the bound's own first digit
    places = MOST_DIGITS if bound <= 0.0 else math.floor(math.log10(abs(value))) - math.floor(math.log10(bound)) + 1
    digits = max(1, min(MOST_DIGITS, places))
    return f"{value:#.{digits}g}".rstrip(".")
