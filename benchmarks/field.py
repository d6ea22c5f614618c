"""Checks repositories of other people's layers as the command line does, and tabulates what came of it.

    python benchmarks/field.py FOLDER... [--truth T.json] [--json OUT.json] [--against OLD.json]
                               [--examples N] [--seed S] [--timeout S] [--seconds S] [--only TEXT]

Each FOLDER is one repository; each file of it that defines a unit (field_census) runs in a process of its own, started
in that folder. What runs is foreign code: use a machine that may be spoilt. ``--truth`` holds what was established by
hand, by "folder/file::name": {"runs": false, "why": ...} for what cannot run as it stands, {"faults": {tensor: cause}}
for gradients judged by reading and by other means ({}: all right). ``--against`` lists what differs from another run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from field_census import Unit, census
from field_tables import differences, report

CHILD = Path(__file__).with_name("field_child.py")
GIGABYTES = 4  # of address space for one process: beyond it, Python raises MemoryError
Record = dict[str, Any]


def measure(folder: Path, given: argparse.Namespace) -> Iterator[Record]:
    """One record for each unit of a repository, and for each item of gradproof's that is no unit."""
    units: dict[str, list[Unit]] = {}
    for unit in census(folder):
        units.setdefault(unit.file, []).append(unit)
    for file, known in units.items():
        if given.only in f"{folder.name}/{file}":
            told = _file(folder, file, known, given)
            yield from ({"repository": folder.name, "file": file, **record} for record in told)


def _file(folder: Path, file: str, units: Sequence[Unit], given: argparse.Namespace) -> Iterator[Record]:
    """The records of one file; a process that is lost is begun again behind the item that lost it."""
    passed_over: list[str] = []
    missing, problem = list(units), "gradproof does not see it"
    while True:
        begun: str | None = None
        for line in _child(folder, file, given, passed_over):
            problem = line.get("unloaded", problem)
            begun = line.get("begin")
            if "name" in line:
                passed_over.append(line["name"])
                yield _joined(line, missing)
        if begun is None:
            break
        passed_over.append(begun)
        yield _joined({"name": begun, "case": None, "problem": "the process was lost", "lost": True}, missing)
    for unit in missing:
        yield {"name": unit.name, "kind": unit.kind, "abstract": unit.abstract, "case": None, "problem": problem}


def _joined(line: Record, missing: list[Unit]) -> Record:
    """A record of the child's under the name of its unit, which is then no longer missing."""
    names = {line["name"], *line.get("aliases", ())}
    unit = next((unit for unit in missing if unit.name in names or _short(unit) in names), None)
    if unit is None:
        return {**line, "kind": "other", "abstract": False}
    missing.remove(unit)
    return {**line, "kind": unit.kind, "abstract": unit.abstract, "name": unit.name}


def _short(unit: Unit) -> str:
    """The name without the word that says that it is a forward."""
    return unit.name.replace("_forward", "").replace("forward_", "")


def _child(folder: Path, file: str, given: argparse.Namespace, passed_over: Sequence[str]) -> Iterator[Record]:
    """The lines of one process, until it ends or stays silent for the time that one item may take."""
    command = [sys.executable, str(CHILD), file, *(str(n) for n in (given.examples, given.seed, given.timeout))]
    limited = ["sh", "-c", f'ulimit -v {GIGABYTES * 1024**2}; exec nice -n 10 "$@"', "sh", *command, *passed_over]
    with subprocess.Popen(limited, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        for line in _watched(process, given.seconds):
            yield json.loads(line)
        process.kill()


def _watched(process: subprocess.Popen[str], seconds: float) -> Iterator[str]:
    """The lines of a process that is killed when it has been silent for ``seconds``."""
    stream = process.stdout
    while stream is not None:
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        line = stream.readline()
        timer.cancel()
        if not line.endswith("\n"):
            return
        yield line


def main() -> None:
    """Measure, tabulate, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--truth", type=Path, help="what was established by hand, as JSON")
    parser.add_argument("--json", type=Path, help="write every record there")
    parser.add_argument("--against", type=Path, help="an earlier --json: list what differs")
    parser.add_argument("--examples", type=int, default=0, help="random examples for each item; 0: gradproof's own")
    parser.add_argument("--timeout", type=float, default=0, help="seconds for checking one item; 0: gradproof's own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=180, help="of silence before a process is given up")
    parser.add_argument("--only", default="", help="only files whose folder/path contains this")
    given = parser.parse_args()
    truth: Record = json.loads(given.truth.read_text(encoding="utf-8")) if given.truth else {}
    records: list[Record] = []
    for folder in given.folders:
        began = time.perf_counter()
        for record in measure(folder.resolve(), given):
            records.append(record)
            if given.json:  # as they come: a run may take hours
                given.json.write_text(json.dumps(records, indent=1), encoding="utf-8")
        print(f"{folder.name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    print(report(records, truth))
    if given.against:
        print(differences(json.loads(given.against.read_text(encoding="utf-8")), records))


if __name__ == "__main__":
    main()
