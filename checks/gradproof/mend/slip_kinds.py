"""The kinds of slip that changes of several sorts mend, and what confines one; the others stand beside their change."""

from __future__ import annotations

from gradproof.findings import Parameters
from gradproof.mend.slip import SlipKind


def _of_power(about: Parameters) -> tuple[str, ...]:
    is_square = str(about["other"]).endswith(" ** 2")
    return ("wrong power", "a factor left out") if is_square else ("wrong power",)


def _of_sum(about: Parameters) -> tuple[str, ...]:
    is_number = str(about["mine"]).removeprefix("-").isdigit()
    return ("not summed", "a term missing", "a factor left out") if is_number else ("not summed",)


def _counts_samples(about: Parameters) -> bool:
    """Whether it is a division by the number of samples, or of all entries: what a mean has and a sum has not."""
    size = str(about["size"])
    first = size.partition(" ")[0]
    return about["role"] == "division by" and (size.startswith("len(") or "shape[0]" in first or ".size" in first)


def _of_missing_size(about: Parameters) -> tuple[str, ...]:
    names = ("a dim as factor", "a factor left out")
    return ("missing mean over the batch", *names) if _counts_samples(about) else names


def _of_size_too_many(about: Parameters) -> tuple[str, ...]:
    names = ("a dim as factor", "a factor too many")
    return ("extra mean over the batch", *names) if _counts_samples(about) else names


_OPERAND = ("the wrong operand", "pre-activation used for post-activation", "post-activation used for pre-activation")
_NUMBER = ("constant factor", "constant mistyped")

# one expression for another
STANDS = SlipKind("GP117", "slip-operand", "{mine} stands where {other} belongs", _OPERAND)
POWER = SlipKind("GP117", "slip-power", "the power is wrong: {mine} stands where {other} belongs", _of_power)
SYMMETRIC = SlipKind(
    "GP117",
    "slip-symmetric",
    "{mine} is taken for symmetric: {other} belongs there",
    ("transpose", "the wrong operand"),
)
SIZE_STANDS = SlipKind("GP102", "slip-size", "the size {mine} stands where {other} belongs", ("a dim as factor",))
NOT_FORWARDS_MASK = SlipKind(
    "GP107",
    "slip-mask",
    "the mask is not the one of forward: {mine} stands where {other} belongs",
    ("one region of values wrong",),
)
ANOTHER_ENTRY = SlipKind(
    "GP109",
    "slip-entry",
    "another entry is taken: {mine} stands where {other} belongs",
    ("entries permuted", "the wrong operand"),
)
OTHER_ENTRIES = SlipKind(
    "GP109",
    "slip-entries",
    "other entries are taken: {mine} stands where {other} belongs",
    ("entries permuted", "the wrong operand"),
)
LEFT_OUT = SlipKind(
    "GP114",
    "slip-step",
    "a step or an entry is left out, or taken too often: {mine} stands where {other} belongs",
    ("not summed", "a term missing", "one row wrong", "one column wrong"),
)
ONLY_A_PART = SlipKind(
    "GP114",
    "slip-part",
    "only a part is taken: {mine} stands where {other} belongs",
    ("not summed", "one row wrong", "one shape wrong"),
)
NOT_SUMMED = SlipKind("GP114", "slip-sum", "it is not summed: {mine} stands where {other} belongs", _of_sum)

# factors
FACTOR_MISSING = SlipKind("GP117", "slip-factor-missing", "the factor {factor} is missing", ("a factor left out",))
FACTOR_TOO_MANY = SlipKind(
    "GP117", "slip-factor-too-many", "the factor {factor} is one too many", ("a factor too many",)
)
DIVISION_MISSING = SlipKind(
    "GP117", "slip-division-missing", "the division by {divisor} is missing", ("a factor left out",)
)
DIVISION_TOO_MANY = SlipKind(
    "GP117", "slip-division-too-many", "the division by {divisor} is one too many", ("a factor too many",)
)
SQUARE_OF_DIVISOR = SlipKind(
    "GP117",
    "slip-power-of-divisor",
    "the power is wrong: the division by {divisor} stands where one by {divisor} ** 2 belongs",
    ("wrong power", "a factor left out"),
)
MASK_MISSING = SlipKind(
    "GP107",
    "slip-mask-missing",
    "a mask is missing: the factor {factor}",
    ("one region of values wrong", "a factor left out", "derivative left out"),
)
DERIVATIVE_MISSING = SlipKind(
    "GP117",
    "slip-derivative-missing",
    "a derivative is missing: the factor ({factor})",
    ("derivative left out", "a factor left out"),
)
NUMBER_MISSING = SlipKind(
    "GP102", "slip-number-missing", "the number {number} is missing as a {role}", (*_NUMBER, "a factor left out")
)
NUMBER_TOO_MANY = SlipKind(
    "GP102", "slip-number-too-many", "the number {number} is one too many as a {role}", (*_NUMBER, "a factor too many")
)
SIZE_MISSING = SlipKind("GP102", "slip-size-missing", "the size {size} is missing: the {role} {size}", _of_missing_size)
SIZE_TOO_MANY = SlipKind(
    "GP102", "slip-size-too-many", "the size {size} is one too many: the {role} {size}", _of_size_too_many
)

# terms and signs
TERM_MISSING = SlipKind("GP113", "slip-term-missing", "a term is missing: {term}", ("a term missing",))
TERM_TOO_MANY = SlipKind(
    "GP113", "slip-term-too-many", "the term {term} is one too many", ("a term too many", "a factor too many")
)
SIGN_OF_TERM = SlipKind(
    "GP103", "slip-sign-of-term", "the sign of a term is wrong: {mine} stands where {other} belongs", ("sign",)
)
SIGN_LOST = SlipKind("GP103", "slip-sign-lost", "the sign of {name} is lost: the factor {factor} is missing", ("sign",))

# where a slip was made; each is about another one
IN_A_BRANCH = SlipKind("", "slip-in-a-branch", "{slip}, in one branch of np.where", ("one region of values wrong",))
IN_A_LINE = SlipKind(
    "",
    "slip-in-a-line",
    "{slip}, in the line for {part}",
    ("one row wrong", "one column wrong", "one channel wrong", "one entry wrong"),
)
OF_FORWARD = SlipKind(
    "GP110",
    "slip-of-forward",
    "your backward is right for another forward: {change}",
    ("the forward is the wrong side",),
)
EPSILON_ON_ONE_SIDE = SlipKind(
    "GP108",
    "slip-epsilon-on-one-side",
    "an epsilon is in one of forward and backward alone: {line}",
    ("epsilon left out",),
)
