"""Finds what a path on the command line holds: Cases, and layers without one; it checks nothing itself."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from gradproof.case import Case
from gradproof.errors import UsageError
from gradproof.infer import infer, subjects
from gradproof.load import PATTERN, Source, is_check_file, load, shown

_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})


@dataclass(frozen=True, eq=False)
class Item:
    """One thing to check: its Case, or, where there is none, the sentence that says why."""

    name: str
    location: str  # "layers.py::Affine", as the command line takes it
    source: Source
    case: Case | None
    problem: str | None = None
    inferred: bool = False


def files(path: str) -> list[tuple[Path, str | None]]:
    """The files that ``path`` stands for, each with the name that is selected in it (None: all).

    ``path`` is a .py file, ``FILE.py::name``, or a folder, which stands for each check_*.py below it that mentions
    gradproof. Raises UsageError where there is nothing of the kind.
    """
    text, separator, name = path.partition("::")
    found = Path(text)
    if separator and not name:
        raise UsageError(f"expected a name behind '::', got {path!r}: leave '::' out to check the whole file")
    if found.is_dir():
        if separator:
            raise UsageError(f"expected FILE.py::name, got {path!r}, where {text!r} is a folder: name a file in it")
        return [(file, None) for file in _in_folder(found)]
    if not found.exists():
        raise UsageError(f"expected a .py file or a folder, got {text!r}: there is no such file{_similar(found)}")
    if found.suffix == ".ipynb":
        raise UsageError(f"{text}: notebooks are not supported yet: export the cells to a .py file and name that")
    if found.suffix != ".py":
        raise UsageError(f"expected a .py file or a folder, got {text!r}: only Python source can be loaded")
    return [(found, name or None)]


def named_cases(module: ModuleType) -> dict[str, Case]:
    """The module-level Cases in their order, each under the first name that it was given."""
    named: dict[int, tuple[str, Case]] = {}
    for name, value in vars(module).items():
        if isinstance(value, Case):
            named.setdefault(id(value), (name, value))
    return dict(named.values())


def items(file: Path, name: str | None) -> list[Item]:
    """The Cases of a file and its classes that no Case covers; of these only ``name``, where it is given.

    The name of a covered class selects its Cases. Raises UsageError where the file cannot be read, parsed or imported,
    or where it holds nothing to check, or nothing called ``name``.
    """
    source = load(file)
    cases = [Item(key, f"{shown(file)}::{key}", source, case) for key, case in named_cases(source.module).items()]
    covered = {id(item.case.subject) for item in cases if item.case is not None}
    classes = subjects(source.module)
    found = cases + [_inferred(cls, source) for cls in classes if id(cls) not in covered]
    if not found:
        raise UsageError(
            f"{shown(file)}: nothing to check: expected a Case, or a class with forward and backward; "
            'declare one, as in affine = Case(Affine, W="d h", b="h", x="n d")'
        )
    if name is None:
        return found
    selected = [item for item in found if name in (item.name, _subject_name(item))]
    if not selected:
        raise UsageError(f"{shown(file)} has no {name!r}: it has {', '.join(item.name for item in found)}")
    return selected


def _inferred(cls: type, source: Source) -> Item:
    case, location = infer(cls), f"{shown(source.file)}::{cls.__name__}"
    if isinstance(case, str):
        return Item(cls.__name__, location, source, None, problem=case)
    return Item(cls.__name__, location, source, case, inferred=True)


def _subject_name(item: Item) -> str | None:
    return None if item.case is None else getattr(item.case.subject, "__name__", None)


def _in_folder(folder: Path) -> list[Path]:
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        folders[:] = sorted(name for name in folders if not _is_skipped(here / name))
        found += [here / name for name in sorted(names) if is_check_file(here / name)]
    if not found:
        raise UsageError(
            f"nothing to check in the folder {str(folder)!r}: expected a {PATTERN} that mentions gradproof; "
            "declare Cases in one, or name a .py file"
        )
    return found


def _is_skipped(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in _SKIPPED or (folder / "pyvenv.cfg").exists()


def _similar(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    names = [entry.name for entry in path.parent.iterdir() if entry.suffix == ".py"]
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {str(path.parent / close[0])!r}?" if close else ""
