"""Chooses the examples at which changes of the source are tried; it tries nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from gradproof.codes import CODES, is_of_form, is_of_gradient
from gradproof.compare.tally import is_unread
from gradproof.diagnose.asking import worth_asking
from gradproof.diagnose.evidence import result_of, sizes
from gradproof.findings import Confidence, Finding
from gradproof.mend.change_kind import Changes
from gradproof.mend.change_tester import ENOUGH
from gradproof.mend.kinds import FORWARD, FORWARD_TYPOS
from gradproof.values import Outcome, Verdict

FAILING = 5  # examples with a wrong gradient, shared out among the tensors
MEASURED = 3  # examples whose true gradients must be measured first, for backward gave nothing to compare with
PASSING, REPEATED = 2, 5  # right examples beside them; alone, where a second backward is what goes wrong
RESERVE = 4  # examples beside these at which a change that helps must help, too
# changes that are tried: where the numbers leave the cause open, and where they name it and only the line is missing
OPEN, NAMED = 2500, 800
LARGE = 4.0  # an input beyond it may saturate what it goes through


def asks_twice(findings: Sequence[Finding]) -> bool:
    """Whether a second backward after one forward is wrong."""
    return any(CODES[finding.code].second_backward and finding.severity == "error" for finding in findings)


def of_forward(findings: Sequence[Finding]) -> tuple[Changes, ...]:
    """The changes of forward that are worth trying: all where a wrong gradient has no cause, few where it is open."""
    wrong = [finding for finding in findings if is_of_gradient(finding.code)]
    if any(finding.confidence is Confidence.OPEN for finding in wrong):
        return FORWARD
    return FORWARD_TYPOS if any(finding.confidence is Confidence.VAGUE for finding in wrong) else ()


def effort(findings: Sequence[Finding]) -> int:
    """How many changes are worth trying."""
    wrong = [f for f in findings if f.severity == "error" and (is_of_gradient(f.code) or is_of_form(f.code))]
    is_named = all(is_of_gradient(f.code) and f.confidence is Confidence.NAMED for f in wrong)
    return NAMED if wrong and is_named else OPEN


def worth_trying(outcomes: Sequence[Outcome], wrong: Sequence[str], *, twice: bool) -> list[Outcome]:
    """The examples at which to try, the most telling first; [] where nothing is wrong that a change could mend.

    wrong: the tensors that have a wrong gradient. twice: a second backward is wrong.
    """
    share = FAILING // max(len(wrong), 1) + 1
    chosen: list[Outcome] = []
    for tensor in wrong:
        chosen += _telling_enough(_clearest(outcomes, tensor), tensor, share)
    malformed = [outcome for outcome in outcomes if _is_malformed(outcome)]
    chosen += sorted(malformed, key=_telling)[:MEASURED]
    if not chosen and not twice:
        return []
    passing = [outcome for outcome in outcomes if _passes(outcome)]
    beside = passing[: REPEATED if twice else PASSING]
    return list(dict.fromkeys((*chosen, *beside)))


def _passes(outcome: Outcome) -> bool:
    """Whether every gradient is right; where there is none, that is not known."""
    return bool(outcome.tensors) and all(result.verdict is Verdict.PASS for result in outcome.tensors)


def _telling_enough(outcomes: Sequence[Outcome], tensor: str, share: int) -> Sequence[Outcome]:
    """The first of them; of a gradient that is one number, as many more as it takes to tell a change from chance."""
    results = [result_of(outcome, tensor) for outcome in outcomes]
    alone = all(result is None or result.entries == 1 for result in results)
    return outcomes[: max(share, ENOUGH)] if alone else outcomes[:share]


def in_reserve(outcomes: Sequence[Outcome], wrong: Sequence[str], chosen: Sequence[Outcome]) -> list[Outcome]:
    """Further wrong examples of ordinary values: what helps at those ``chosen`` by chance fails there.

    Each value of a hyper-parameter is among them: what fits its default alone, as 2 for 1 / (1 - p), explains nothing.
    """
    taken = frozenset(chosen)
    clearest = [outcome for tensor in wrong for outcome in _clearest(outcomes, tensor)]
    found = [outcome for outcome in clearest if outcome not in taken and not _is_special(outcome)]
    rest = list(dict.fromkeys(found))[:RESERVE]
    return list(dict.fromkeys((*rest, *_of_each_value(outcomes, wrong, taken))))


def _of_each_value(outcomes: Sequence[Outcome], wrong: Sequence[str], taken: Collection[Outcome]) -> list[Outcome]:
    """One failing example for each value of each hyper-parameter that none of those taken has."""
    met = {key for outcome in outcomes if outcome in taken for key in _values(outcome)}
    found: list[Outcome] = []
    for outcome in outcomes:
        is_new = not met.issuperset(_values(outcome))
        if is_new and _fails(outcome, wrong) and not _is_special(outcome):
            met |= _values(outcome)
            found.append(outcome)
    return found


def _fails(outcome: Outcome, tensors: Sequence[str]) -> bool:
    """Whether the gradient of one of some tensors is wrong."""
    results = [result_of(outcome, tensor) for tensor in tensors]
    return any(result is not None and result.verdict is Verdict.FAIL for result in results)


def _values(outcome: Outcome) -> set[tuple[str, str]]:
    return {(name, repr(one.value)) for name, one in outcome.example.varied.items()}


def _clearest(outcomes: Sequence[Outcome], tensor: str) -> list[Outcome]:
    """The failing examples of different dims, first those of ordinary values where most entries are wrong.

    Where most hide their fault, saturated say, the rest agrees with almost anything; and a right backward may be wrong
    at zeros, and at values so large that a guard in forward decides.
    """
    ordinary = [outcome for outcome in outcomes if not _is_special(outcome)]
    failing = [*worth_asking(ordinary, tensor, len(ordinary)), *worth_asking(outcomes, tensor, len(outcomes))]
    return sorted(dict.fromkeys(failing), key=lambda outcome: (_is_special(outcome), _hides(outcome, tensor)))


def _is_special(outcome: Outcome) -> bool:
    """Whether an input holds a zero, or a large value."""
    values = [v for v in outcome.example.inputs.values() if isinstance(v, np.ndarray) and v.dtype.kind == "f"]
    return any(bool(((np.abs(value) > LARGE) | (value == 0)).any()) for value in values)


def _hides(outcome: Outcome, tensor: str) -> bool:
    result = result_of(outcome, tensor)
    return result is not None and 2 * result.wrong_count < result.judged


def _is_malformed(outcome: Outcome) -> bool:
    """Whether backward raised, or gave something of another form than its tensor's."""
    if 0 in sizes(outcome.example.dims).values():
        return False
    if outcome.error is not None:
        return outcome.error.stage == "backward"
    return any(defect.severity == "error" and is_of_form(defect.code) for defect in outcome.defects)


def of_any_shape(outcomes: Sequence[Outcome], wrong: Sequence[str]) -> frozenset[str]:
    """The tensors of which values alone are to be mended, and whose gradient is read in its own shape.

    So are those whose shape an update takes, and those that are ``wrong`` as well.
    """
    misshaped = [defect for outcome in outcomes for defect in outcome.defects if defect.code == "GP201"]
    errors = {defect.tensor for defect in misshaped if defect.severity == "error"}
    accepted = {defect.tensor for defect in misshaped} - errors.difference(wrong)
    return frozenset(name for name in accepted if name is not None) - _unread(outcomes)


def _unread(outcomes: Sequence[Outcome]) -> set[str]:
    """The tensors of which no claim was read at some example."""
    return {result.name for outcome in outcomes for result in outcome.tensors if is_unread(result)}


def _telling(outcome: Outcome) -> tuple[int, int]:
    """Examples of different dims first, the small ones of them."""
    values = list(sizes(outcome.example.dims).values())
    arrays = [v for v in {**outcome.example.init, **outcome.example.inputs}.values() if isinstance(v, np.ndarray)]
    different = {value for value in values if value > 1}
    return len(values) - len(different), sum(array.size for array in arrays)
