"""Loads a file of the user's as a module that finds its siblings; it knows neither Cases nor layers."""

from __future__ import annotations

import copy
import functools
import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from gradproof import deadlines
from gradproof.collect.checkfile import is_check_file
from gradproof.collect.lost_statements import LostStatement, own_traceback, refusal
from gradproof.collect.partial_imports import modules_in, stepwise_imports
from gradproof.collect.places import Place, deeper, packages, root_of, shown, unhidden
from gradproof.collect.statements import Statement, statements
from gradproof.collect.stepwise import Stepwise
from gradproof.collect.submodules import complete
from gradproof.errors import UsageError
from gradproof.sandbox.surroundings import restored

_CONTAINERS = (list, dict, set)
_OURS = __name__.partition(".")[0]


@dataclass(eq=False)
class Source:
    """A loaded file: its module, the modules beside it that it imported, and the statements of either that failed.

    ``namespace`` holds the module's names as they are to be while the subject runs, where they have changed since;
    ``stepwise`` are the files of the author's that do not run through, and are run statement by statement.
    """

    file: Path
    module: ModuleType
    place: Place
    siblings: dict[str, ModuleType] = field(repr=False)
    namespace: Mapping[str, Any] | None = field(default=None, repr=False)
    failures: list[LostStatement] = field(default_factory=list[LostStatement], repr=False)
    failures_beside: list[LostStatement] = field(default_factory=list[LostStatement], repr=False)
    stepwise: set[Path] = field(default_factory=set[Path], repr=False)


class _Elsewhere(Exception):  # noqa: N818  no error: a way out of a run that begins anew
    """The file is to be imported from another place."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.place = place


def load(file: Path, seconds: float = deadlines.SECONDS) -> Source:
    """Run ``file`` as a module of a name of its own, so that ``if __name__ == "__main__"`` does not run.

    Its statements run one by one: one that raises, exits or does not end is among ``failures``, and what it was to
    define raises where it is used. So are those of the modules that it imports and that lie near it, where these do not
    run through. A module is looked for beside the file and in the folders above it: ``common`` for ``ch01/net.py``.
    Raises UsageError, with the author's own traceback, where the file does not parse or uses gradproof wrongly; a check
    file also where a statement raises.
    """
    found, place = _parsed(file), Place(len(packages(file)))
    while True:
        source = module_for(file, place)
        try:
            run(source, found, seconds)
        except _Elsewhere as other:
            place = other.place
        else:
            return source


def run(source: Source, found: Sequence[Statement], seconds: float) -> None:
    """Run the statements in the source's module, and add what failed to its failures."""

    def mend(error: BaseException) -> bool:
        again = not isinstance(error, UsageError) and mended(source, error)
        is_refused = isinstance(error, UsageError) or is_check_file(source.file)
        if is_refused and not again:
            raise UsageError(refusal(shown(source.file), error, own_traceback(error)))
        return again

    running = Stepwise(vars(source.module), shown(source.file), seconds, mend)
    with importable(source), restored():
        running.run(found)
        if source.failures_beside:  # a package that does not run through lacks some of its modules
            folders = source.place.own_folders(source.file)
            complete({name: module for name, module in list(sys.modules.items()) if _belongs(module, folders)}, seconds)
    source.failures += running.failures


def mended(source: Source, error: BaseException, *, may_restart: bool = True) -> bool:
    """Do what may avoid the exception: take in one more folder, or run a module of the author's stepwise.

    Raises _Elsewhere where the whole file is to be run anew, as a part of one more package.
    """
    place = _other_place(source, error) if may_restart else None
    if place is not None:
        raise _Elsewhere(place)
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        root = root_of(error.name, source.file, source.place, sys.path)
        if root is not None:
            source.place = replace(source.place, roots=(root, *source.place.roots))
            sys.path.insert(1, str(root))
            return True
    folders = source.place.own_folders(source.file)
    broken = {path for path in modules_in(error.__traceback__) if path.is_file() and _is_own(path, folders)}
    broken -= {source.file.resolve(), *source.stepwise}
    source.stepwise.update(broken)
    return bool(broken)


def _other_place(source: Source, error: BaseException) -> Place | None:
    """Where the file is to be imported from, so that an import that failed finds its module; None where it is there."""
    if isinstance(error, ImportError) and "relative import" in str(error):
        place = deeper(source.file, source.place)
        if place is not None:
            return place
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        return unhidden(error, source.place)
    return None


def _run_sibling(source: Source, module: ModuleType, file: Path) -> None:
    """Run a module that the file imports, and that does not run through."""
    mend = functools.partial(mended, source, may_restart=False)
    running = Stepwise(vars(module), shown(file), deadlines.SECONDS, mend)
    running.run(statements(file.read_bytes(), str(file)))
    source.failures_beside += running.failures


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


@contextmanager
def importable(source: Source) -> Generator[None]:
    """While it lasts, the file finds its siblings, and then what lies in the current folder.

    After it, sys.path, sys.argv and the names of the siblings are as before: two folders may each hold a ``layers.py``,
    and each file keeps its own.
    """
    path, argv, before = list(sys.path), list(sys.argv), set(sys.modules)
    sys.modules.update(source.siblings)
    sys.path[:] = dict.fromkeys([*map(str, source.place.own_folders(source.file)[:-1]), *path, str(Path.cwd())])
    sys.argv[:] = [str(source.file)]
    given = set(sys.path)
    now = _swapped(source.module, source.namespace)
    try:
        with stepwise_imports(source.stepwise, functools.partial(_run_sibling, source)):
            yield
    finally:
        _swapped(source.module, now)
        added = [Path(entry).resolve() for entry in sys.path if entry not in given and Path(entry).is_dir()]
        source.place = replace(source.place, roots=tuple(dict.fromkeys([*source.place.roots, *added])))
        sys.path[:], sys.argv[:] = path, argv
        # all are looked at before any goes: a folder without __init__.py asks sys.modules for the package above it
        folders = source.place.own_folders(source.file)
        own = [name for name in set(sys.modules) - before if _belongs(sys.modules[name], folders)]
        source.siblings.update((name, sys.modules.pop(name)) for name in own)


@contextmanager
def unchanged(source: Source) -> Generator[None]:
    """After it, the global names of the file and of its siblings mean what they did: no subject sees what another sets.

    Lists, dicts and sets among them hold what they held.
    """
    spaces = [vars(module) for module in (source.module, *source.siblings.values())]
    before = [(space, dict(space)) for space in spaces]
    held = [(value, copy.copy(value)) for _, names in before for value in _containers(names)]
    try:
        yield
    finally:
        for space, names in before:
            space.clear()
            space.update(names)
        for value, content in held:
            _refill(value, content)


def _containers(names: Mapping[str, Any]) -> list[Any]:
    """The lists, dicts and sets under the author's own names: not __builtins__, which is everybody's."""
    return [value for name, value in names.items() if type(value) in _CONTAINERS and not name.startswith("__")]


def _refill(value: Any, content: Any) -> None:
    value.clear()
    if isinstance(value, list):
        value.extend(content)
    else:
        value.update(content)


def _swapped(module: ModuleType, namespace: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Put other names in the place of a module's; return those that it had, None where they stay."""
    if namespace is None:
        return None
    names = vars(module)
    before = dict(names)
    names.clear()
    names.update(namespace)
    return before


def _belongs(module: ModuleType, folders: Sequence[Path]) -> bool:
    """Whether a module is the author's own: Python source below one of ``folders``, neither installed nor ours."""
    # A folder without __init__.py becomes a package that has a __path__ and no __file__.
    origin = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    if origin is None or module.__name__.partition(".")[0] == _OURS:
        return False
    return _is_own(Path(origin).resolve(), folders)


def _is_own(path: Path, folders: Sequence[Path]) -> bool:
    installed = any(path.is_relative_to(Path(prefix).resolve()) for prefix in (sys.prefix, sys.base_prefix))
    installed = installed or not {"site-packages", "dist-packages"}.isdisjoint(path.parts)
    return path.suffix in (".py", "") and not installed and any(path.is_relative_to(folder) for folder in folders)


def _parsed(file: Path) -> list[Statement]:
    try:
        return statements(file.read_bytes(), str(file))
    except OSError as error:
        raise UsageError(f"{shown(file)} cannot be read: {error.strerror}") from None
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        text = "".join(traceback.format_exception_only(error)).rstrip()
        advice = (
            "" if _is_text(file.read_bytes()) else "\nit is no text in UTF-8: save it as UTF-8, if it is Python source"
        )
        raise UsageError(f"{shown(file)} does not parse:\n{text}{advice}") from None


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False
