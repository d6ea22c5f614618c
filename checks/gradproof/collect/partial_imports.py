"""Imports those modules of the author's statement by statement that do not run through; it decides on none of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence, Set
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType, TracebackType

Execute = Callable[[ModuleType, Path], None]


class _StepwiseLoader(Loader):
    def __init__(self, file: Path, execute: Execute) -> None:
        self._file, self._execute = file, execute

    def create_module(self, spec: ModuleSpec) -> None:
        """As any module is made."""

    def exec_module(self, module: ModuleType) -> None:
        """Run its statements one by one."""
        self._execute(module, self._file)


class _StepwiseFinder(MetaPathFinder):
    def __init__(self, files: Set[Path], execute: Execute) -> None:
        self._files, self._execute = files, execute

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of one of the files, None for any other module."""
        spec = PathFinder.find_spec(fullname, path, target)
        file = None if spec is None or spec.origin is None or not spec.has_location else Path(spec.origin).resolve()
        if spec is None or file is None or file not in self._files:
            return None
        spec.loader = _StepwiseLoader(file, self._execute)
        return spec


@contextmanager
def stepwise_imports(files: Set[Path], execute: Execute) -> Generator[None]:
    """While it lasts, ``execute`` runs those modules that lie in ``files``; the set may grow."""
    finder = _StepwiseFinder(files, execute)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def modules_in(trace: TracebackType | None) -> list[Path]:
    """The files whose import an exception went through."""
    found: list[Path] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_name == "<module>":
            found.append(Path(code.co_filename).resolve())
        trace = trace.tb_next
    return found
