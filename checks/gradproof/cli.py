"""The command ``gradproof``: paths in, text, JSON and an exit code out; it neither measures nor judges."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from gradproof import __version__
from gradproof.collect.collect import Item, holding, settled, uncovered
from gradproof.collect.load import importable
from gradproof.collect.paths import declared_files, files
from gradproof.deadlines import SECONDS
from gradproof.errors import UsageError
from gradproof.findings import Finding, SubjectReport
from gradproof.report.code_pages import explain, listing
from gradproof.report.formats import FORMATS, Format
from gradproof.report.report import Report
from gradproof.sandbox.memory import bounded
from gradproof.sandbox.streams import aside
from gradproof.sandbox.surroundings import restored
from gradproof.shell.declarations import check_file
from gradproof.shell.options import parser
from gradproof.shell.runner import Options, check_item

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
PIPE_CLOSED = 141  # 128 + SIGPIPE
T = TypeVar("T")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; ``arguments`` defaults to those of the process."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks "±" must not cost the report
    try:
        if words[:1] == ["explain"]:
            return _explain(words[1:])
        options = parser().parse_args(words)
        formats = _formats(options)
        if options.infer and formats:
            parser().error(f"argument --infer: it prints source, not a report: leave --{formats[0][0].option} out")
        return _run(options)
    except BrokenPipeError:
        # The reader is gone; without this, Python's own flush at exit would fail on the pipe once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _explain(words: Sequence[str]) -> int:
    try:
        if len(words) > 1:
            raise UsageError(f"explain: expected one code, got {' '.join(words)}; write gradproof explain GP102")
        print(explain(words[0]) if words else listing(), flush=True)
    except UsageError as error:
        print(f"gradproof: error: {error}", file=sys.stderr)
        return 2
    return 0


def _run(options: argparse.Namespace) -> int:
    checked: list[SubjectReport] = []
    notes: list[Finding] = []
    found: list[Item] = []
    interrupted, errors = False, list[str]()
    # What the user's code prints must not end up between the lines of the report, or inside the JSON.
    with aside():
        try:
            _collect(options, found, notes, errors)
            if options.infer:
                found = _each(found, errors, _settled)
            else:
                asked = Options(options.examples, options.seed, options.timeout)
                _each(found, errors, lambda item: check_item(item, asked, checked))
        except KeyboardInterrupt:
            interrupted = True
    if options.infer:
        return _write_cases(found, errors, interrupted=interrupted)
    report = Report(
        tuple(checked), options.seed, options.examples, __version__, interrupted, tuple(errors), tuple(notes)
    )
    _write(report, _formats(options))
    return INTERRUPTED if interrupted else report.exit_code


def _collect(options: argparse.Namespace, found: list[Item], notes: list[Finding], errors: list[str]) -> None:
    """Add the items of all paths, each once; what is wrong with a path is told at once and added to ``errors``."""
    seconds = SECONDS if options.timeout is None else options.timeout
    items: dict[str, Item] = {}
    for file, name in _chosen(options.paths, errors):
        try:
            with bounded():
                held = holding(file, name, seconds)
        except UsageError as error:
            _tell(str(error), errors)
            continue
        items |= {item.location: item for item in held.items if item.location not in items}
        notes += [note for note in held.notes if note not in notes]
    found += uncovered(list(items.values()))


def _chosen(paths: Sequence[str], errors: list[str]) -> list[tuple[Path, str | None]]:
    """The files of all paths, each once, with the name that is asked for; the check files where no path is given."""
    chosen: dict[tuple[Path, str | None], None] = {}
    asked: Sequence[str | None] = paths or [None]
    for path in asked:
        try:
            chosen |= dict.fromkeys(declared_files() if path is None else files(path))
        except UsageError as error:
            _tell(str(error), errors)
    return list(chosen)


def _settled(item: Item) -> Item:
    with importable(item.source), restored(), bounded():
        return settled(item)


def _write_cases(found: Sequence[Item], errors: Sequence[str], *, interrupted: bool) -> int:
    """Print the declarations, and return the exit code."""
    if found:
        print(check_file(found), flush=True)
    if interrupted:
        return INTERRUPTED
    if errors:
        return 2
    is_complete = bool(found) and all(item.case is not None for item in found)
    return 0 if is_complete else 3


def _tell(error: str, errors: list[str]) -> None:
    errors.append(error)
    print(f"gradproof: error: {error}", file=sys.stderr)


def _each(found: Sequence[Item], errors: list[str], work: Callable[[Item], T]) -> list[T]:
    """Do ``work`` on one item after the other, with a bar on the standard error where that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    done: list[T] = []
    # without a terminal the bar is not even started: older versions of rich end a disabled one with a blank line
    with bar if console.is_terminal else contextlib.nullcontext():
        task = bar.add_task("", total=len(found))
        for item in found:
            bar.update(task, description=item.name)
            try:
                done.append(work(item))
            except UsageError as error:
                _tell(f"{item.location}: {error}", errors)
            bar.advance(task)
    return done


def _formats(options: argparse.Namespace) -> list[tuple[Format, str]]:
    """The formats that are asked for, each with its file."""
    targets = [(each, getattr(options, each.option)) for each in FORMATS]
    return [(each, target) for each, target in targets if target is not None]


def _write(report: Report, formats: Sequence[tuple[Format, str]]) -> None:
    """Write each format to its file, and the text to the terminal."""
    for each, target in formats:
        if target == "-":
            print(each.written(report), flush=True)
        else:
            Path(target).write_text(each.written(report) + "\n", encoding="utf-8")
    is_output_taken = any(target == "-" for _, target in formats)
    _show(str(report), sys.stderr if is_output_taken else sys.stdout)


def _show(text: str, stream: TextIO) -> None:
    coloured = Text(text)
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
