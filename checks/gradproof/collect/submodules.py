"""Imports what code reads as attributes of the author's packages: one that does not run through lacks its modules."""

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

from gradproof import deadlines, guard


def complete(modules: Mapping[str, ModuleType], seconds: float) -> None:
    """Import the modules of packages among ``modules`` that their sources name and that are not there.

    ``import lib`` and ``lib.tools.f(x)`` work where lib/__init__.py imports tools. modules: the author's, by name;
    seconds: for each import.
    """
    packages = {name: module for name, module in modules.items() if hasattr(module, "__path__")}
    if not packages:
        return
    texts = list(_texts(modules.values()))
    for name, package in packages.items():
        mentioned = {word for text in texts for word in re.findall(rf"\b{re.escape(name)}\.([^\W\d]\w*)", text)}
        for stem in sorted(mentioned):
            if not hasattr(package, stem) and _is_module_of(package, stem):
                with contextlib.suppress(guard.SubjectError, deadlines.Expired), deadlines.whole(seconds):
                    setattr(package, stem, guard.call("import", importlib.import_module, f"{name}.{stem}"))


def _texts(modules: Iterable[ModuleType]) -> Iterator[str]:
    for module in modules:
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py"):
            with contextlib.suppress(OSError):
                yield Path(file).read_text(encoding="utf-8", errors="replace")


def _is_module_of(package: ModuleType, stem: str) -> bool:
    places = [Path(folder) / file for folder in package.__path__ for file in (f"{stem}.py", f"{stem}/__init__.py")]
    return any(place.is_file() for place in places)
