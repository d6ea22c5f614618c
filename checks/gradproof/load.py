"""Loads a file of the user's as a module that finds its siblings; it knows neither Cases nor layers."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType

from gradproof.errors import UsageError

PATTERN = "check_*.py"
_FOREIGN = (str(Path(__file__).parent) + os.sep, "<frozen importlib")
_OURS = __name__.partition(".")[0]


def is_check_file(file: Path) -> bool:
    """Whether a file found in a folder may declare a Case; others of that name are nobody's to execute."""
    try:
        return file.match(PATTERN) and b"gradproof" in file.read_bytes()
    except OSError:
        return False


def shown(file: Path) -> str:
    """The file as the user would type it: relative to where they stand, where it lies below that."""
    path, here = file.resolve(), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


@dataclass(frozen=True, eq=False)
class Source:
    """A loaded file: its module, and the modules beside it that it imported."""

    file: Path
    module: ModuleType
    siblings: dict[str, ModuleType] = field(repr=False)


def load(file: Path) -> Source:
    """Execute ``file`` as a module of a name of its own, so that ``if __name__ == "__main__"`` does not run.

    Raises UsageError, with the author's own traceback, where the file does not parse, raises, or exits.
    """
    code = _compiled(file)
    package = "".join(f"{folder.name}." for folder in _packages(file))
    name = f"{package}{file.stem}_{hashlib.sha256(bytes(file.resolve())).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None:
        raise UsageError(f"{shown(file)} cannot be loaded as a Python module")
    source = Source(file, importlib.util.module_from_spec(spec), {})
    sys.modules[name] = source.module
    with importable(source):
        try:
            exec(code, vars(source.module))
        except SystemExit as error:
            raise UsageError(
                f"{shown(file)} calls sys.exit({error.code!r}) when it is imported: "
                'put what is to run under if __name__ == "__main__":'
            ) from None
        except Exception as error:
            raise UsageError(f"{shown(file)} raises when it is imported:\n{_own_traceback(error)}") from None
    return source


@contextmanager
def importable(source: Source) -> Generator[None]:
    """While it lasts, the file finds its siblings, and then what lies in the current folder.

    After it, sys.path, sys.argv and the names of the siblings are as before: two folders may each hold a ``layers.py``,
    and each file keeps its own.
    """
    packages = _packages(source.file)
    folder = source.file.resolve().parent
    root, here = packages[0].parent if packages else folder, Path.cwd()
    path, argv, before = list(sys.path), list(sys.argv), set(sys.modules)
    sys.modules.update(source.siblings)
    sys.path[:] = dict.fromkeys([str(folder), str(root), *path, str(here)])
    sys.argv[:] = [str(source.file)]
    try:
        yield
    finally:
        sys.path[:], sys.argv[:] = path, argv
        for name in set(sys.modules) - before:
            if _belongs(sys.modules[name], (root, here)):
                source.siblings[name] = sys.modules.pop(name)


def _belongs(module: ModuleType, folders: Sequence[Path]) -> bool:
    """Whether a module is the author's own: Python source below one of ``folders``, neither installed nor ours."""
    # A folder without __init__.py becomes a package that has a __path__ and no __file__.
    origin = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    if origin is None or module.__name__.partition(".")[0] == _OURS:
        return False
    path = Path(origin).resolve()
    installed = any(path.is_relative_to(Path(prefix).resolve()) for prefix in (sys.prefix, sys.base_prefix))
    installed = installed or not {"site-packages", "dist-packages"}.isdisjoint(path.parts)
    return path.suffix in (".py", "") and not installed and any(path.is_relative_to(folder) for folder in folders)


def _packages(file: Path) -> list[Path]:
    """The folders above ``file`` that are packages, the outermost first."""
    found: list[Path] = []
    folder = file.resolve().parent
    while (folder / "__init__.py").is_file():
        found.insert(0, folder)
        folder = folder.parent
    return found


def _compiled(file: Path) -> CodeType:
    try:
        return compile(file.read_bytes(), str(file), "exec", dont_inherit=True)
    except OSError as error:
        raise UsageError(f"{shown(file)} cannot be read: {error.strerror}") from None
    except (SyntaxError, ValueError) as error:
        told = "".join(traceback.format_exception_only(error)).rstrip()
        raise UsageError(f"{shown(file)} does not parse:\n{told}") from None


def _own_traceback(error: BaseException) -> str:
    """The traceback as the author of the file wants it: without our frames and without importlib's."""
    told = traceback.TracebackException.from_exception(error)
    told.stack = traceback.StackSummary.from_list([f for f in told.stack if not f.filename.startswith(_FOREIGN)])
    return "".join(told.format()).rstrip()
