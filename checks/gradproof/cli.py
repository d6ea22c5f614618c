"""The command ``gradproof``: paths in, text, JSON and an exit code out; it neither measures nor judges."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from gradproof import __version__
from gradproof.check import check_case
from gradproof.collect import Item, files, items
from gradproof.errors import UsageError
from gradproof.infer import judged
from gradproof.load import importable
from gradproof.report import Report
from gradproof.values import SubjectReport, Verdict

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
PIPE_CLOSED = 141  # 128 + SIGPIPE
_EPILOG = """\
exit codes:
  0    everything passes
  1    a fault was found
  2    wrong usage, or a PATH that cannot be read (the other PATHs are checked)
  3    no fault, but something could not be judged
  130  interrupted with Ctrl-C (what was found so far is printed)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; ``arguments`` defaults to those of the process."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks "±" must not cost the report
    try:
        return _run(options)
    except BrokenPipeError:
        # The reader is gone; without this, Python's own flush at exit would fail on the pipe once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gradproof",
        description="Check hand-written backward passes against numeric gradients, and name what is wrong.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="a .py file, FILE.py::name, or a folder, which stands for the check_*.py below it (default: this folder)",
    )
    parser.add_argument(
        "--examples",
        type=_integer(1),
        metavar="N",
        help="random examples per subject (default: the Case's own setting)",
    )
    parser.add_argument(
        "--seed", type=_integer(0), metavar="N", help="seed of every random draw (default: the Case's own setting)"
    )
    parser.add_argument(
        "--json", type=_json_target, metavar="FILE", help="write the report as JSON; '-' is the standard output"
    )
    parser.add_argument("--version", action="version", version=f"gradproof {__version__}")
    return parser


def _integer(least: int) -> Callable[[str], int]:
    def integer(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(f"expected an integer >= {least}, got {value!r}")
        return number

    return integer


def _json_target(value: str) -> str:
    """The file, once it is known that it can be written: hours of work must not end in a refusal."""
    path = Path(value)
    if path.suffix in (".py", ".ipynb"):
        raise argparse.ArgumentTypeError(f"expected a file to write JSON to, got {value!r}, which is source code")
    if value != "-":
        try:
            path.open("a").close()
        except OSError as error:
            raise argparse.ArgumentTypeError(f"cannot write {value!r}: {error.strerror}") from None
    return value


def _run(options: argparse.Namespace) -> int:
    checked: list[SubjectReport] = []
    interrupted, errors = False, list[str]()
    # What the user's code prints must not end up between the lines of the report, or inside the JSON.
    with contextlib.redirect_stdout(sys.stderr):
        try:
            _check_all(_collect(options.paths or ["."], errors), options, checked, errors)
        except KeyboardInterrupt:
            interrupted = True
    report = Report(tuple(checked), options.seed, options.examples, __version__, interrupted, tuple(errors))
    _write(report, options.json)
    return INTERRUPTED if interrupted else report.exit_code


def _collect(paths: Sequence[str], errors: list[str]) -> list[Item]:
    """The items of all paths, each once; what is wrong with a path is told at once and added to ``errors``."""
    found: dict[str, Item] = {}
    for path in paths:
        try:
            for file, name in files(path):
                try:
                    found |= {item.location: item for item in items(file, name) if item.location not in found}
                except UsageError as error:
                    _tell(str(error), errors)
        except UsageError as error:
            _tell(str(error), errors)
    return list(found.values())


def _tell(error: str, errors: list[str]) -> None:
    errors.append(error)
    print(f"gradproof: error: {error}", file=sys.stderr)


def _check_all(
    found: Sequence[Item], options: argparse.Namespace, checked: list[SubjectReport], errors: list[str]
) -> None:
    """Check one item after the other, with a bar on the standard error where that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    # without a terminal the bar is not even started: older versions of rich end a disabled one with a blank line
    with bar if console.is_terminal else contextlib.nullcontext():
        task = bar.add_task("", total=len(found))
        for item in found:
            bar.update(task, description=item.name)
            try:
                _check(item, options, checked)
            except UsageError as error:
                _tell(f"{item.location}: {error}", errors)
            bar.advance(task)


def _check(item: Item, options: argparse.Namespace, checked: list[SubjectReport]) -> None:
    """Append the report of one item to ``checked``, also where an interrupt leaves it partial."""
    if item.case is None:
        checked.append(_unchecked(item, options.seed))
        return
    partial: list[SubjectReport] = []
    try:
        with importable(item.source):
            whole = check_case(
                item.case, location=item.location, examples=options.examples, seed=options.seed, into=partial
            )
        partial = [whole]
    finally:
        checked += [judged(part, item.case) if item.inferred else part for part in partial]


def _unchecked(item: Item, seed: int | None) -> SubjectReport:
    return SubjectReport(
        name=item.name,
        location=item.location,
        verdict=Verdict.INCONCLUSIVE,
        tensors=(),
        findings=(),
        examples=0,
        forwards=0,
        seed=0 if seed is None else seed,
        seconds=0.0,
        reason=item.problem,
    )


def _write(report: Report, target: str | None) -> None:
    if target == "-":
        print(report.to_json(), flush=True)
    elif target is not None:
        Path(target).write_text(report.to_json() + "\n", encoding="utf-8")
    _show(str(report), sys.stderr if target == "-" else sys.stdout)


def _show(told: str, stream: TextIO) -> None:
    coloured = Text(told)
    coloured.highlight_regex(r"\bPASS\b", "green")
    coloured.highlight_regex(r"\bFAIL\b", "bold red")
    coloured.highlight_regex(r"\bINCONCLUSIVE\b", "yellow")
    coloured.highlight_regex(r"(?m)^\S.*\bGP\d+ [\w-]+$", "bold")
    console = Console(file=stream, highlight=False, soft_wrap=True)
    with console.capture() as captured:
        console.print(coloured)
    # Written here, because rich answers a closed pipe with exit code 1, which means a fault.
    stream.write(captured.get())
    stream.flush()
