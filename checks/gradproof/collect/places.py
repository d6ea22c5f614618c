"""Where the modules that a file imports may lie: beside it, above it, in src, in its project. It imports none."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

UPWARDS = 6  # folders above a file in which a module that it imports is looked for
SOURCES = ("src", "lib")  # folders in which a project keeps its modules
# what lies in the topmost folder of a project, below which every folder is the author's
_MARKS = (".git", ".hg", "pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "environment.yml")


@dataclass(frozen=True)
class Place:
    """From where a file is imported: how many folders above it are its packages, and what else sys.path must hold.

    from_above: whether the folder of its packages comes before its own, where ``model/model.py`` hides ``model``.
    """

    depth: int
    roots: tuple[Path, ...] = ()
    from_above: bool = False

    def own_folders(self, file: Path) -> list[Path]:
        """The folders in which the file finds modules of its author, in order; the last is where the user stands."""
        parents = file.resolve().parents
        beside, above = parents[0], parents[self.depth]
        near = [above, beside, *self.roots] if self.from_above else [beside, *self.roots, above]
        return [*near, Path.cwd()]


def shown(file: Path) -> str:
    """The file as the user would type it: relative to where they stand, where it lies below that."""
    path, here = file.resolve(), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def packages(file: Path) -> list[Path]:
    """The folders above ``file`` that are packages, the outermost first."""
    found: list[Path] = []
    folder = file.resolve().parent
    while (folder / "__init__.py").is_file():
        found.insert(0, folder)
        folder = folder.parent
    return found


def unhidden(error: ModuleNotFoundError, place: Place) -> Place | None:
    """The place from which a package is found that a module of the same name, beside the file, has hidden."""
    hides = "is not a package" in str(error) and place.depth > 0 and not place.from_above
    return replace(place, from_above=True) if hides else None


def deeper(file: Path, place: Place) -> Place | None:
    """The place with one more folder as a package, for a relative import that led out of the packages."""
    most = min(UPWARDS, len(file.resolve().parents) - 1)
    return replace(place, depth=place.depth + 1) if place.depth < most else None


def root_of(module: str, file: Path, place: Place, path: Sequence[str]) -> Path | None:
    """One more folder in which a module of that dotted name lies, which was not found; None where there is none near.

    ``path`` is sys.path as the author's code left it: "../lib" is meant from the folder of the file, or from one above
    it in which the author stands when it runs.
    """
    parts = module.split(".")
    for folder in dict.fromkeys(_near(file.resolve(), path)):
        if folder in place.roots:
            continue
        target = folder.joinpath(*parts)
        if target.is_dir() or target.with_suffix(".py").is_file():
            return folder
    return None


def _near(file: Path, path: Sequence[str]) -> Iterator[Path]:
    above = file.parents[:UPWARDS]
    relative = [entry for entry in path if entry and not Path(entry).is_absolute()]
    yield from (folder.joinpath(entry).resolve() for folder, entry in itertools.product(above, relative))
    yield from above
    yield from (folder / name for folder, name in itertools.product(above, SOURCES))
    for folder in _within_project(above):
        yield from sorted(child for child in folder.iterdir() if _holds_sources(child))


def _within_project(above: Sequence[Path]) -> Sequence[Path]:
    """The folders up to the one in which the project begins; none where nothing shows which one that is."""
    for number, folder in enumerate(above):
        if any((folder / mark).exists() for mark in _MARKS):
            return above[: number + 1]
    return ()


def _holds_sources(folder: Path) -> bool:
    return folder.is_dir() and not folder.name.startswith((".", "__")) and not (folder / "pyvenv.cfg").exists()
