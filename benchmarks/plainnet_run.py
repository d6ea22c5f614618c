"""Checks the whole of plainnet as the command line does, and shows where the seconds go.

    python benchmarks/plainnet_run.py [--seed S] [--count N]

Runs in one process. Needs checks/ and core/ on the path, as an editable install has them.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence

from measure_directions import arguments
from measure_time import DRAWING, ENGINE, LAYER, REST, Stopwatch, stopwatch

import check_plainnet
from gradproof import Case
from gradproof.checking import check_case
from gradproof.findings import SubjectReport

SECTIONS = (LAYER, ENGINE, DRAWING, REST)


def cases() -> dict[str, Case]:
    """Every Case of the pairing, by its name there."""
    return {name: value for name, value in vars(check_plainnet).items() if isinstance(value, Case)}


def run(seed: int) -> tuple[float, Stopwatch, dict[str, tuple[float, SubjectReport]]]:
    """All cases once at their default number of examples: seconds, sections, and each case's seconds and report."""
    reports: dict[str, tuple[float, SubjectReport]] = {}
    begin = time.perf_counter()
    with stopwatch() as watch:
        for name, case in cases().items():
            since = time.perf_counter()
            report = check_case(case, location=f"check_plainnet.py::{name}", seed=seed)
            reports[name] = time.perf_counter() - since, report
    return time.perf_counter() - begin, watch, reports


def table(given: argparse.Namespace, runs: Sequence[tuple[float, Stopwatch, object]]) -> None:
    """The median of the runs: seconds and shares, which do not depend on how busy the machine is."""
    total = statistics.median(seconds for seconds, _, _ in runs)
    print(f"{len(cases())} cases, median of {given.count} runs: {total:.1f} s\n\n| where | share | seconds |")
    print("|---|---|---|")
    for section in SECTIONS:
        share = statistics.median(watch.seconds[section] / sum(watch.seconds.values()) for _, watch, _ in runs)
        print(f"| {section} | {share:.1%} | {share * total:.2f} |")


def main() -> None:
    """Print the shares, then what each case took in the last run."""
    given = arguments(__doc__, 5, "runs")
    runs = [run(given.seed + number) for number in range(given.count)]
    table(given, runs)
    _, watch, reports = runs[-1]
    examples, forwards = (
        sum(getattr(report, name) for _, report in reports.values()) for name in ("examples", "forwards")
    )
    print(f"\nlast run: {examples} examples, {forwards} forwards, {watch.calls[LAYER]} calls of user code")
    own = sum(watch.seconds[section] for section in (ENGINE, REST)) / forwards * 1e6
    print(
        f"engine and rest: {own:.1f} us a forward; layers: {watch.seconds[LAYER] / forwards * 1e6:.1f} us a forward\n"
    )
    print("| slowest cases | seconds | verdict | examples | forwards |\n|---|---|---|---|---|")
    for name, (seconds, report) in sorted(reports.items(), key=lambda item: -item[1][0])[:8]:
        print(f"| {name} | {seconds:.2f} | {report.verdict} | {report.examples} | {report.forwards} |")


if __name__ == "__main__":
    main()
