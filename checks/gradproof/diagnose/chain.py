"""Which part of a composite is wrong by itself; if none is, between which parts the chaining is. It judges no gradient.

Each part is checked alone, on what it receives inside the composite, as any layer is. Where all parts are right, the
dout that each receives is compared with the slope at that place.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradproof.case.signatures import Signature, method_signature
from gradproof.compare.judge_example import ask, judge_example
from gradproof.diagnose.causes import name_cause
from gradproof.diagnose.chain_kinds import (
    ANOTHER_DOUT,
    DOUT_MULTIPLIED,
    LAST_CALL_REMEMBERED,
    LEFT_OUT_OF_THE_CHAIN,
    ONE_CALL_KEPT,
    WRONG_PART,
    WRONGLY_COLLECTED,
)
from gradproof.diagnose.evidence import gather, sizes
from gradproof.diagnose.link import Link
from gradproof.differentiate.differentiate import Floats, top_step
from gradproof.findings import Confidence, Fact, Parameters, Value
from gradproof.guard import Randomness, SubjectError, quiet
from gradproof.subject.parts import Call, Part, Recorder, let_remember, parts_of
from gradproof.subject.subject import Subject, subject_from, upstream
from gradproof.values import Example, Outcome, Verdict

DOUTS = 3  # upstream gradients tried on a part alone
DIRECTIONS = 3  # random ones, along which a received dout is compared with the slope
# Relative: a slope by central differences at one step is better than that, a wrong dout further off.
CLOSE = 1e-4
STEP = 1 / 32  # of the first step of a measurement


def weak_link(example: Example, build: Callable[..., Any]) -> Link | None:
    """Look into a composite whose gradients are wrong here; None for no composite, or where nothing shows."""
    with quiet(), Randomness(example.seed) as random, contextlib.suppress(SubjectError):
        subject = build(random, widen=True)
        parts = parts_of(getattr(subject, "layer", None))
        if not parts:
            return None
        trace = _Trace(subject, Recorder(parts), example, np.random.default_rng(example.seed))
        calls = trace.run()
        forgetful = _forgetful(trace, calls, build)
        if forgetful is not None or len(parts) < 2:
            return forgetful
        for call in calls:
            outcomes = _alone(call, example.seed)
            wrong = next((outcome for outcome in outcomes if _accused(outcome)), None)
            if wrong is not None:
                return _wrong_part(call.part, wrong, outcomes, trace.forwards + sum(o.forwards for o in outcomes))
        # what the parts were given in several runs of backward, on copies, is no one pass
        return None if getattr(subject, "may_step", False) else _wrong_chaining(trace, calls)
    return None


def _accused(outcome: Outcome) -> tuple[str, ...]:
    """The names of the tensors whose gradient is wrong."""
    return tuple(tensor.name for tensor in outcome.tensors if tensor.verdict is Verdict.FAIL)


def _forgetful(trace: _Trace, calls: list[Call], build: Callable[..., Any]) -> Link | None:
    """A part that is called several times and remembers one call: with a memory for each, every gradient is right."""
    by_part: dict[int, list[Call]] = {}
    for call in calls:
        by_part.setdefault(id(call.part), []).append(call)
    for mine in by_part.values():
        douts = sum(len(call.douts) for call in mine)
        if len(mine) < 2 or douts < 2:
            continue
        outcome = judge_example(
            trace.example, functools.partial(_remembering, build, mine[0].part.path, len(mine)), declared=False
        )
        trace.forwards += outcome.forwards
        if outcome.tensors and all(tensor.verdict is Verdict.PASS for tensor in outcome.tensors):
            found = LAST_CALL_REMEMBERED.cause(_place(mine[0]), {"calls": len(mine)})
            return Link(found, trace.forwards, proven=True)
    return None


def _remembering(build: Callable[..., Any], path: str, calls: int, random: Randomness, **how: Any) -> Any:
    subject = build(random, **how)
    for part in parts_of(getattr(subject, "layer", None)):
        if part.path == path:
            let_remember(part, calls)
    return subject


@dataclass(eq=False)
class _Trace:
    """A recorded composite at one example; ``forwards`` counts those of the whole."""

    subject: Any
    recorder: Recorder
    example: Example
    rng: np.random.Generator
    forwards: int = 0
    dout: Floats = field(default_factory=lambda: np.zeros(0))
    returned: tuple[Any, ...] = ()

    def run(self) -> list[Call]:
        """One forward and one backward: the calls of the parts, in the order of forward."""
        self._forward(None)
        self.dout = upstream(self.subject, [np.shape(part) for part in self.returned], self.rng)
        calls = list(self.recorder.calls)
        ends = np.cumsum([np.size(part) for part in self.returned])[:-1]
        shaped = zip(np.split(self.dout, ends), self.returned, strict=True)
        self.subject.backward([d.reshape(np.shape(y)) if np.ndim(y) else float(d[0]) for d, y in shaped])
        return calls

    def slope(self, number: int, direction: Floats, step: float) -> float:
        """How <dout, output> grows when the output of one call moves along a direction."""
        ends = [float(self._forward((number, sign * step * direction)) @ self.dout) for sign in (1.0, -1.0)]
        return (ends[0] - ends[1]) / (2 * step)

    def _forward(self, moved: tuple[int, Floats] | None) -> Floats:
        self.forwards += 1
        self.recorder.calls = []
        self.recorder.moved = moved
        inputs = {name: np.copy(v) if isinstance(v, np.ndarray) else v for name, v in self.example.inputs.items()}
        self.returned = self.subject.forward(inputs)
        return np.concatenate([np.asarray(y, dtype=np.float64).reshape(-1) for y in self.returned])


def _alone(call: Call, seed: int) -> list[Outcome]:
    """The part by itself, on the inputs that it had inside."""
    part = call.part
    signature = method_signature(type(part.fresh), part.convention.forward)
    inputs = {**dict(zip(signature.names, call.args, strict=False)), **call.kwargs}
    build = functools.partial(_built, call, signature)
    floats = frozenset(n for n, v in inputs.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f")
    outcomes: list[Outcome] = []
    for number in range(DOUTS):
        outcome = judge_example(Example({}, {}, inputs, seed + number, floats), build, declared=False)
        failed = any(t.verdict is Verdict.FAIL for t in outcome.tensors)
        outcomes.append(ask(outcome, build, declared=False) if failed else outcome)
        if not failed:
            break
    return outcomes


def _built(call: Call, signature: Signature, random: Randomness, *, widen: bool = True) -> Subject:
    """The part as a subject; one that is given a dout of 1 alone, as a loss at the end is, is judged at that."""
    subject = subject_from(call.part.fresh, signature, call.part.convention, random, widen=widen)
    if call.douts and all(dout is None or bool((np.asarray(dout) == 1.0).all()) for dout in call.douts):
        vars(subject)["default_dout"] = lambda: 1.0
    return subject


def _called_again(calls: list[Call]) -> Call | None:
    """The first call of a part that was called before."""
    before: list[Part] = []
    for call in calls:
        if any(call.part is part for part in before):
            return call
        before.append(call.part)
    return None


def _wrong_part(part: Part, wrong: Outcome, outcomes: list[Outcome], forwards: int) -> Link:
    tensors = _accused(wrong)
    cause = name_cause(gather(tensors[0], wrong, outcomes))
    about: Parameters = {"part": type(part.layer).__name__, "path": part.path, "tensors": tensors}
    return Link(replace(WRONG_PART.cause(about), of=cause, tensor=tensors[0]), forwards, type(part.fresh))


def _wrong_chaining(trace: _Trace, calls: list[Call]) -> Link | None:
    """Go from the output to the input until a part receives a wrong dout."""
    after: Value = Fact("dout-of-the-whole")
    for number in reversed(range(len(calls))):
        call = calls[number]
        times = _times(trace, number, call)
        if times is None:
            return None
        if abs(times - 1.0) > CLOSE or np.isnan(times):
            return _broken(call, after, trace, times)
        after = Fact("part", _place(call))
    again = _called_again(calls)
    if again is None:
        return Link(WRONGLY_COLLECTED.cause(), trace.forwards)
    return Link(ONE_CALL_KEPT.cause(_place(again)), trace.forwards)


def _broken(call: Call, after: Value, trace: _Trace, times: float) -> Link:
    part = _place(call)
    if not call.douts:
        return Link(LEFT_OUT_OF_THE_CHAIN.cause(part), trace.forwards)
    if not np.isfinite(times):
        return Link(ANOTHER_DOUT.cause({"after": after, **part}), trace.forwards)
    factor = _named_factor(times, trace.example)
    confidence = Confidence.VAGUE if factor is None else Confidence.NAMED
    about: dict[str, Value] = {"after": after, **part, "factor": factor or times}
    return Link(DOUT_MULTIPLIED.cause(about, {"times": times}, confidence=confidence), trace.forwards)


def _place(call: Call) -> dict[str, Value]:
    return {"part": type(call.part.layer).__name__, "path": call.part.path}


def _named_factor(times: float, example: Example) -> str | None:
    """The factor as a student would write it, if one dim alone explains it; else None."""
    named = {"-1": -1.0, "2": 2.0, "1/2": 0.5}
    for name, size in sizes(example.dims).items():
        named |= {name: float(size), f"1/{name}": 1.0 / max(size, 1)}
    held = [text for text, value in named.items() if abs(value - times) <= CLOSE * abs(times)]
    return held[0] if len(held) == 1 else None


def _times(trace: _Trace, number: int, call: Call) -> float | None:
    """How many times the slope at its output the dout of a call is: 1 where it is right, NaN where it is no multiple.

    None where that cannot be told.
    """
    if not isinstance(call.output, (np.ndarray, float, np.floating)):
        return None
    output = np.asarray(call.output, dtype=np.float64)
    total = _total_dout(call, output.size)
    if total is None:
        return float("nan")
    pairs: list[tuple[float, float]] = []
    for _ in range(DIRECTIONS):
        direction = trace.rng.standard_normal(output.shape)
        slope = trace.slope(number, direction, STEP * top_step(output))
        if not np.isfinite(slope):
            return None
        size = max(float(np.abs(total) @ np.abs(direction.reshape(-1))), abs(slope)) or 1.0
        pairs.append((float(total @ direction.reshape(-1)) / size, slope / size))
    return _ratio(pairs)


def _total_dout(call: Call, size: int) -> Floats | None:
    """The sum of all douts that a call received, flat; None where one of them does not fit its output."""
    given = [np.asarray(1.0 if dout is None else dout, dtype=np.float64) for dout in call.douts]
    if any(dout.size not in (1, size) for dout in given):
        return None
    return sum((np.broadcast_to(dout.reshape(-1), size) for dout in given), np.zeros(size))


def _ratio(pairs: list[tuple[float, float]]) -> float:
    """The one ratio of claimed slopes to slopes, (claimed, slope) along each direction; NaN where there is none."""
    if all(abs(claimed - slope) <= CLOSE for claimed, slope in pairs):
        return 1.0
    ratios = [claimed / slope for claimed, slope in pairs if abs(slope) > CLOSE]
    if len(ratios) < len(pairs) or not ratios[0]:
        return float("nan")
    is_one = max(ratios) - min(ratios) <= CLOSE * abs(ratios[0])
    return float(np.mean(ratios)) if is_one else float("nan")
