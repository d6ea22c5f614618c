"""Words the comparison as Markdown tables; it runs no checker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, geometric_mean, median

from peers_cases import CORRECT, FAULTS
from peers_checkers import Answer, Checker


@dataclass(frozen=True)
class Record:
    """One checker on one subject. case: its number in the run; seconds: wall time of the whole check."""

    checker: str
    layer: str
    scale: float
    case: int
    fault: str
    answer: Answer
    seconds: float
    forwards: int
    backwards: int


@dataclass(frozen=True, eq=False)
class Table:
    """The records of one run, by checker; the first checker is the one that the others are measured against."""

    checkers: Sequence[Checker]
    records: Sequence[Record]

    def verdicts(self) -> str:
        """False accusations, and how many of the planted errors were found.

        Found: the faulty layer is accused, and its correct twin is not: who accuses both has told nothing.
        """
        head = ["checker", "false accusations", "no verdict", "raised", *(fault.name for fault in FAULTS)]
        return self._by_checker(head, self._verdict_row)

    def _verdict_row(self, name: str) -> list[str]:
        correct = self._of(name, CORRECT.name)
        accused = {r.case for r in correct if r.answer == Answer.ACCUSED}
        row = [f"{len(accused)} of {len(correct)}"]
        row += [str(sum(r.answer == answer for r in correct)) for answer in (Answer.OPEN, Answer.RAISED)]
        for fault in FAULTS:
            answers = self._of(name, fault.name)
            found = sum(r.answer == Answer.ACCUSED and r.case not in accused for r in answers)
            row.append(f"{100 * found / len(answers):.0f} %")
        return row

    def by_scale(self) -> str:
        """False accusations at each scale of the inputs."""
        scales = sorted({r.scale for r in self.records})

        def row(name: str) -> list[str]:
            at = [[r for r in self._of(name, CORRECT.name) if r.scale == scale] for scale in scales]
            return [f"{sum(r.answer == Answer.ACCUSED for r in records)} of {len(records)}" for records in at]

        return self._by_checker(["checker", *(f"x {scale:g}" for scale in scales)], row)

    def cost(self) -> str:
        """What one check costs: a correct layer, and one with an error of 1e-3 in one entry."""

        def row(name: str) -> list[str]:
            correct, faulty = self._of(name, CORRECT.name), self._of(name, FAULTS[0].name)
            means = [f"{fmean(getattr(r, what) for r in correct):.0f}" for what in ("forwards", "backwards")]
            return [*means, *(f"{1e3 * median(r.seconds for r in records):.2f}" for records in (correct, faulty))]

        return self._by_checker(["checker", "forwards", "backwards", "ms, correct", "ms, faulty"], row)

    def by_layer(self) -> str:
        """Milliseconds of the first checker on correct layers, and the others' time in multiples of it, by case."""
        first, *others = [checker.name for checker in self.checkers if checker.check is not None]
        mine = {r.case: r.seconds for r in self._of(first, CORRECT.name)}
        lines = []
        for layer in [*dict.fromkeys(r.layer for r in self.records), "all"]:
            row = [layer, f"{1e3 * median(mine[r.case] for r in self._on(first, layer)):.2f} ms"]
            for name in others:
                ratio = geometric_mean([r.seconds / mine[r.case] for r in self._on(name, layer)])
                row.append(f"**{ratio:.2f}**" if ratio < 1 else f"{ratio:.1f}")
            lines.append(row)
        return markdown(["layer", first, *others], lines)

    def _of(self, checker: str, fault: str) -> list[Record]:
        return [r for r in self.records if r.checker == checker and r.fault == fault]

    def _on(self, checker: str, layer: str) -> list[Record]:
        return [r for r in self._of(checker, CORRECT.name) if layer in ("all", r.layer)]

    def _by_checker(self, head: Sequence[str], row: Callable[[str], list[str]]) -> str:
        lines = []
        for checker in self.checkers:
            missing = [checker.version, *[""] * (len(head) - 2)]
            lines.append([checker.name, *(missing if checker.check is None else row(checker.name))])
        return markdown(head, lines)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are set flush right."""
    lines = [head, ["---", *(["---:"] * (len(head) - 1))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
