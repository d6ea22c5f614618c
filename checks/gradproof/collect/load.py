"""Loads a file of the user's as a module that finds its siblings; it knows neither Cases nor layers."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from gradproof import deadlines
from gradproof.errors import UsageError
from gradproof.sandbox.surroundings import restored

UPWARDS = 6  # folders above a file in which a module that it imports is looked for
_FOREIGN = (deadlines.OURS, "<frozen importlib")
_OURS = __name__.partition(".")[0]


def shown(file: Path) -> str:
    """The file as the user would type it: relative to where they stand, where it lies below that."""
    path, here = file.resolve(), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


@dataclass(frozen=True)
class Place:
    """From where a file is imported: how many folders above it are its packages, and what else sys.path must hold."""

    depth: int
    roots: tuple[Path, ...] = ()


@dataclass(frozen=True, eq=False)
class Source:
    """A loaded file: its module, and the modules beside it that it imported.

    ``namespace`` holds the module's names as they are to be while the subject runs, where they have changed since.
    """

    file: Path
    module: ModuleType
    place: Place
    siblings: dict[str, ModuleType] = field(repr=False)
    namespace: Mapping[str, Any] | None = field(default=None, repr=False)


def load(file: Path, seconds: float = deadlines.SECONDS) -> Source:
    """Execute ``file`` as a module of a name of its own, so that ``if __name__ == "__main__"`` does not run.

    A module that it imports and that lies beside a folder above it is found there: ``common`` for ``ch01/net.py``.
    Raises UsageError, with the author's own traceback, where the file does not parse, raises, exits, or does not end
    within ``seconds``.
    """
    code, place = _compiled(file), Place(len(_packages(file)))
    while True:
        source = module_for(file, place)
        problem = execute(source, code, seconds)
        if problem is None:
            return source
        elsewhere = _elsewhere(file, place, problem)
        if elsewhere is None:
            raise UsageError(_told(file, problem, seconds))
        place = elsewhere


def module_for(file: Path, place: Place) -> Source:
    """An empty module for the file, known to the interpreter under a name of its own."""
    folders = [folder.name for folder in reversed(file.resolve().parents[: place.depth])]
    digest = hashlib.sha256(bytes(file.resolve())).hexdigest()[:8]
    name = ".".join([*folders, f"{file.stem}_{digest}".replace(".", "_")])
    module = ModuleType(name)
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is not None:
        module = importlib.util.module_from_spec(spec)
    module.__file__ = str(file)
    sys.modules[name] = module
    return Source(file, module, place, {})


def execute(source: Source, code: CodeType, seconds: float) -> BaseException | None:
    """Run ``code`` in the module's namespace; return what it raises, all but Ctrl-C."""
    try:
        with importable(source), restored(), deadlines.whole(seconds):
            exec(code, vars(source.module))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return error
    return None


def own_traceback(error: BaseException) -> str:
    """The traceback as the author of the file wants it: without our frames and without importlib's."""
    told = traceback.TracebackException.from_exception(error)
    told.stack = traceback.StackSummary.from_list([f for f in told.stack if not f.filename.startswith(_FOREIGN)])
    lines = list(told.format())
    return "".join(lines[:-1] if isinstance(error, deadlines.Expired) else lines).rstrip()


@contextmanager
def importable(source: Source) -> Generator[None]:
    """While it lasts, the file finds its siblings, and then what lies in the current folder.

    After it, sys.path, sys.argv and the names of the siblings are as before: two folders may each hold a ``layers.py``,
    and each file keeps its own.
    """
    parents, here = source.file.resolve().parents, Path.cwd()
    roots = [*source.place.roots, parents[source.place.depth]]
    path, argv, before = list(sys.path), list(sys.argv), set(sys.modules)
    sys.modules.update(source.siblings)
    sys.path[:] = dict.fromkeys([str(parents[0]), *map(str, roots), *path, str(here)])
    sys.argv[:] = [str(source.file)]
    now = _swapped(source.module, source.namespace)
    try:
        yield
    finally:
        _swapped(source.module, now)
        sys.path[:], sys.argv[:] = path, argv
        # all are looked at before any goes: a folder without __init__.py asks sys.modules for the package above it
        own = [name for name in set(sys.modules) - before if _belongs(sys.modules[name], (*roots, here))]
        source.siblings.update((name, sys.modules.pop(name)) for name in own)


def _swapped(module: ModuleType, namespace: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Put other names in the place of a module's; return those that it had, None where they stay."""
    if namespace is None:
        return None
    names = vars(module)
    before = dict(names)
    names.clear()
    names.update(namespace)
    return before


def _elsewhere(file: Path, place: Place, error: BaseException) -> Place | None:
    """A place from which the import that failed may succeed: one more folder as a package, or one more root."""
    if not isinstance(error, ImportError):
        return None
    if "relative import" in str(error) and place.depth < min(UPWARDS, len(file.resolve().parents) - 1):
        return Place(place.depth + 1, place.roots)
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return None
    for folder in file.resolve().parents[:UPWARDS]:
        target = folder.joinpath(*error.name.split("."))
        if folder not in place.roots and (target.is_dir() or target.with_suffix(".py").is_file()):
            return Place(place.depth, (folder, *place.roots))
    return None


def _told(file: Path, error: BaseException, seconds: float) -> str:
    main = 'put what is to run under if __name__ == "__main__":'
    if isinstance(error, SystemExit):
        return f"{shown(file)} calls sys.exit({error.code!r}) when it is imported: {main}"
    if isinstance(error, deadlines.Expired):
        return f"{shown(file)} did not end within {seconds:g} s when it was imported: {main}\n{own_traceback(error)}"
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    remedy = "" if missing is None else f"\ninstall {missing}, or move the import to where the layers do not meet it"
    return f"{shown(file)} raises when it is imported:\n{own_traceback(error)}{remedy}"


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
