"""The same command on a free machine and on a busy one: are the reports the same, byte for byte but for the seconds?

    python benchmarks/reproducible.py [--names NAME ...] [--every K] [--load L] [--seed S]

Each subject is a layer of tests/faulty, checked in a process of its own by the command's own code: once beside
nothing, once beside L times as many busy processes as there are cores (default: 4), with another hash seed. Without
names, every K-th fault (default: 23). Needs core/ and tests/ on the path, too. Exit code 1 where reports differ.
"""

from __future__ import annotations

import argparse
import difflib
import os
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import faulty
from gradproof.checking import check_case
from gradproof.report import text
from gradproof.report.report import Report

ALWAYS = ("LSTMCellOutputGateLeftOut",)  # one of the dearest
_SPIN = "while True: pass"


def told(name: str, seed: int) -> str:
    """The report of one fault as text and as JSON, without its seconds."""
    fault = next(each for each in faulty.FAULTS if each.name == name)
    found = replace(check_case(fault.case(fault.wrong), location=name, seed=seed), seconds=0.0)
    return f"{text.report([found])}\n{Report((found,), seed, None, '').to_json()}\n"


def asked(name: str, seed: int, hashes: int) -> tuple[str, float]:
    """The report of a process of its own, and the seconds that it took."""
    begin = time.perf_counter()
    environment = {**os.environ, "PYTHONHASHSEED": str(hashes)}
    command = [sys.executable, __file__, "--names", name, "--seed", str(seed), "--tell"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr, time.perf_counter() - begin


@contextmanager
def busy(processes: int) -> Generator[None]:
    """So many processes that do nothing but compute, meanwhile."""
    spinning = [subprocess.Popen([sys.executable, "-c", _SPIN]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def compared(names: Sequence[str], seed: int, load: int) -> int:
    """Print a line for each subject; how many differ."""
    differing = 0
    for name in names:
        plain, alone = asked(name, seed, 0)
        with busy(load * (os.cpu_count() or 1)):
            other, beside = asked(name, seed, 1)
        same = plain == other
        differing += not same
        print(f"{'same' if same else 'DIFFERENT'}  {alone:6.1f} s, {beside:6.1f} s under load  {name}", flush=True)
        if not same:
            print(*list(difflib.unified_diff(plain.splitlines(), other.splitlines(), lineterm="", n=0))[:20], sep="\n")
    return differing


def main() -> int:
    """Compare, and print the count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", nargs="+", default=[], metavar="NAME", help="faults of tests/faulty")
    parser.add_argument("--every", type=int, default=23, metavar="K", help="of all faults, where none is named")
    parser.add_argument("--load", type=int, default=4, metavar="L", help="busy processes for each core (default: 4)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of all draws (default: 0)")
    parser.add_argument("--tell", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.tell:
        print(told(given.names[0], given.seed), end="")
        return 0
    names = given.names or list(dict.fromkeys([*ALWAYS, *(each.name for each in faulty.FAULTS[:: given.every])]))
    differing = compared(names, given.seed, given.load)
    print(f"{len(names) - differing} of {len(names)} reports are the same")
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
