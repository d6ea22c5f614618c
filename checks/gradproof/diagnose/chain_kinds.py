"""The kinds of cause that a composite may have: a part that is wrong by itself, or the chaining; it looks into none."""

from __future__ import annotations

from gradproof.diagnose.cause_kind import CauseKind, Words
from gradproof.findings import Parameters

_ADVICE = "go through the parts in the reverse order of forward; where an output is used twice, add its douts"
_BROKEN = "the parts are right, their chaining is wrong"
_MADE_WRONG = "the parts are right, what is made of them is wrong"
_RIGHT_DOUT = "each part is right alone, and each is given the right dout"


def _wrong_part(words: Words) -> str:
    listed = " and ".join(f"d{tensor}" for tensor in words["raw"]["tensors"])
    return f"{words['part']} in {words['path']}, alone at what it receives here, has a wrong {listed}"


def _names_of_factor(about: Parameters) -> tuple[str, ...]:
    factor = str(about["factor"])
    is_of_a_dim = factor.startswith("1/") and factor[2:].isidentifier()
    if is_of_a_dim:
        return "extra mean over the batch", "constant factor"
    return "constant factor", "a dim as factor", "not summed"


WRONG_PART = CauseKind(
    "GP120",
    "wrong-part",
    evidence=_wrong_part,
    likely="{part} is wrong{why}",
    advice=lambda w: w["advice_of_part"] or f"check it alone: check({w['part']}, ...)",
    label="the part",
    headline="{part} in {path} is wrong by itself",
    teacher_names=("one layer wrong",),
)
LAST_CALL_REMEMBERED = CauseKind(
    "GP121",
    "last-call-remembered",
    evidence="with a memory for each of its {calls} calls, every gradient is right",
    likely="{part} in {path} is called several times in one forward, and remembers the last call alone",
    advice="keep what each call needs (a list of caches), or have one object for each call that shares its params",
    label="tried",
    headline=_BROKEN,
    teacher_names=("stale cache", "overwritten, not added", "shared gradients not added"),
)
LEFT_OUT_OF_THE_CHAIN = CauseKind(
    "GP121",
    "left-out-of-the-chain",
    evidence="each part is right alone; backward of {part} in {path} is never called",
    likely="backward leaves {part} in {path} out of the chain",
    advice=_ADVICE,
    label="the chain",
    headline=_BROKEN,
    teacher_names=("a layer skipped",),
)
DOUT_MULTIPLIED = CauseKind(
    "GP121",
    "dout-multiplied",
    evidence="each part is right alone; {part} in {path} is given {times:.4g} times the dout of its output",
    likely="between {after} and {part} in {path}, dout is multiplied by {factor}",
    advice="look for a division or a factor before backward is called: the parts bring theirs themselves",
    label="the chain",
    headline=_BROKEN,
    teacher_names=_names_of_factor,
)
ANOTHER_DOUT = CauseKind(
    "GP121",
    "another-dout",
    evidence="each part is right alone; {part} in {path} is given another dout than its output has",
    likely="the chaining between {after} and {part} in {path} is wrong",
    advice=_ADVICE,
    label="the chain",
    headline=_BROKEN,
    teacher_names=("layers in the wrong order", "a layer skipped", "a branch dropped"),
)
WRONGLY_COLLECTED = CauseKind(
    "GP121",
    "wrongly-collected",
    evidence=_RIGHT_DOUT,
    likely="what the whole returns or collects is wrong: its list of gradients, or a branch not added to dx",
    advice="compare the order of grads with that of params; add up what every branch hands back to the input",
    label="the chain",
    headline=_MADE_WRONG,
    teacher_names=("a branch dropped", "shared gradients not added", "lists out of step"),
)
ONE_CALL_KEPT = CauseKind(
    "GP121",
    "one-call-kept",
    evidence=_RIGHT_DOUT,
    likely="{part} in {path} is called several times in one forward, and keeps the cache or gradients of one call",
    advice="keep one cache for each call, and add up the gradients of all calls",
    label="the chain",
    headline=_MADE_WRONG,
    teacher_names=("stale cache", "overwritten, not added", "shared gradients not added"),
)

KINDS = (
    WRONG_PART,
    LAST_CALL_REMEMBERED,
    LEFT_OUT_OF_THE_CHAIN,
    DOUT_MULTIPLIED,
    ANOTHER_DOUT,
    WRONGLY_COLLECTED,
    ONE_CALL_KEPT,
)
