"""Wrong layers: is it told up to which line backward is right, is it that line, and what does it cost?

    python benchmarks/right_up_to.py [--seed S] [--every N]

The true line is where the wrong layer and its right neighbour are not the same. Layers that differ by something else
do not count, nor those of which no gradient is wrong. Needs core/ and tests/ on the path, too. The search for a change
is left out but with --changes: lines that a change does not agree with are not told then.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from causes import share
from causes_lines import teachers_lines

from faulty import FAULTS
from gradproof.adjoint import locate as adjoint
from gradproof.adjoint.locate import Located
from gradproof.checking import check_case
from gradproof.codes import is_of_gradient
from gradproof.explain import from_changes, from_lines
from gradproof.findings import Location, RightUpTo
from gradproof.mend.mend import Mended


@dataclass(frozen=True)
class Row:
    """What one fault gave. ``lines``: those that are told first; ``forwards`` are those that it took."""

    name: str
    counts: bool
    lines: RightUpTo | None
    is_true: bool
    is_among: bool  # of the lines that may be wrong, too
    called_right: bool  # though the true line is there, and the one told is not
    forwards: int


def examined(number: int, seed: int, *, changes: bool) -> Row:
    """Check one faulty layer."""
    fault, spent = FAULTS[number], list[int]()
    if not changes:
        from_changes.__dict__["search"] = no_change

    def counted(*given: object) -> Located:
        found = adjoint.locate(*given)  # type: ignore[arg-type]
        spent.append(found.forwards)
        return found

    from_lines.__dict__["locate"] = counted
    report = check_case(fault.case(fault.wrong), location=fault.name, seed=seed)
    wrong = [f for f in report.findings if f.severity == "error" and is_of_gradient(f.code)]
    lines = next((f.right_up_to for f in wrong if f.right_up_to is not None), None)
    true = {line for _, line in teachers_lines(fault)}
    if lines is None:
        return Row(fault.name, bool(spent), None, False, False, False, sum(spent))
    is_true = _is_at(lines.wrong.at, true)
    is_among = not is_true and any(_is_at(at, true) for at in lines.unsure)
    called_right = lines.right is not None and _is_at(lines.right.at, true) and not (is_true or is_among)
    return Row(fault.name, bool(true), lines, is_true, is_among, called_right, sum(spent))


def _is_at(at: Location, lines: set[int]) -> bool:
    return any(line in lines for line in range(at.line, at.end_line + 1))


def no_change(*_: object, **__: object) -> Mended:
    """Nothing is tried."""
    return Mended()


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """The table."""
    counting = [row for row in rows if row.counts]
    told = [row for row in counting if row.lines is not None]
    true, among = sum(row.is_true for row in told), sum(row.is_among for row in told)
    before = [row for row in told if row.lines is not None and row.lines.right is not None]
    forwards = [row.forwards for row in counting]
    yield f"| {len(rows)} faults, {len(counting)} with a wrong gradient that was looked at | wanted | reached |"
    yield "| --- | --- | --- |"
    yield f"| a wrong line is told | >= 70 % | {share(len(told), len(counting))} |"
    yield f"| it is a true one | >= 92 % | {share(true, len(told))} |"
    yield f"| it is, or one of those that may be wrong, too | | {share(true + among, len(told))} |"
    yield f"| a right line before it is told | | {share(len(before), len(told))} |"
    yield f"| lines called right that are wrong | 0 | {sum(row.called_right for row in told)} |"
    yield f"| forwards, median; nine tenths | <= 400; | {statistics.median(forwards):.0f}; {_most(forwards)} |"


def _most(forwards: Sequence[int]) -> int:
    return sorted(forwards)[int(0.9 * (len(forwards) - 1))]


def misses(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each fault of which another line is told, or none."""
    for row in rows:
        if row.lines is not None and not row.is_true:
            kind = "called right" if row.called_right else "may be wrong, too" if row.is_among else "another line"
            yield f"{kind}: {row.name}: {Path(row.lines.wrong.at.file).name}:{row.lines.wrong.at.line}"
    for row in rows:
        if row.counts and row.lines is None:
            yield f"nothing told: {row.name}"


def main() -> None:
    """Print the table and the misses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of all draws (default: 0)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take each Nth fault only (default: 1)")
    parser.add_argument("--changes", action="store_true", help="search for changes, too, as a check does")
    parser.add_argument("--jobs", type=int, default=None, metavar="J", help="processes (default: one for each core)")
    given = parser.parse_args()
    begin = time.perf_counter()
    with ProcessPoolExecutor(given.jobs) as pool:
        numbers = range(0, len(FAULTS), given.every)
        jobs = [pool.submit(examined, number, given.seed, changes=given.changes) for number in numbers]
        rows = [job.result() for job in jobs]
    print(f"seed {given.seed}, each {given.every}th fault, {time.perf_counter() - begin:.0f} s\n")
    for part in (summary(rows), misses(rows)):
        print(*part, "", sep="\n")


if __name__ == "__main__":
    main()
