"""The files that a path on the command line stands for; it loads and runs none of them."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from gradproof.collect import cells, scan
from gradproof.collect.checkfile import PATTERN, is_check_file
from gradproof.errors import UsageError

SUFFIXES = (".py", ".ipynb")
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})
# files that define no layers of their own, and do things when they are executed
_NEVER = ("setup.py", "conftest.py", "__main__.py", "test_*.py", "*_test.py")


def files(path: str) -> list[tuple[Path, str | None]]:
    """The files that ``path`` stands for, each with the name that is selected in it (None: all).

    ``path`` is a .py file or a notebook, ``FILE::name``, or a folder. A folder stands for every check_*.py below it
    that mentions gradproof, and for every file and notebook whose source defines a class with forward and backward, a
    pair of functions, or a loss. Raises UsageError where there is nothing of the kind.
    """
    text, separator, name = path.partition("::")
    found = Path(text)
    if separator and not name:
        raise UsageError(f"expected a name behind '::', got {path!r}: leave '::' out to check the whole file")
    if found.is_dir():
        if separator:
            raise UsageError(f"expected FILE.py::name, got {path!r}, where {text!r} is a folder: name a file in it")
        return _below(found, lambda file: is_check_file(file) or _holds_subjects(file), "a file that defines a layer")
    if not found.exists():
        raise UsageError(
            f"expected a .py file, a notebook or a folder, got {text!r}: there is no such file{_similar(found)}"
        )
    if not found.is_file():
        raise UsageError(
            f"expected a .py file, a notebook or a folder, got {text!r}: it is none of them but a device or a pipe"
        )
    if found.suffix not in SUFFIXES:
        raise UsageError(f"expected a .py file, a notebook or a folder, got {text!r}: only Python source can be loaded")
    return [(found, name or None)]


def declared_files() -> list[tuple[Path, str | None]]:
    """The check_*.py below the current folder: without a path, nothing is executed that was not made for it."""
    return _below(Path(), is_check_file, f"a {PATTERN} that mentions gradproof")


def _below(folder: Path, wanted: Callable[[Path], bool], what: str) -> list[tuple[Path, str | None]]:
    found = [file for file in _sources(folder) if wanted(file)]
    if not found:
        raise UsageError(
            f"nothing to check in the folder {str(folder)!r}: expected {what}; "
            f"declare Cases in a {PATTERN}, or name a .py file"
        )
    return [(file, None) for file in found]


def _sources(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        folders[:] = sorted(name for name in folders if not _is_skipped(here / name))
        found = (here / name for name in sorted(names) if Path(name).suffix in SUFFIXES)
        yield from (file for file in found if file.is_file())


def _holds_subjects(file: Path) -> bool:
    if any(file.match(pattern) for pattern in _NEVER):
        return False
    try:
        if file.suffix == ".ipynb":
            return any(scan.defines_subjects(cell.source) for cell in cells.read(file))
        return scan.defines_subjects(file.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return True  # it is told when it is loaded: what cannot be read was not judged
    except UsageError:
        return False


def _is_skipped(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in _SKIPPED or (folder / "pyvenv.cfg").exists()


def _similar(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    names = [entry.name for entry in path.parent.iterdir() if entry.suffix in SUFFIXES]
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {str(path.parent / close[0])!r}?" if close else ""
