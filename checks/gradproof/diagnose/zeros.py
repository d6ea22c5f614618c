"""The rule on gradients that are nothing but zeros; it knows no layer."""

from __future__ import annotations

from gradproof.diagnose.cause import Cause
from gradproof.diagnose.evidence import Evidence, result_of
from gradproof.values import Role, TensorResult, Verdict


def never_written(evidence: Evidence) -> Cause | None:
    """GP104 where nothing but zeros was ever claimed; without a cause where that is a part of a larger fault."""
    if any(sample.analytic.any() for sample in evidence.samples):
        return None
    tensor = evidence.tensor
    lines = (("everywhere", f"yours = 0   {evidence.count}"),)
    if _beside_others(evidence):
        return Cause("GP101", lines)
    result = result_of(evidence.failing[0].outcome, tensor)
    if result is None or result.role is Role.INPUT:
        advice = "look for a factor that is zero: a mask, a cache, an array never filled"
        return Cause("GP104", lines, f"backward returns nothing but zeros for d{tensor}", advice)
    if _absent_at_first(evidence):
        likely = f"backward never writes d{tensor}, or takes it from the first step alone, where it is zero"
        return Cause(
            "GP104", lines, likely, f"add what every step brings to grads[i], i being {tensor}'s place in params"
        )
    advice = f"write grads[i][...] = d{tensor} in backward, i being the place of {tensor} in params"
    return Cause("GP104", lines, f"backward never writes d{tensor}, or writes nothing but zeros", advice)


def _absent_at_first(evidence: Evidence) -> bool:
    """Whether a tensor without some dim has no part in anything where that dim is 1: its true gradient is zero there.

    So it is with what carries a state from step to step, and is zero in the first.
    """
    wrong, right = ([s.sizes for s in samples] for samples in (evidence.failing, evidence.passing))
    shapes = [s.shape for s in evidence.failing]
    for name in wrong[0]:
        beyond = all(sizes.get(name, 1) > 1 for sizes in wrong)
        own = all(sizes.get(name) in shape for sizes, shape in zip(wrong, shapes, strict=True))
        if beyond and not own and any(sizes.get(name) == 1 for sizes in right):
            return True
    return False


def _beside_others(evidence: Evidence) -> bool:
    """Whether another gradient is wrong with every zero, and not zero itself.

    What makes that one wrong may make this one zero: of many time steps only the first counts, whose state is zero.
    """
    return all(any(_is_wrong_number(result) for result in s.outcome.tensors) for s in evidence.failing)


def _is_wrong_number(result: TensorResult) -> bool:
    return result.verdict is Verdict.FAIL and any(e.analytic != 0.0 for e in result.wrong)
