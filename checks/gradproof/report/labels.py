"""The names of subjects in a report: with their file, where several files were checked; it knows strings only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePath


def file_of(location: str) -> str:
    """The file of a location such as "src/layers.py::Affine"; the empty string where it names none."""
    file, separator, _ = location.rpartition("::")
    return file if separator else ""


def row_name(location: str) -> str:
    """The name of its Case, as one class may have several; the location ends with it."""
    return location.rpartition("::")[2]


def labels(locations: Sequence[str]) -> list[str]:
    """What to call the subject at each location: "Affine", or "ann/layers.py::Affine" where there are several files."""
    files = prefixes(locations)
    return [f"{files[file_of(location)]}{row_name(location)}" for location in locations]


def prefixes(locations: Sequence[str]) -> dict[str, str]:
    """What to write before a name, by its file: nothing, or "ann/layers.py::" where there are several files."""
    files = shortened(map(file_of, locations))
    return {file: f"{short}::" if file and len(files) > 1 else "" for file, short in files.items()}


def shortened(files: Iterable[str]) -> dict[str, str]:
    """Each file by as many of its last folders as tell it from the others."""
    parts = {file: PurePath(file).parts for file in dict.fromkeys(files)}
    most = max((len(found) for found in parts.values()), default=0)
    short: dict[str, str] = {}
    for length in range(1, most + 1):
        endings = Counter(found[-length:] for found in parts.values())
        for file, found in parts.items():
            if endings[found[-length:]] == 1:
                short.setdefault(file, str(PurePath(*found[-length:])))
    return {file: short.get(file, file) for file in parts}
