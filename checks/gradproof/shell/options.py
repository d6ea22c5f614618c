"""The command line's own grammar: what may be asked of ``gradproof``; it runs nothing."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

from gradproof import __version__
from gradproof.deadlines import SECONDS, SHARE
from gradproof.report.formats import FORMATS

_EPILOG = """\
gradproof explain CODE tells what the code of a finding means, such as GP102; without a
CODE it lists them all. A file or folder of that name is ./explain.

exit codes:
  0    everything passes
  1    a fault was found
  2    wrong usage, or a PATH that cannot be read (the other PATHs are checked)
  3    no fault, but something could not be judged
  130  interrupted with Ctrl-C (what was found so far is printed)
"""


def parser() -> argparse.ArgumentParser:
    """The options of a run."""
    made = argparse.ArgumentParser(
        prog="gradproof",
        description="Check hand-written backward passes against numeric gradients, and name what is wrong.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="a .py file, a notebook, FILE::name, or a folder, which stands for the files below it that define a layer "
        "(default: the check_*.py below this folder)",
    )
    made.add_argument(
        "--examples",
        type=_integer(1),
        metavar="N",
        help="random examples per subject (default: the Case's own setting)",
    )
    made.add_argument(
        "--seed", type=_integer(0), metavar="N", help="seed of every random draw (default: the Case's own setting)"
    )
    made.add_argument(
        "--timeout",
        type=_seconds,
        metavar="SECONDS",
        help="time for one subject, and for the import of one file; a single call of forward or backward, or a single "
        f"statement of the file, may take 1/{SHARE} of it (default: the Case's own setting, {SECONDS:g})",
    )
    made.add_argument(
        "--infer", action="store_true", help="only print the Cases that were inferred, as the source of a check file"
    )
    for each in FORMATS:
        about = f"write the report as {each.title}; '-' is the standard output"
        made.add_argument(f"--{each.option}", type=_target(each.title), metavar="FILE", help=about)
    made.add_argument("--version", action="version", version=f"gradproof {__version__}")
    return made


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


def _seconds(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not (number > 0 and math.isfinite(number)):
        raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, got {value!r}")
    return number


def _target(title: str) -> Callable[[str], str]:
    """The file, once it is known that it can be written: hours of work must not end in a refusal."""

    def target(value: str) -> str:
        path = Path(value)
        if path.suffix in (".py", ".ipynb"):
            raise argparse.ArgumentTypeError(
                f"expected a file to write {title} to, got {value!r}, which is source code"
            )
        if value != "-":
            try:
                path.open("a").close()
            except OSError as error:
                raise argparse.ArgumentTypeError(f"cannot write {value!r}: {error.strerror}") from None
        return value

    return target
