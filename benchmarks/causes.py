"""Faulty layers: is each found, is its cause named, is the name right, and what does naming cost?

    python benchmarks/causes.py [--faults repo|FILE.py ...] [--seed S]

"repo" is the table of tests/faulty. A FILE.py holds a table of its own: FAULTS, made with faulty.base.fault(). The
causes of a fault were written down by reading the layer as a teacher would, before there was a rule to name them.
Needs core/ and tests/ on the path, too.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from causes_lines import line_told, teachers_lines
from causes_named import causes_named

from faulty.base import Fault, name_of
from gradproof import Verdict
from gradproof.checking import check_case
from gradproof.findings import Finding, SubjectReport
from gradproof.report.lines import headline, lines

REPOSITORY = "repo"


@dataclass(frozen=True)
class Row:
    """What one fault gave. ``first`` is the finding that a student reads first; None where nothing was found."""

    name: str
    found: bool
    causes: tuple[str, ...]
    first: Finding | None
    named: frozenset[str]
    warned: bool  # no error, but a warning names a cause that a teacher accepts, and the right layer does not get it
    changed: bool  # whether a change of the source is told that was tried and makes it right
    at_line: bool  # whether that change stands at a line at which the right layer differs
    naming: int  # forwards
    seconds: float

    @property
    def accepted(self) -> bool:
        """Whether a teacher would accept what is named first."""
        return bool(self.named & {*self.causes})


@functools.cache
def table(source: str) -> tuple[Fault, ...]:
    """The faults of one source, loaded once a process."""
    if source == REPOSITORY:
        import faulty

        return faulty.FAULTS
    path = Path(source).resolve()
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"expected a Python file that holds FAULTS, got {source}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module.FAULTS


def examined(source: str, number: int, seed: int) -> Row:
    """Check one faulty layer."""
    fault = table(source)[number]
    begin = time.perf_counter()
    report = check_case(fault.case(fault.wrong), location=fault.name, seed=seed)
    errors = [finding for finding in report.findings if finding.severity == "error"]
    first = errors[0] if errors else None
    return Row(
        fault.name,
        report.verdict is Verdict.FAIL and any(fault.accused_by(finding) for finding in errors),
        fault.causes,
        first,
        frozenset() if first is None else causes_named(first),
        not errors and any({*fault.causes} & causes_named(f) for f in warnings(report, fault, seed)),
        first is not None and bool(first.edits),
        first is not None and line_told(first) in teachers_lines(fault),
        report.naming_forwards,
        time.perf_counter() - begin,
    )


def warnings(report: SubjectReport, fault: Fault, seed: int) -> list[Finding]:
    """What is told as a warning of the wrong layer alone: the contract does not fail for it."""
    beside = check_case(fault.case(fault.right), location=name_of(fault.right), seed=seed)
    known = {headline(finding) for finding in beside.findings}
    return [f for f in report.findings if f.severity == "warning" and headline(f) not in known]


def accusations(source: str, number: int, seed: int) -> list[str]:
    """Everything that is said against the right neighbour of a fault."""
    fault = table(source)[number]
    name = name_of(fault.right)
    report = check_case(fault.case(fault.right), location=name, seed=seed)
    verdict = [] if report.verdict is Verdict.PASS else [f"{name}: {report.verdict.value}"]
    return verdict + [f"{name}: {f.code} ({f.severity}) {headline(f)}" for f in report.findings]


def share(count: int, total: int) -> str:
    """Write "156 of 174 = 89.7 %"."""
    return f"{count} of {total}" + (f" = {count / total:.1%}" if total else "")


def summary(title: str, rows: Sequence[Row], accused: Sequence[str], right: int) -> Iterator[str]:
    """The table of the figures that must be reached."""
    named = [row for row in rows if row.named]
    accepted = [row for row in rows if row.accepted]
    changed = sum(row.changed for row in rows)
    either = [row for row in rows if row.accepted or row.at_line]
    right_line = sum(bool(row.named) for row in either)
    spent = statistics.median([row.naming for row in rows if row.first is not None] or [0])
    yield f"| {title}: {len(rows)} faults, {len({c for row in rows for c in row.causes})} causes | wanted | reached |"
    yield "| --- | --- | --- |"
    yield f"| faults found | 100 % | {share(sum(row.found for row in rows), len(rows))} |"
    yield f"| not found, but told as a warning, by an accepted name | | {sum(row.warned for row in rows)} |"
    yield f"| a cause named first that a teacher accepts | >= 90 % | {share(len(accepted), len(rows))} |"
    yield f"| when a cause is named, it is right | >= 98 % | {share(len(accepted), len(named))} |"
    yield f"| a change that makes it right is told with it | | {share(changed, len(rows))} |"
    yield f"| that change is at a line that a teacher changes | | {share(sum(row.at_line for row in rows), changed)} |"
    yield f"| a cause that is accepted, or that line | | {share(len(either), len(rows))} |"
    yield f"| when a cause is named, it is accepted, or the line is | | {share(right_line, len(named))} |"
    yield f"| further forwards of naming, median | <= 200 | {spent:.0f} |"
    yield f"| right layers that get an error or a cause | 0 | {wronged(accused, 'error')} of {right} |"
    yield f"| right layers that get a warning; a note | | {wronged(accused, 'warning')}; {wronged(accused, 'note')} |"


def wronged(accused: Sequence[str], severity: str) -> int:
    """Count the right layers of which this is said; a verdict that is not PASS counts as an error."""
    said = {"warning": "(warning)", "note": "(note)"}
    errors = [told for told in accused if not any(kind in told for kind in said.values())]
    return len(
        {told.split(":")[0] for told in (errors if severity == "error" else accused) if said.get(severity, "") in told}
    )


def by_cause(rows: Sequence[Row]) -> Iterator[str]:
    """How the faults of each cause fare."""
    count = Counter((cause, state(row)) for row in rows for cause in row.causes)
    yield "| cause that a teacher accepts | faults | accepted | wrong | no cause |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for cause in sorted({cause for cause, _ in count}):
        numbers = [count[cause, kind] for kind in ("accepted", "wrong", "none")]
        yield f"| {cause} | {sum(numbers)} | {' | '.join(map(str, numbers))} |"


def state(row: Row) -> str:
    """Say how the naming of one fault ended."""
    return "accepted" if row.accepted else "wrong" if row.named else "none"


def misses(rows: Sequence[Row]) -> Iterator[str]:
    """One line for each fault that was not found, or whose cause is wrong or not named."""
    for row in rows:
        if not row.found:
            yield f"not found{', a warning' if row.warned else ''}: {row.name}: {sorted(row.causes)}"
    for kind in ("wrong", "none"):
        for row in rows:
            if state(row) == kind and row.first is not None:
                told = dict(lines(row.first)).get("likely cause", headline(row.first))
                line = ", at a teacher's line" if row.at_line else ""
                yield f"{kind}{line}: {row.name}: {row.first.code} {told!r}; accepted: {', '.join(row.causes)}"


def main() -> None:
    """Print the table of each source and its misses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", nargs="+", default=[REPOSITORY], metavar="SOURCE", help='"repo" or FILE.py')
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of all draws (default: 0)")
    given = parser.parse_args()
    rows, accused, right = list[Row](), list[str](), 0
    begin = time.perf_counter()
    with ProcessPoolExecutor() as pool:
        for source in given.faults:
            faults = table(source)
            neighbours = {(fault.right, repr(fault.specs)): number for number, fault in enumerate(faults)}
            work = [pool.submit(examined, source, number, given.seed) for number in range(len(faults))]
            others = [pool.submit(accusations, source, number, given.seed) for number in neighbours.values()]
            rows += [job.result() for job in work]
            accused += [told for job in others for told in job.result()]
            right += len(neighbours)
    print(f"seed {given.seed}, {time.perf_counter() - begin:.0f} s\n")
    for part in (summary(" and ".join(given.faults), rows, accused, right), by_cause(rows), misses(rows), accused):
        print(*part, "", sep="\n")


if __name__ == "__main__":
    main()
