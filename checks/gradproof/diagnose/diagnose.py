"""Turns what a search saw of one failure into a finding; it runs nothing and writes no sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradproof.diagnose.causes import NOT_FINITE, name_cause
from gradproof.diagnose.departures import departure
from gradproof.diagnose.evidence import gather, result_of, sizes
from gradproof.diagnose.exceptions import advice, is_everywhere, remarks_of
from gradproof.diagnose.laws import law
from gradproof.diagnose.link import Link
from gradproof.findings import Confidence, Fact, Finding
from gradproof.generate.hyperparameters import moved, text
from gradproof.values import Defect, LayerError, Outcome, TensorResult, Verdict

ERROR_CODES = {"the constructor": "GP301", "forward": "GP302", "backward": "GP303"}

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
    defect = next((defect for defect in minimal.defects if _is_wanted(defect, tensor, code)), None)
    if defect is not None:
        return _malformed(subject, minimal, defect, tried, reproduce)
    raise ValueError(f"expected an outcome in which {tensor or 'the subject'} fails, got one that shows no failure")


def _is_wanted(defect: Defect, tensor: str | None, code: str | None) -> bool:
    """Whether a defect is of this tensor and of this code; any one is where neither is given."""
    if code is None:
        return tensor in (None, defect.tensor)
    return code == defect.code and tensor == defect.tensor


def linked(subject: str, link: Link, minimal: Outcome, reproduce: str) -> Finding:
    """What is wrong inside a composite, at the example at which it was looked into."""
    return _at(minimal, reproduce, code=link.cause.code, subject=subject, cause=link.cause)


def _gradient(
    subject: str, minimal: Outcome, tried: Sequence[Outcome], reproduce: str, result: TensorResult
) -> Finding:
    tensor = result.name
    broken = _is_broken(result)
    # where it is not finite somewhere, that is a fault of its own, and told by itself
    alike = [outcome for outcome in tried if _is_alike(outcome, tensor, broken=broken)]
    cause = NOT_FINITE.cause(confidence=Confidence.OPEN) if broken else name_cause(gather(tensor, minimal, alike))
    failing = [o for o in _with(minimal, alike) if _verdict(o, tensor) is Verdict.FAIL]
    passing = [o for o in tried if _verdict(o, tensor) is Verdict.PASS]
    return _at(
        minimal,
        reproduce,
        code=cause.code,
        subject=subject,
        tensor=tensor,
        cause=cause,
        worst=result.wrong[0] if result.wrong else None,
        law=_law(failing, passing),
    )


def _is_alike(outcome: Outcome, tensor: str, *, broken: bool) -> bool:
    """Whether the tensor has no wrong entry there, or the one that is most wrong is as finite as in another outcome."""
    accused = [result for result in outcome.tensors if result.name == tensor and result.wrong]
    return all(_is_broken(result) == broken for result in accused)


def _is_broken(result: TensorResult) -> bool:
    """Whether the entry that is most wrong is no finite number."""
    return bool(result.wrong) and not math.isfinite(result.wrong[0].analytic)


def _raised(subject: str, minimal: Outcome, error: LayerError, tried: Sequence[Outcome], reproduce: str) -> Finding:
    failing = [o for o in _with(minimal, tried) if o.error is not None and o.error.stage == error.stage]
    passing = [o for o in tried if o.error is None]
    everywhere = is_everywhere(error, minimal, tried)
    return _at(
        minimal,
        reproduce,
        code=ERROR_CODES[error.stage],
        subject=subject,
        headline=f"{error.stage} raises {error.kind}",
        remarks=remarks_of(error),
        law=_law(failing, passing),
        advice=advice(error),
        traceback=error.traceback,
        error=error,
        everywhere=everywhere,
    )


def _malformed(subject: str, minimal: Outcome, defect: Defect, tried: Sequence[Outcome], reproduce: str) -> Finding:
    def shows(outcome: Outcome) -> bool:
        wanted = defect.code, defect.tensor, defect.severity
        return any((d.code, d.tensor, d.severity) == wanted for d in outcome.defects)

    failing = [o for o in _with(minimal, tried) if shows(o)]
    passing = [o for o in tried if not shows(o) and o.error is None]
    return _at(
        minimal,
        reproduce,
        code=defect.code,
        subject=subject,
        headline=defect.headline,
        kind=defect.kind,
        tensor=defect.tensor,
        severity=defect.severity,
        remarks=defect.lines,
        law=_law(failing, passing),
    )


def _with(minimal: Outcome, tried: Sequence[Outcome]) -> list[Outcome]:
    return list(tried) if any(outcome is minimal for outcome in tried) else [*tried, minimal]


def _verdict(outcome: Outcome, tensor: str) -> Verdict | None:
    result = result_of(outcome, tensor)
    return None if result is None else result.verdict


def _law(failing: Sequence[Outcome], passing: Sequence[Outcome]) -> Fact:
    # an empty batch passes nothing: there is no number in it that could be wrong
    counted = [o.example for o in passing if 0 not in sizes(o.example.dims).values()]
    wrong = [o.example for o in failing]
    return departure(wrong, counted) or law([e.dims for e in wrong], [e.dims for e in counted])


def _at(minimal: Outcome, reproduce: str, **said: Any) -> Finding:
    """A finding with the smallest example that shows it."""
    example = minimal.example
    made = {name: one.value for name, one in example.made.items()}
    return Finding(
        **said,
        dims=example.dims,
        values=readable({**example.init, **made, **example.inputs}),
        varied={name: text(one.value) for name, one in moved(example).items()},
        reproduce=reproduce or None,
    )


def readable(values: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays among the arguments of a small example as nested lists; nothing where that is too much to read."""
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    if sum(array.size for array in arrays.values()) > MOST_VALUES:
        return {}
    return {name: array.tolist() for name, array in arrays.items()}
