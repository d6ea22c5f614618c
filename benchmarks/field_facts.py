"""Checks backward passes of public repositories, of which it is known whether they are right.

    python benchmarks/field_facts.py FACTS.json FOLDER --json OUT.json [--cases FILE.py] [--verdict right] [--most N]

FACTS.json holds items: a repository, commit and path, the functions (or the class) there, and the verdict that central
differences gave: right, wrong, shape, raises or convention (a rule of the course, wrong by the definition). FOLDER
holds their git directories, as OWNER+NAME/repo. Each item is cut out of its file with all that it calls, at its own
line numbers, into a temporary folder, and checked there by the command: with nothing declared, or with the Case that
FILE.py declares for it, by a function ``case_file(item, source)`` that returns the text of a file which imports the
item's functions from ``layer`` and declares Cases. OUT.json is continued: a run may end early.
What runs is foreign code: use a machine that may be spoilt.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.util
import json
import os
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from applied_edits import applied, first_edits

SECONDS = 150  # for one item, a safety net: a search that does not end is told as "no report"
MODULES = frozenset({"copy", "functools", "itertools", "math", "numpy", "random"})  # imports that are kept
OLD_NAMES = re.compile(r"\bnp\.(bool|int|float|object)\b(?!_|\d)")  # removed from NumPy
OLD_PRINT = re.compile(r"^(\s*)print\s+(?!\()(.*)$", re.MULTILINE)  # a statement of Python 2
FAULTS = ("wrong", "shape", "raises")
Record = dict[str, Any]
Checked = Callable[[str], Record]  # from the text of a file to what the command says of it


def git_directory(folder: Path, repository: str) -> Path:
    """Where the git directory of a repository lies; some are the ``.git`` of a clone."""
    bare = folder / repository.replace("/", "+", 1) / "repo"
    inner = bare / ".git"
    return inner if inner.is_dir() else bare


def text_at(folder: Path, item: Record, path: str) -> str:
    """The text of a file at the item's commit. Raises CalledProcessError where git does not have it."""
    command = ["git", "-C", str(git_directory(folder, item["repo"])), "show", f"{item['commit']}:{path}"]
    shown = subprocess.run(command, capture_output=True, check=True)
    return modern(shown.stdout.decode("utf-8", "replace"))


def modern(text: str) -> str:
    """The text as today's Python and NumPy read it, line for line."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "").expandtabs(4)
    text = OLD_NAMES.sub(r"\1", text)
    try:
        ast.parse(text)
    except SyntaxError:
        text = OLD_PRINT.sub(r"\1pass", text)
    return text


def cut_out(text: str, roots: Sequence[str]) -> str:
    """The definitions that the roots need, at their own lines; all else is blank. Raises SyntaxError."""
    tree = ast.parse(text)
    defined = {node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    needed: dict[str, ast.stmt] = {}
    queue = list(roots)
    while queue:
        name = queue.pop()
        node = defined.get(name) or assigned(tree).get(name)
        if node is not None and name not in needed:
            needed[name] = node
            queue += names_in(node)
    lines = {number for node in needed.values() for number in lines_of(node)}
    kept = [line if number in lines else "" for number, line in enumerate(text.split("\n"), 1)]
    heading = "; ".join(dict.fromkeys(["import numpy as np", "xrange = range", *imports(tree)]))
    kept[0] = f"{heading}; {kept[0]}" if kept[0] else heading
    return "\n".join(kept).rstrip("\n") + "\n"


def assigned(tree: ast.Module) -> dict[str, ast.stmt]:
    """The assignments at module level, by the names that they bind."""
    found: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            found |= {name: node for target in node.targets for name in names_in(target)}
    return found


def names_in(node: ast.AST) -> list[str]:
    """All names in a syntax tree."""
    return [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]


def lines_of(node: ast.stmt) -> range:
    """The lines of a statement, its decorators included."""
    first = min([node.lineno, *(part.lineno for part in getattr(node, "decorator_list", []))])
    return range(first, (node.end_lineno or node.lineno) + 1)


def imports(tree: ast.Module) -> Iterator[str]:
    """The imports of the standard library's and of NumPy, as source."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module in MODULES:
            yield ast.unparse(node)
        if isinstance(node, ast.Import):
            known = (name for name in node.names if name.name.partition(".")[0] in MODULES)
            yield from (ast.unparse(ast.Import([name])) for name in known)


def with_helpers(text: str, sources: Sequence[str]) -> str:
    """The text, and behind it the functions of other files that it calls."""
    have = {node.name for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    queue = names_in(ast.parse(text))
    elsewhere = {
        node.name: ast.get_source_segment(source, node) or ""
        for source in sources
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
    }
    while queue:
        name = queue.pop()
        if name in elsewhere and name not in have:
            have.add(name)
            text += f"\n\n{elsewhere[name]}\n"
            queue += names_in(ast.parse(elsewhere[name]))
    return text


def declared(path: str) -> Callable[[Record, str], str]:
    """The function of a Python file that declares the Cases of an item."""
    spec = importlib.util.spec_from_file_location("cases", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"expected a Python file that declares Cases, got {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.case_file


def checked(command: str, text: str, cases: str = "") -> Record:
    """What the command says of a file of this text, with its Cases where they are given: its JSON report, shortened."""
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "layer.py").write_text(text, encoding="utf-8")
        Path(folder, "check_layer.py").write_text(cases, encoding="utf-8")
        file = "check_layer.py" if cases else "layer.py"
        words = [command, file, "--json", "report.json", "--timeout", "60"]
        try:
            subprocess.run(words, cwd=folder, env={**os.environ, **one_thread}, capture_output=True, timeout=SECONDS)
            report = json.loads(Path(folder, "report.json").read_text(encoding="utf-8"))
        except (subprocess.TimeoutExpired, OSError, ValueError):
            return {"verdict": "no report", "told": [], "wrong": []}
    subjects = report["subjects"]
    verdicts = [subject["verdict"] for subject in subjects]
    errors = [f for subject in subjects for f in subject["findings"] if f["severity"] == "error"]
    places = [hint for f in errors for hint in f["hints"]]
    places += [each for f in errors for edit in f["edits"] for each in edit["replacements"]]
    traces = [f["traceback"] or "" for f in errors]
    lines = {int(n) for trace in traces for n in re.findall(r"layer\.py\", line (\d+)", trace)}
    lines |= {place["line"] for place in places if place["file"].endswith("layer.py")}
    verdict = next((v for v in ("FAIL", "INCONCLUSIVE", "PASS") if v in verdicts), "not found")
    reasons = [subject["reason"] for subject in subjects if subject["reason"]]
    edits = first_edits(errors, "layer.py")
    return {
        "verdict": verdict,
        "edits": edits,
        "wrong": sorted({name for f in errors for name in (f["tensor"], *f["also"]) if name}),
        "lines": sorted(lines),
        "told": [f["headline"] for f in errors] or reasons,
        "notes": [note for subject in subjects for note in subject["notes"][:1]],
    }


def measure(item: Record, folder: Path, command: str, cases: Callable[[Record, str], str] | None) -> Record:
    """The record of one item; "not cut out" where its source cannot be had."""
    about = {key: item.get(key) for key in ("id", "layer", "kind")}
    about |= {"known": item["verdict"], "their lines": item.get("lines") or []}
    try:
        text = cut_out(text_at(folder, item, item["path"]), item["functions"])
        helpers = [text_at(folder, item, path) for path in item.get("helpers") or ()]
        text = with_helpers(text, helpers)
    except (subprocess.CalledProcessError, SyntaxError):
        return {**about, "verdict": "not cut out", "told": []}
    case = cases(item, text) if cases else ""

    def check(text: str) -> Record:
        return checked(command, text, case)

    found = check(text)
    return {**about, **found, "mended": mended(check, text, found)}


def mended(check: Checked, text: str, found: Record) -> bool | None:
    """Whether the gradients that the changes name are right with these made; None where no change can be made."""
    edits = found.get("edits") or []
    changed = applied(text, edits) if edits else None
    if changed is None:
        return None
    now = check(changed)
    named = {name for edit in edits for name in edit["tensors"]}
    return now["verdict"] == "PASS" or (now["verdict"] == "FAIL" and named.isdisjoint(now["wrong"]))


def table(records: Sequence[Record]) -> Iterator[str]:
    """A row for each known verdict, and a line for each item that is not as it should be."""
    verdicts = ("FAIL", "PASS", "INCONCLUSIVE", "not found", "no report")
    heads = ("known to be", "items", *verdicts, "a told line is theirs", "a change is told", "right with it")
    yield f"| {' | '.join(heads)} |"
    yield f"| --- |{' ---: |' * (len(heads) - 1)}"
    records = [r for r in records if r["verdict"] != "not cut out"]
    for known in (*FAULTS, "convention", "right"):
        mine = [r for r in records if r["known"] == known]
        count = Counter(r["verdict"] for r in mine)
        told = [r for r in mine if r["verdict"] == "FAIL" and r["their lines"]]
        hits = sum(bool(set(r["lines"]) & set(r["their lines"])) for r in told)
        figures = (count[v] for v in verdicts)
        changes = [r for r in mine if r.get("edits")]
        tried = [r["mended"] for r in changes if r["mended"] is not None]
        right = f"{len(changes)} | {sum(tried)} of {len(tried)}"
        yield f"| {known} | {len(mine)} | {' | '.join(map(str, figures))} | {hits} of {len(told)} | {right} |"
    yield ""
    for record in records:
        accused = record["known"] == "right" and record["verdict"] == "FAIL"
        missed = record["known"] in FAULTS and record["verdict"] != "FAIL"
        if accused or missed:
            why = (record["told"] or [""])[0][:140]
            yield f"- {record['id']} ({record['known']}): {record['verdict']}; {record['kind'] or ''}; {why}"


def main() -> None:
    """Measure what is not measured yet, and print the table of all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("facts", type=Path, metavar="FACTS.json")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--json", type=Path, required=True, metavar="OUT.json")
    parser.add_argument(
        "--cases", type=lambda path: declared(Path(path)), metavar="FILE.py", help="declares the Case of each item"
    )
    parser.add_argument("--verdict", default=",".join(FAULTS), help="which known verdicts, by commas")
    parser.add_argument("--most", type=int, default=10_000, metavar="N", help="of each known verdict")
    parser.add_argument("--command", default="gradproof")
    given = parser.parse_args()
    items = json.loads(given.facts.read_text(encoding="utf-8"))["items"]
    items.sort(key=lambda item: hashlib.sha1(item["id"].encode()).hexdigest())  # a sample, the same each time
    records: list[Record] = json.loads(given.json.read_text()) if given.json.exists() else []
    done = {record["id"] for record in records}
    for known in given.verdict.split(","):
        mine = [item for item in items if item["verdict"] == known]
        mine = [item for item in mine if git_directory(given.folder, item["repo"]).is_dir()][: given.most]
        for item in mine:
            if item["id"] not in done:
                records.append(measure(item, given.folder, given.command, given.cases))
                given.json.write_text(json.dumps(records, indent=1), encoding="utf-8")
    print("\n".join(table(records)))


if __name__ == "__main__":
    main()
