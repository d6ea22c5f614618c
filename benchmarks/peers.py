"""Measures gradproof's engine beside other gradient checkers: the same layers, the same planted errors, one run.

    python benchmarks/peers.py [--seed S] [--draws N]

Needs gradproof installed, and whichever peers are to be measured: those that are missing are named in the tables.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
import warnings
from collections.abc import Sequence

import numpy as np
from peers_cases import CORRECT, FAULTS, SCALES, Case, Fault, Subject, draw_case, large, small
from peers_checkers import Checker, checkers
from peers_tables import Record, Table
from zoo_kind import Kind


def measured(checker: Checker, case: Case, number: int, fault: Fault, seed: int, runs: int) -> Record:
    """One checker on one subject: the answer and the calls of the last run, the time of the fastest."""
    seconds = []
    for _ in range(runs):
        subject = Subject(case, fault)
        begin = time.perf_counter()
        answer = checker.answer(subject, seed)
        seconds.append(time.perf_counter() - begin)
    drawn = case.drawn
    calls = subject.forwards, subject.backwards
    return Record(checker.name, drawn.kind.name, drawn.scale, number, fault.name, answer, min(seconds), *calls)


def compare(
    kinds: Sequence[Kind], scales: Sequence[float], draws: int, seed: int, runs: int, present: Sequence[Checker]
) -> list[Record]:
    """Every checker on every case, in turn, so that a machine that slows down slows all of them."""
    rng = np.random.default_rng(seed)
    cases = [draw_case(rng, kind, scale) for kind in kinds for scale in scales for _ in range(draws)]
    for checker in present:
        measured(checker, cases[0], 0, CORRECT, seed, runs)  # first calls load and compile: not what is compared
    return [
        measured(checker, case, number, fault, seed + number, runs if fault is CORRECT else 1)
        for number, case in enumerate(cases)
        for fault in (CORRECT, *FAULTS)
        for checker in present
    ]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of all draws (default: 0)")
    parser.add_argument("--draws", type=int, default=6, metavar="N", help="cases for each layer and scale (default: 6)")
    arguments = parser.parse_args()
    if arguments.draws < 1 or arguments.seed < 0:
        parser.error(f"expected --draws >= 1 and --seed >= 0, got {arguments.draws} and {arguments.seed}")
    np.seterr(all="ignore")  # saturated layers under- and overflow on purpose, in every checker
    warnings.simplefilter("ignore")
    begin, everybody = time.perf_counter(), checkers()
    present = [checker for checker in everybody if checker.check is not None]
    print(f"seed {arguments.seed}, {arguments.draws} draws, {os.cpu_count()} cores ({platform.machine()})")
    print(f"Python {platform.python_version()}, NumPy {np.__version__}", end="")
    print(*(f", {checker.name} {checker.version}" for checker in everybody), sep="", end="\n\n")
    table = Table(everybody, compare(small(), SCALES, arguments.draws, arguments.seed, 3, present))
    for text in (table.verdicts(), table.by_scale(), table.cost(), table.by_layer()):
        print(text, end="\n\n", flush=True)
    table = Table(everybody, compare(large(), (1.0,), arguments.draws, arguments.seed, 3, present))
    for text in (table.verdicts(), table.cost(), table.by_layer()):
        print(text, end="\n\n")
    print(f"{time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
