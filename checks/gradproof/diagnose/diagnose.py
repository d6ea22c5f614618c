"""Turns what a search saw of one failure into a finding in a student's words; it runs nothing and formats no page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradproof.codes import CODES
from gradproof.diagnose.cause import Cause, Link
from gradproof.diagnose.causes import name_cause
from gradproof.diagnose.departures import departure
from gradproof.diagnose.evidence import gather, result_of, sizes
from gradproof.diagnose.exceptions import advice, is_everywhere, seen
from gradproof.diagnose.laws import law
from gradproof.generate.hyperparameters import moved, text
from gradproof.values import Defect, Entry, Finding, LayerError, Outcome, TensorResult, Verdict

Lines = tuple[tuple[str, str], ...]

ERROR_CODES = {"the constructor": "GP301", "forward": "GP302", "backward": "GP303"}

NOT_FINITE = Cause(
    "GP206", (), advice="look for a division by zero, a log or an overflow in backward; forward is finite there"
)

MOST_DIGITS = 6
MOST_VALUES = 12  # numbers of an example that a student still reads


def diagnose(
    subject: str,
    minimal: Outcome,
    tried: Sequence[Outcome],
    reproduce: str,
    tensor: str | None = None,
    code: str | None = None,
) -> Finding:
    """Name what is wrong in the smallest failing outcome.

    ``subject`` is the subject's name, ``tried`` every outcome of the search, ``reproduce`` the command that shows the
    failure again. With ``tensor``, the finding is about the gradient of that tensor, or, where that was not compared,
    about the first defect of it; without, about the exception or the first defect. With ``code``, only a defect of that
    code counts. Raises ValueError if ``minimal`` shows no such failure.
    """
    result = None if tensor is None else result_of(minimal, tensor)
    if code is None and result is not None and result.verdict is Verdict.FAIL:
        return _gradient(subject, minimal, tried, reproduce, result)
    if minimal.error is not None:
        return _raised(subject, minimal, minimal.error, tried, reproduce)
    for defect in minimal.defects:
        any_will_do = code is None and tensor is None
        if any_will_do or (defect.tensor == tensor and code in (None, defect.code)):
            return _malformed(subject, minimal, defect, tried, reproduce)
    raise ValueError(f"expected an outcome in which {tensor or 'the subject'} fails, got one that shows no failure")


def linked(subject: str, link: Link, minimal: Outcome, reproduce: str) -> Finding:
    """Word what is wrong inside a composite, at the example at which it was looked into."""
    cause = link.cause
    likely = () if cause.likely is None else (("likely cause", cause.likely),)
    advice = () if cause.advice is None else (("what to do", cause.advice),)
    return Finding(
        code=cause.code,
        name=CODES[cause.code],
        subject=subject,
        headline=link.headline,
        lines=(*cause.lines, *likely, *advice, *_how(minimal, reproduce)),
        dims=minimal.example.dims,
        vague=cause.vague,
    )


def _gradient(
    subject: str, minimal: Outcome, tried: Sequence[Outcome], reproduce: str, result: TensorResult
) -> Finding:
    tensor = result.name
    worst = result.wrong[0] if result.wrong else None
    broken = _is_broken(result)
    # where it is not finite somewhere, that is a fault of its own, and told by itself
    alike = [o for o in tried if all(t.name != tensor or not t.wrong or _is_broken(t) == broken for t in o.tensors)]
    cause = NOT_FINITE if broken else name_cause(gather(tensor, minimal, alike))
    failing = [o for o in _with(minimal, alike) if _verdict(o, tensor) is Verdict.FAIL]
    passing = [o for o in tried if _verdict(o, tensor) is Verdict.PASS]
    likely = () if cause.likely is None else (("likely cause", cause.likely),)
    advice = () if cause.advice is None else (("what to do", cause.advice),)
    return Finding(
        code=cause.code,
        name=CODES[cause.code],
        subject=subject,
        headline=f"the gradient of {tensor} is {'not finite' if broken else 'wrong'}",
        tensor=tensor,
        index=None if worst is None else worst.index,
        lines=(
            *(() if worst is None else (("worst entry", entry_text(tensor, worst)),)),
            *cause.lines,
            *_law(failing, passing),
            *likely,
            *advice,
            *_how(minimal, reproduce),
        ),
        dims=minimal.example.dims,
        vague=cause.vague or cause.likely is None,
    )


def _is_broken(result: TensorResult) -> bool:
    """Whether the entry that is most wrong is no finite number."""
    return bool(result.wrong) and not math.isfinite(result.wrong[0].analytic)


def _raised(subject: str, minimal: Outcome, error: LayerError, tried: Sequence[Outcome], reproduce: str) -> Finding:
    code = ERROR_CODES[error.stage]
    failing = [o for o in _with(minimal, tried) if o.error is not None and o.error.stage == error.stage]
    passing = [o for o in tried if o.error is None]
    dims = dims_text(minimal.example.dims)
    todo = advice(error)
    return Finding(
        code=code,
        name=CODES[code],
        subject=subject,
        headline=f"{error.stage} raises {error.kind}{' at ' if dims else ''}{dims}",
        lines=(
            *seen(error),
            *_law(failing, passing),
            *((("what to do", todo),) if todo is not None else ()),
            *_how(minimal, reproduce),
        ),
        traceback=error.traceback,
        dims=minimal.example.dims,
        error=error,
        everywhere=is_everywhere(error, minimal, tried),
    )


def _malformed(subject: str, minimal: Outcome, defect: Defect, tried: Sequence[Outcome], reproduce: str) -> Finding:
    def shows(outcome: Outcome) -> bool:
        wanted = defect.code, defect.tensor, defect.severity
        return any((d.code, d.tensor, d.severity) == wanted for d in outcome.defects)

    failing = [o for o in _with(minimal, tried) if shows(o)]
    passing = [o for o in tried if not shows(o) and o.error is None]
    return Finding(
        code=defect.code,
        name=CODES[defect.code],
        subject=subject,
        headline=defect.headline,
        tensor=defect.tensor,
        severity=defect.severity,
        lines=(*defect.lines, *_law(failing, passing), *_how(minimal, reproduce)),
        dims=minimal.example.dims,
    )


def _with(minimal: Outcome, tried: Sequence[Outcome]) -> list[Outcome]:
    return list(tried) if any(outcome is minimal for outcome in tried) else [*tried, minimal]


def _verdict(outcome: Outcome, tensor: str) -> Verdict | None:
    result = result_of(outcome, tensor)
    return None if result is None else result.verdict


def _law(failing: Sequence[Outcome], passing: Sequence[Outcome]) -> Lines:
    # an empty batch passes nothing: there is no number in it that could be wrong
    counted = [o.example for o in passing if 0 not in sizes(o.example.dims).values()]
    wrong = [o.example for o in failing]
    told = departure(wrong, counted) or law([e.dims for e in wrong], [e.dims for e in counted])
    return (("law", told),)


def _how(minimal: Outcome, reproduce: str) -> Lines:
    example = minimal.example
    made = {name: one.value for name, one in example.made.items()}
    arrays = values_text({**example.init, **made, **example.inputs})
    others = [f"{name} = {text(one.value)}" for name, one in moved(example).items()]
    dims, values = dims_text(example.dims), ", ".join(filter(None, (*others, arrays)))
    lines = (("smallest case", dims), ("values", values), ("reproduce", reproduce))
    return tuple((label, told) for label, told in lines if told)


def values_text(values: Mapping[str, Any]) -> str:
    """Write the arguments of a small example as ``W = [[0.5]], x = [[1], [2]]``; nothing where that is too much."""
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    if not arrays or sum(array.size for array in arrays.values()) > MOST_VALUES:
        return ""
    return ", ".join(f"{name} = {_digits(array.tolist())}" for name, array in arrays.items())


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
