"""Checks one file of the field as the command line does, and prints one line of JSON for each thing in it.

    python field_child.py FILE EXAMPLES SEED TIMEOUT [NAME ...]

EXAMPLES and TIMEOUT (seconds) 0 stand for gradproof's own. The names are passed over: they are those during which an
earlier process was lost. What the checked code prints goes nowhere; a line {"begin": NAME} before each record tells the
parent where a process that never came back was.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradproof.collect.collect import Item, holding, settled
from gradproof.collect.load import importable
from gradproof.errors import UsageError
from gradproof.findings import SubjectReport
from gradproof.report.lines import headline, lines
from gradproof.sandbox.memory import bounded
from gradproof.sandbox.surroundings import restored
from gradproof.shell.runner import Options, check_item

Record = dict[str, Any]


def silenced() -> Callable[[Record], None]:
    """Point the process's own stdout and stderr at nothing, and return a printer to the real stdout."""
    real = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)

    def tell(record: Record) -> None:
        real.write(json.dumps(record) + "\n")
        real.flush()

    return tell


def run(file: Path, options: Options, passed_over: frozenset[str], tell: Callable[[Record], None]) -> None:
    """One record for each item of the file, or one record "unloaded" where it cannot be read."""
    try:
        found = holding(file, None)
    except UsageError as error:
        tell({"unloaded": str(error)})
        return
    for item in found.items:
        if item.name not in passed_over:
            tell({"begin": item.name})
            tell(record(item, options))


def record(item: Item, options: Options) -> Record:
    """What inference and checking gave for one item, as JSON values."""
    told: Record = {"name": item.name, "aliases": list(item.aliases)}
    began = time.perf_counter()
    try:
        with importable(item.source), restored(), bounded():
            item = settled(item)
    except Exception:  # a crash of the harness itself is a result too
        return told | {"case": None, "problem": "gradproof crashed", "crash": traceback.format_exc()[-1500:]}
    told["case"] = None if item.case is None else item.case.declaration()
    told["problem"] = item.problem
    if item.inference is not None:
        told["infer"] = {"seconds": time.perf_counter() - began, "forwards": item.inference.forwards}
        told["others"] = [case.declaration() for case in item.inference.others]
    checked: list[SubjectReport] = []
    began = time.perf_counter()
    try:
        check_item(item, options, checked)
    except Exception:
        told["crash"] = traceback.format_exc()[-1500:]
    told["seconds"] = time.perf_counter() - began
    return told | (outcome(checked[-1]) if checked else {})


def outcome(report: SubjectReport) -> Record:
    """The verdict, the tensors that were judged, and the findings."""
    return {
        "verdict": str(report.verdict),
        "reason": report.reason,
        "examples": report.examples,
        "forwards": report.forwards,
        "tensors": {t.name: str(t.verdict) for t in report.tensors},
        "entries": sum(t.judged for t in report.tensors),
        "findings": [
            {
                "code": f.code,
                "severity": f.severity,
                "tensor": f.tensor,
                "headline": headline(f),
                "lines": [list(line) for line in lines(f)],
            }
            for f in report.findings
        ],
        "notes": list(report.notes),
    }


def main() -> None:
    """Run, and leave without waiting for what the file may have started."""
    file, examples, seed, timeout, *passed_over = sys.argv[1:]
    tell = silenced()
    run(Path(file), Options(int(examples) or None, int(seed), float(timeout) or None), frozenset(passed_over), tell)
    os._exit(0)


if __name__ == "__main__":
    main()
