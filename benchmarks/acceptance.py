"""Scores the command on a folder of small files, for each of which a manifest says what must be told of it.

    python benchmarks/acceptance.py FOLDER [--command PATH] [--only TEXT] [--jobs N] [--json OUT.json]

FOLDER/manifest.json holds entries, each with a ``file``, a ``class`` and ``subjects``: a ``name``, what is ``wanted``
(PASS, FAIL or not-FAIL), and of a FAIL the ``tensors`` that are wrong and the ``line`` at fault. With ``raises`` the
line itself must be told; with ``judged`` all tensors must be judged; with ``told`` that word must be said.
A right subject that FAILs is accused. A wrong one passes if it is PASS, or is not mentioned while the exit code is 0.
Every file is checked in a process of its own, in a copy of the folder.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECONDS = 120  # for one file, a safety net
COLUMNS = ("class", "subjects", "as wanted", "right accused", "wrong passed", "not judged", "tensor told", "line told")
Subject = Mapping[str, Any]  # of the JSON report, or of the manifest


@dataclass(frozen=True)
class Row:
    """What became of one subject of the manifest."""

    file: str
    kind: int
    name: str
    wanted: str
    got: str
    as_wanted: bool
    accused: bool = False
    passed: bool = False
    tensor: bool = False
    line: bool = False
    why: str = ""

    @property
    def not_judged(self) -> bool:
        """Whether there is no verdict where there should be one."""
        return self.wanted != "not-FAIL" and self.got not in ("PASS", "FAIL")


@dataclass(frozen=True)
class Told:
    """What the report says of one subject of the manifest, under whatever names."""

    subjects: Sequence[Subject]
    code: int | None
    findings: list[Any] = field(default_factory=list[Any])

    @property
    def verdict(self) -> str:
        """The worst of its verdicts."""
        verdicts = [subject["verdict"] for subject in self.subjects]
        missing = "not mentioned" if self.code is not None else "no report"
        return next((v for v in ("FAIL", "INCONCLUSIVE", "PASS") if v in verdicts), missing)

    @property
    def accused_tensors(self) -> set[str]:
        """The tensors of its errors."""
        errors = [f for f in self.findings if f["severity"] == "error"]
        named = {name for f in errors for name in (f["tensor"], *f["also"]) if name}
        return named | {t["name"] for s in self.subjects for t in s["tensors"] if t["verdict"] == "FAIL"}

    def tells_line(self, number: int) -> bool:
        """Whether a finding names the line."""
        places = [hint for f in self.findings for hint in f["hints"]]
        places += [each for f in self.findings for edit in f["edits"] for each in edit["replacements"]]
        traces = [f["traceback"] or "" for f in self.findings]
        in_a_trace = any(re.search(rf"\bline {number}\b", trace) for trace in traces)
        return in_a_trace or any(place["line"] == number for place in places)

    def says(self, word: str) -> bool:
        """Whether a finding or a note holds the word."""
        notes = [note for subject in self.subjects for note in subject["notes"]]
        return word in str(self.findings) or word in str(notes)


def names(tensor: str) -> set[str]:
    """How a tensor may be written: W, _W, params['W'], layer.W."""
    last = re.split(r"[.\s]", tensor)[-1]
    return {tensor, last, last.lstrip("_"), *re.findall(r"""\[['"](.+?)['"]\]""", tensor)[-1:]}


def is_told(wanted: Sequence[str], accused: set[str]) -> bool:
    """Whether one of the wanted tensors is accused; an empty list wants none in particular."""
    known = {name for tensor in accused for name in names(tensor)}
    return not wanted or any(names(name) & known for tensor in wanted for name in tensor.split("|"))


def judged(entry: Subject, wanted: Subject, told: Told) -> Row:
    """Compare what is told with what is wanted."""
    about = (entry["file"], entry["class"], wanted["name"], wanted["wanted"], told.verdict)
    if wanted["wanted"] != "FAIL":
        accused = told.verdict == "FAIL"
        fits = told.verdict == "PASS" or (wanted["wanted"] == "not-FAIL" and not accused)
        if wanted.get("judged"):
            tensors = [t["judged"] for s in told.subjects for t in s["tensors"]]
            fits = fits and bool(tensors) and all(tensors)
        if wanted.get("told"):
            fits = fits and told.says(wanted["told"])
        return Row(*about, as_wanted=fits, accused=accused, why=reason(told))
    accused_tensors = told.accused_tensors
    tensor = is_told(wanted["tensors"], accused_tensors) or (bool(wanted.get("raises")) and not accused_tensors)
    line = any(told.tells_line(number) for number in (wanted["line"], *wanted.get("also_lines", ())))
    fits = told.verdict == "FAIL" and tensor and (line or wanted.get("raises") is not True)
    passed = told.verdict == "PASS" or (told.verdict == "not mentioned" and told.code == 0)
    return Row(*about, fits, passed=passed, tensor=tensor and told.verdict == "FAIL", line=line, why=reason(told))


def reason(told: Told) -> str:
    """The first thing that the report says of it."""
    said = [s["reason"] or "" for s in told.subjects] + [f["headline"] for f in told.findings]
    return next((text.splitlines()[0] for text in said if text), "")


def examine(command: str, folder: Path, entry: Subject) -> list[Row]:
    """Check one file, and compare each of its subjects with the manifest."""
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.json"
        words = [command, entry["file"], "--json", str(report)]
        try:
            ran = subprocess.run(
                words, cwd=folder, env={**os.environ, **one_thread}, capture_output=True, timeout=SECONDS
            )
            code: int | None = ran.returncode
            found = json.loads(report.read_text(encoding="utf-8"))["subjects"]
        except (subprocess.TimeoutExpired, OSError, ValueError):
            code, found = None, []
    rows: list[Row] = []
    matched = matches(entry["subjects"], found)
    for wanted in entry["subjects"]:
        mine = matched[wanted["name"]]
        rows.append(judged(entry, wanted, Told(mine, code, [f for s in mine for f in s["findings"]])))
    known = {id(subject) for mine in matched.values() for subject in mine}
    others = [s for s in found if s["verdict"] == "FAIL" and id(s) not in known]
    about = (entry["file"], entry["class"])
    return rows + [Row(*about, s["name"], "nothing", "FAIL", as_wanted=False, accused=True) for s in others]


def matches(wanted: Sequence[Subject], found: Sequence[Subject]) -> dict[str, list[Subject]]:
    """The subjects of the report by those of the manifest: of the same name, else of one that begins so."""
    result: dict[str, list[Subject]] = {}
    called = {one["name"]: [one["name"], *one.get("also_called", ())] for one in wanted}
    for name, mine in called.items():
        same = [s for s in found if {s["name"], s["location"].split("::")[-1]} & set(mine)]
        own = [s for s in same if name in (s["name"], s["location"].split("::")[-1])]
        result[name] = own or same
    taken = {id(subject) for mine in result.values() for subject in mine}
    for name, mine in called.items():
        begins = tuple(word + mark for word in mine for mark in "_.@ ([,/")
        result[name] = result[name] or [s for s in found if id(s) not in taken and s["name"].startswith(begins)]
    return result


def table(rows: Sequence[Row]) -> Iterator[str]:
    """A line for each class, and one for all."""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "| --- | " + " | ".join(["---:"] * (len(COLUMNS) - 1)) + " |"
    for kind in [*sorted({row.kind for row in rows}), None]:
        mine = [row for row in rows if kind in (row.kind, None)]
        wrong = [row for row in mine if row.wanted == "FAIL"]
        cells = [
            "all" if kind is None else kind,
            sum(row.wanted != "nothing" for row in mine),
            sum(row.as_wanted for row in mine),
            sum(row.accused for row in mine),
            sum(row.passed for row in mine),
            sum(row.not_judged for row in mine),
            f"{sum(row.tensor for row in wrong)} of {len(wrong)}",
            f"{sum(row.line for row in wrong)} of {len(wrong)}",
        ]
        yield f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    """Check every file, and print what is not as wanted and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--command", default="gradproof", metavar="PATH")
    parser.add_argument("--only", default="", metavar="TEXT", help="only files whose path holds TEXT")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="files at a time")
    parser.add_argument("--json", type=Path, metavar="OUT.json")
    given = parser.parse_args()
    entries = json.loads((given.folder / "manifest.json").read_text(encoding="utf-8"))["entries"]
    entries = [entry for entry in entries if given.only in entry["file"]]
    command = shutil.which(given.command)
    if command is None:
        parser.error(f"expected a command, got --command {given.command!r}, which is not found")
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(given.jobs) as pool:
        copy = Path(shutil.copytree(given.folder, Path(place) / given.folder.resolve().name))
        results = pool.map(lambda entry: examine(str(Path(command).resolve()), copy, entry), entries)
        rows = [row for found in results for row in found]
    for row in rows:
        if not row.as_wanted:
            print(f"- {row.file}::{row.name}: wanted {row.wanted}, got {row.got}; {row.why[:140]}")
    print("\n".join(["", *table(rows)]))
    if given.json is not None:
        given.json.write_text(json.dumps([vars(row) for row in rows], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
