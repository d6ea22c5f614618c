"""Runs every block of README.md and docs/*.md: code must run, and consoles must print what the page shows.

A fenced block after ``<!-- file: layers.py -->`` is written to that file of the page's own folder. A ``python`` block
is run there. In a ``console`` block each ``$ command`` is run there and must print exactly the lines that follow, but
for seconds and for figures that hang on the last digit of a sum: error bounds, resolutions, counts of forwards.

    python tests/project/test_readme.py

writes what the commands print today into the pages.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

COMMANDS = {
    "gradproof": [sys.executable, "-m", "gradproof"],
    "python": [sys.executable],
    # -p gradproof.plugin: where the tests run uninstalled, no entry point names the plugin
    "pytest": [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "gradproof.plugin"],
}
FENCE = re.compile(r"^```(?P<kind>[^\n`]*)\n(?P<body>.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"<!-- file: (?P<name>[\w./-]+) -->\s*\Z")


@dataclass(frozen=True)
class Block:
    kind: str
    body: str
    line: int  # of the opening fence, counted from 1
    file: str | None


def blocks(text: str) -> list[Block]:
    found: list[Block] = []
    for match in FENCE.finditer(text):
        named = FILE.search(text[: match.start()])
        line = text[: match.start()].count("\n") + 1
        found.append(Block(match["kind"].strip(), match["body"], line, named["name"] if named else None))
    assert text.count("\n```") + text.startswith("```") == 2 * len(found), "a fence is open, indented or too long"
    return found


def run(command: list[str], folder: Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    unlike_a_users = ("PYTEST_", "COV_", "CI", "FORCE_COLOR")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unlike_a_users)}
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(ROOT / "checks"), str(ROOT / "core")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
        "COLUMNS": "80",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def transcript(body: str) -> Iterator[tuple[str, str]]:
    """Each ``$ command`` of a console block with the output shown under it."""
    head, *rest = re.split(r"^\$ ", body, flags=re.MULTILINE)
    assert head.strip() == "", "a console block begins with a line that is not a command"
    for part in rest:
        command, _, output = part.partition("\n")
        yield command.strip(), output


MACHINE = (
    (re.compile(r"\d+(\.\d+)?e-\d+"), "#e-#"),  # a bound or a resolution
    (re.compile(r"[\d,]+(?= forwards\b)"), "#"),
    (re.compile(r"(#e-#|-) +(\d+) +\d+$"), r"\1 \2 #"),  # the end of a row: resolution, kinks, forwards
    (re.compile(r"\d+\.\d+ ?s$"), "# s"),
)


def tidy(output: str) -> list[str]:
    """The lines of a text, without what differs from one machine to the next."""
    lines = [line.rstrip() for line in output.rstrip().splitlines()]
    for pattern, stands_for in MACHINE:
        lines = [pattern.sub(stands_for, line) for line in lines]
    return lines


def printed(command: str, folder: Path) -> str:
    name, *arguments = shlex.split(command)
    assert name in COMMANDS, f"a console block may run {', '.join(COMMANDS)}; installation goes into a sh block"
    return run([*COMMANDS[name], *arguments], folder).stdout


def perform(block: Block, folder: Path) -> None:
    """Do what the block says, in ``folder``; fails where the page promises what does not happen."""
    if block.file is not None:
        target = folder / block.file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(block.body, encoding="utf-8")
    elif block.kind == "python":
        done = run([sys.executable, "-"], folder, block.body)
        assert done.returncode == 0, done.stdout
    elif block.kind == "console":
        for command, expected in transcript(block.body):
            assert tidy(printed(command, folder)) == tidy(expected), f"$ {command}"
    elif block.kind == "json":
        json.loads(block.body)
    elif block.kind == "sh":
        done = subprocess.run(["bash", "-n"], input=block.body, encoding="utf-8", capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    else:
        assert block.kind == "text", f"a block of unknown kind: {block.kind!r}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_the_page_does_what_it_shows(page: Path, tmp_path: Path) -> None:
    for block in blocks(page.read_text(encoding="utf-8")):
        try:
            perform(block, tmp_path)
        except AssertionError as error:
            raise AssertionError(f"{page.name}, block at line {block.line}: {error}") from None


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_every_relative_link_of_the_page_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_readme_installs_as_ci_does() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for page, venv in ((readme, ".venv"), (script.replace("--clear ", ""), '"$venv"')):
        assert f"-m venv --without-pip {venv}" in page
        assert f'-m pip --python {venv} install -q -e ".[test]"' in page


PAGE = """Text.

<!-- file: hello.py -->
```python
NAME = "you"
```

```python
from hello import NAME
assert NAME == "you"
```

```console
$ python -c "from hello import NAME; print('hello', NAME)"
hello you
$ python -c "print()"
```
"""


TABLE = """
```console
$ python -c "print('x   PASS   3/3   7e-12   0   4096')"
x   PASS   3/3   5e-12   0   4098
```
"""


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        pytest.param(PAGE, None, id="right"),
        pytest.param(PAGE.replace("hello you\n", "hello You\n"), "hello You", id="wrong output"),
        pytest.param(PAGE.replace("hello you\n", ""), "hello you", id="output left out"),
        pytest.param(TABLE.replace("3/3   5e-12", "2/3   5e-12"), "2/3", id="wrong count"),
        pytest.param(TABLE.replace("7e-12", "2e-11").replace("4096", "12"), None, id="other last digits"),
        pytest.param(PAGE.replace('== "you"', '== "me"'), "AssertionError", id="code that fails"),
        pytest.param(PAGE.replace("hello.py", "other.py"), "ModuleNotFoundError", id="file of another name"),
        pytest.param(PAGE.replace("```console", "```cosnole"), "unknown kind", id="unknown kind"),
        pytest.param(PAGE.replace("```console", "```"), "unknown kind", id="no kind"),
        pytest.param(PAGE.replace('$ python -c "print()"', "$ rm x"), "may run", id="unknown command"),
        pytest.param(PAGE + "```json\n{,}\n```\n", "Expecting", id="broken json"),
        pytest.param(PAGE + "```python\n", "fence", id="open fence"),
    ],
)
def test_a_page_that_lies_is_caught(page: str, complaint: str | None, tmp_path: Path) -> None:
    def read() -> None:
        for block in blocks(page):
            perform(block, tmp_path)

    if complaint is None:
        read()
        return
    with pytest.raises((AssertionError, json.JSONDecodeError), match=complaint):
        read()


def refreshed(text: str, folder: Path) -> str:
    """The page with what its commands print now."""
    for block in blocks(text):
        if block.kind == "console":
            outputs = [f"$ {command}\n{printed(command, folder)}" for command, _ in transcript(block.body)]
            text = text.replace(block.body, "".join(outputs))
        else:
            perform(block, folder)
    return text


if __name__ == "__main__":
    for page in PAGES:
        with tempfile.TemporaryDirectory() as folder:
            page.write_text(refreshed(page.read_text(encoding="utf-8"), Path(folder)), encoding="utf-8")
