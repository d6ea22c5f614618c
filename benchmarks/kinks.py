"""Correct layers where a derivative is hard to come by: at ties, behind rounded outputs, behind a cast to float32.

    python benchmarks/kinks.py [--seed S] [--count N]

Integer inputs put kinked layers on their ties. There a second look beside the tie must acquit what is right, and find
what is wrong: a right gradient times 1.5 in one entry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from measure_directions import arguments, shared_out
from zoo import ZOO
from zoo_kind import Array
from zoo_problem import Drawn, draw

from gradproof.compare.beside_kinks import judge_beside
from gradproof.compare.examine import examine
from gradproof.differentiate.problem import Problem
from gradproof.values import TensorResult, Verdict

KINKED = tuple(name for name, kind in ZOO.items() if kind.kinked)
SMOOTH_SCALES = (0.1, 1.0, 10.0)  # at others, four decimals leave nothing of most outputs
WEIGHTY = 1e-3  # a planted error sits in an entry at least this large, relative to the tensor's largest gradient
DECIMALS = 4
Answer = tuple[str, str, str, str]  # (inputs, claim, what became of it, the layer)


def looked_at(problem: Problem, again: Callable[..., object], rng: np.random.Generator) -> tuple[TensorResult, ...]:
    """What a check does with one example: examine, then look beside the ties."""
    return judge_beside(problem, examine(problem, rng), again, rng)


class Again:
    """Makes the same check at other values; the gradient of the first input is spoilt as it was."""

    def __init__(self, drawn: Drawn, spoil: Callable[[Array], Array]) -> None:
        self._drawn, self._spoil = drawn, spoil
        self.moved: Problem | None = None

    def __call__(self, values: Mapping[str, Array], dout: Array) -> Problem:
        drawn, inputs = self._drawn, list(self._drawn.inputs)
        for i in drawn.which:
            inputs[i] = values[f"x{i}"]
        outputs = np.asarray(drawn.kind.forward(*inputs))
        gradients = drawn.kind.backward(drawn.dout, *inputs)
        moved = replace(drawn, inputs=inputs, outputs=outputs, gradients=gradients)
        self.moved = moved.problem({0: self._spoil(np.asarray(gradients[0]))})
        return self.moved

    def without_slope(self, entry: int) -> bool:
        """Whether it was asked, and the entry's gradient was zero there."""
        return self.moved is not None and self.moved.tensors[0].claim.flat[entry] == 0


def word(results: Sequence[TensorResult]) -> str:
    """The verdict on all tensors together; without one, the most frequent reason."""
    verdicts = {result.verdict for result in results}
    if Verdict.FAIL in verdicts:
        return "FAIL"
    if Verdict.INCONCLUSIVE in verdicts:
        return sum((Counter(result.unjudged) for result in results), Counter()).most_common(1)[0][0]
    return "PASS"


def at_ties(rng: np.random.Generator, count: int) -> list[Answer]:
    """Kinked layers on integers, and on floats, with the right claim and with a wrong one."""
    answers: list[Answer] = []
    for integers in (True, False):
        group = "integers" if integers else "floats"
        for _ in range(count):
            drawn, entry = with_a_slope(rng, integers)
            right = looked_at(drawn.problem(), Again(drawn, np.asarray), rng)
            spoil = partial(spoilt, entry=entry)
            wrong = drawn.problem({0: spoil(np.asarray(drawn.gradients[0]))})
            again = Again(drawn, spoil)
            found = word(looked_at(wrong, again, rng))
            # a max that now lies elsewhere: beside the tie the entry's gradient is zero, and so is its error
            gone = found != "FAIL" and again.without_slope(entry)
            answers.append((group, "right", word(right), drawn.kind.name))
            where = "x 1.5, only at the tie" if gone else "x 1.5, also beside the tie"
            answers.append((group, where, found, drawn.kind.name))
    return answers


def with_a_slope(rng: np.random.Generator, integers: bool) -> tuple[Drawn, int]:
    """A draw of a kinked layer, and an entry of its first input whose gradient is worth changing."""
    while True:
        drawn = draw(rng, KINKED, integers=integers, scales=(1.0,))
        gradient = np.abs(np.asarray(drawn.gradients[0]))
        weighty = np.flatnonzero((gradient >= WEIGHTY * gradient.max()) & (gradient > 0))
        if weighty.size:
            return drawn, int(rng.choice(weighty))


def spoilt(gradient: Array, entry: int) -> Array:
    """One entry times 1.5."""
    result = gradient.copy()
    result.flat[entry] *= 1.5
    return result


def coarse_outputs(rng: np.random.Generator, count: int) -> list[Answer]:
    """Any layer with its outputs rounded, or computed in float32, and the gradient of the exact function."""
    answers: list[Answer] = []
    while len(answers) < 2 * count:
        drawn = draw(rng, scales=SMOOTH_SCALES)
        if drawn.finite():
            for how, found in (
                (f"rounded to {DECIMALS} decimals", coarse(drawn, lambda y: np.round(y, DECIMALS), rng)),
                ("float32 inside", through_float32(drawn, rng)),
            ):
                answers.append((how, "right", found, drawn.kind.name))
    return answers


def coarse(drawn: Drawn, change: Callable[[Array], Array], rng: np.random.Generator) -> str:
    """Every output changed, every gradient as before."""
    kind = replace(drawn.kind, forward=lambda *inputs: change(drawn.kind.forward(*inputs)))
    changed = replace(drawn, kind=kind, outputs=change(drawn.outputs))
    return word(looked_at(changed.problem(), Again(changed, np.asarray), rng))


def through_float32(drawn: Drawn, rng: np.random.Generator) -> str:
    """A forward that casts to float32 and back; its backward does the same. The harness sees float64."""

    def narrow(x: Array) -> Array:
        return x.astype(np.float32) if x.dtype.kind == "f" else x

    def forward(*inputs: Array) -> Array:
        return np.asarray(drawn.kind.forward(*map(narrow, inputs)), dtype=np.float64)

    def backward(dout: Array, *inputs: Array) -> list[Array | None]:
        gradients = drawn.kind.backward(narrow(dout), *map(narrow, inputs))
        return [None if g is None else np.asarray(g, dtype=np.float64) for g in gradients]

    kind = replace(drawn.kind, forward=forward, backward=backward)
    outputs, gradients = forward(*drawn.inputs), backward(drawn.dout, *drawn.inputs)
    changed = replace(drawn, kind=kind, outputs=outputs, gradients=gradients)
    if not changed.finite():
        return "not finite in float32"
    return word(looked_at(changed.problem(), Again(changed, np.asarray), rng))


def both(rng: np.random.Generator, count: int) -> list[Answer]:
    """One share of the run."""
    return [*at_ties(rng, count), *coarse_outputs(rng, count)]


def main() -> None:
    """Print what became of every group."""
    given = arguments(__doc__, 5_000, "draws of each group")
    answers = Counter(answer for part in shared_out(both, given.seed, given.count) for answer in part)
    print("| inputs or outputs | claim | checks | FAIL | PASS | no verdict |\n|---|---|---|---|---|---|")
    for group in dict.fromkeys(answer[:2] for answer in answers):
        verdicts: Counter[str] = Counter()
        for answer, n in answers.items():
            verdicts[answer[2]] += n * (answer[:2] == group)
        total, fail, good = verdicts.total(), verdicts["FAIL"], verdicts["PASS"]
        others = [f"{n} {word}" for word, n in verdicts.most_common() if n and word not in ("FAIL", "PASS")]
        print(f"| {' | '.join(group)} | {total} | {fail} ({fail / total:.2%}) | {good} | {', '.join(others) or 0} |")
    accused = {answer: n for answer, n in answers.items() if answer[1:3] == ("right", "FAIL")}
    print(
        "\naccused though right:", ", ".join(f"{kind} ({how}) {n}" for (how, *_, kind), n in accused.items()) or "none"
    )


if __name__ == "__main__":
    main()
