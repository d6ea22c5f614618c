"""The border to user code: its exceptions become values, its random draws are repeatable. It knows no layers."""

from __future__ import annotations

import contextlib
import copy
import linecache
import random
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import BuiltinMethodType, MethodType, ModuleType, TracebackType
from typing import Any

import numpy as np

from gradproof import deadlines
from gradproof.deadlines import OURS
from gradproof.errors import Absence, NotAvailable, not_installed
from gradproof.operands import operands
from gradproof.values import LayerError

_LONGEST = 2000  # characters of an exception's message: some print a whole array


class SubjectError(Exception):
    """The user's code raised; ``error`` says what and where."""

    def __init__(self, error: LayerError) -> None:
        super().__init__(error)
        self.error = error


def call(stage: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call user code: what it raises comes out as SubjectError with the user's frames only.

    Ctrl-C and the end of the time pass through. What the code does to NumPy's error state ends with the call.
    """
    before = deadlines.enter()
    try:
        with np.errstate():
            return function(*args, **kwargs)
    except KeyboardInterrupt:
        raise
    except deadlines.Expired as expired:
        expired.error = _describe(stage, expired)
        raise
    except BaseException as error:  # also SystemExit, and whatever else is no Exception
        raise SubjectError(_describe(stage, error)) from None
    finally:
        deadlines.leave(before)


@contextlib.contextmanager
def quiet() -> Generator[None, None, None]:
    """Overflows and warnings at perturbed points are the harness's doing: they are not shown to the user."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def read(thing: Any, name: str, default: Any = None) -> Any:
    """An attribute, which may be a property of the user's: the default where there is none, or where it raises."""
    if _is_plain(thing, name):
        return getattr(thing, name, default)
    try:
        return call(name, getattr, thing, name, default)
    except SubjectError:
        return default


def _is_plain(thing: Any, name: str) -> bool:
    """Whether reading an attribute runs no code of the user's: it stands in the object's own dict, or nowhere."""
    cls: Any = type(thing)
    metaclass: object = type(cls)
    if metaclass is not type or cls.__getattribute__ is not object.__getattribute__:
        return False
    return not hasattr(cls, name) and not hasattr(cls, "__getattr__")


def _describe(stage: str, error: BaseException) -> LayerError:
    if isinstance(error, MemoryError):
        traceback.clear_frames(error.__traceback__)  # what was allocated until then lives in these frames
    theirs = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(OURS)]
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(_shortened(theirs))]
    cut_off = isinstance(error, deadlines.Expired)
    told = "" if cut_off else "".join(traceback.format_exception_only(error)).rstrip()
    lines.append(told if len(told) <= _LONGEST else f"{told[:_LONGEST]} ...")
    described = LayerError(stage, type(error).__name__, message(error), "".join(lines).rstrip(), _absence(error))
    own = [trace for trace in _traces(error.__traceback__) if is_authors(trace.tb_frame.f_code.co_filename)]
    if own:
        file, line = own[-1].tb_frame.f_code.co_filename, own[-1].tb_lineno
        text = linecache.getline(file, line).strip()
        described = replace(described, file=file, line=line, text=text, operands=operands(own[-1]))
    return described


def _traces(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


_NUMPY, _STANDARD = str(Path(np.__file__).parent), sysconfig.get_path("stdlib")


def is_authors(file: str) -> bool:
    """Whether a file is the author's: not ours, not NumPy's, not of the standard library."""
    if file.startswith((OURS, _NUMPY, "<__array_function__")):
        return False
    return not file.startswith(_STANDARD) or "site-packages" in file


def _absence(error: BaseException) -> Absence | None:
    """What the user's code missed: it is no fault of theirs that it is not here."""
    if isinstance(error, NotAvailable):
        return error.absence
    if isinstance(error, ModuleNotFoundError) and error.name is not None:
        return not_installed(error.name)
    return None


def message(error: BaseException) -> str:
    """What an exception says, shortened; user code may make one that cannot be read."""
    try:
        told = str(error)
    except Exception as broken:
        return f"<its message cannot be read: __str__ raises {type(broken).__name__}>"
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]} ..."


def _shortened(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    """Keep the ends of a runaway recursion."""
    return frames if len(frames) <= 12 else [*frames[:4], *frames[-4:]]


def copied(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Copies of named values; what can be called is left as it is."""
    return {name: value if callable(value) else copy.deepcopy(value) for name, value in inputs.items()}


_ENTROPY = "randbits"  # the name in numpy.random.bit_generator of secrets.randbits, NumPy's source of entropy


class Randomness:
    """The global random states that a subject sees: seeded while the context lasts, and as they were afterwards.

    ``rewind`` goes back to the seed. The global generators of NumPy and of the standard library are touched only
    because layers draw from them. A generator that is made without a seed, as ``np.random.default_rng()`` or with
    ``seed=None``, is seeded by the global one of the standard library: two objects of a layer start alike.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._theirs: tuple[Any, Any] | None = None
        self._entropy: Callable[[int], int] | None = None  # where NumPy takes the bits of a generator without a seed
        self._states: list[tuple[Any, Any]] = []  # generators of the user's modules, each with its state

    def __enter__(self) -> Randomness:
        self._theirs = np.random.get_state(), random.getstate()  # noqa: NPY002
        self._entropy = getattr(np.random.bit_generator, _ENTROPY, None)
        if self._entropy is not None:
            setattr(np.random.bit_generator, _ENTROPY, random.getrandbits)
        self.rewind()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._theirs is not None:
            np.random.set_state(self._theirs[0])  # noqa: NPY002
            random.setstate(self._theirs[1])
        if self._entropy is not None:
            setattr(np.random.bit_generator, _ENTROPY, self._entropy)
        self._put_back()

    def hold(self, found: Sequence[Any]) -> None:
        """Treat these generators, which live outside of the subject, as the global ones: back to where they are now."""
        self._states = [(generator, copy.deepcopy(_state(generator))) for generator in found]

    @property
    def held(self) -> tuple[Any, ...]:
        """The generators that are held."""
        return tuple(generator for generator, _ in self._states)

    def _put_back(self) -> None:
        for generator, state in self._states:
            if isinstance(generator, np.random.Generator):
                generator.bit_generator.state = state
            elif isinstance(generator, np.random.RandomState):
                generator.set_state(state)
            else:
                generator.setstate(state)

    def rewind(self) -> None:
        """Go back to the seed."""
        self._put_back()
        np.random.seed(self._seed % 2**32)  # noqa: NPY002
        random.seed(self._seed)


def fingerprint(things: object) -> tuple[object, ...]:
    """Tell where every random generator stands that user code can reach: the global ones, and those in ``things``.

    Two outputs that are alike do not prove that nothing was drawn: a mask hides at x = 0.
    """
    legacy, python = np.random.get_state(legacy=False)["state"], random.getstate()[1]  # noqa: NPY002
    ends = (legacy["pos"], int(legacy["key"][0]), python[0], python[-1])
    return (*ends, *(repr(state) for state in _states(things, set(), REACH)))


_GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


def _state(generator: Any) -> Any:
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.get_state(legacy=False) if isinstance(generator, np.random.RandomState) else generator.getstate()


def generators(subject: Any) -> tuple[Any, ...]:
    """The random generators among the global names of the modules that define a class, its bases, or a function."""
    functions = [
        getattr(method, "__func__", method)
        for cls in (subject.__mro__ if isinstance(subject, type) else ())
        for method in vars(cls).values()
    ]
    names: list[dict[str, Any]] = [getattr(function, "__globals__", {}) for function in (subject, *functions)]
    spaces = {id(space): space for space in names}.values()
    found = {id(value): value for space in spaces for value in space.values() if isinstance(value, _GENERATORS)}
    return tuple(found.values())


REACH = 6  # levels of attributes and containers that are followed to find a generator


def _states(thing: Any, seen: set[int], depth: int) -> Iterator[Any]:
    if id(thing) in seen or depth == 0:
        return
    seen.add(id(thing))
    if isinstance(thing, _GENERATORS):
        yield _state(thing)
    elif isinstance(thing, dict):
        yield from _states(list(thing.values()), seen, depth)
    elif isinstance(thing, (list, tuple, set)):
        for part in thing:
            yield from _states(part, seen, depth - 1)
    elif isinstance(thing, (BuiltinMethodType, MethodType)):  # np.random.rand is a method of a generator
        yield from _states(thing.__self__, seen, depth - 1)
    elif not isinstance(thing, (type, ModuleType)) and isinstance(getattr(thing, "__dict__", None), dict):
        yield from _states(vars(thing), seen, depth - 1)
