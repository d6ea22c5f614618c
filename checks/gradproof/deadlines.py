"""Ends user code that does not end by itself: a limit on a whole subject, and on a single call. It knows no layers.

On POSIX, in the main thread, a timer's signal raises Expired in the running code; it interrupts a sleep as well.
Elsewhere a second thread asks the interpreter to raise it, which waits for the next bytecode. Neither can interrupt one
call of C code, such as the product of two huge matrices, before that call returns.

Where the system tells it, the time in which the process was ready and waited for a processor does not count: what is
cut off on a busy machine is what would be cut off on a free one.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

from gradproof.values import LayerError

SECONDS = 60.0  # for one subject, or for the import of one file
TICK = 0.2  # seconds between two looks at the clock: what a limit may be exceeded by
OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep
SHARE = 6  # a single call may take the sixth part of the time of its subject: 10 s of the usual 60 s


class Expired(BaseException):
    """The time is over. It is no Exception, so that neither user code nor a search takes it for a failure.

    ``seconds`` is the limit, ``single`` says that it is the one of a single call; ``error`` tells the place in
    the user's code where it was cut off.
    """

    seconds: float = 0.0
    single: bool = False
    error: LayerError | None = None
    dims: Mapping[str, int | tuple[int, ...]] | None = None  # of the example, where one was being looked at


@dataclass
class _Clock:
    """What is being timed: the limits in force, and the call that runs. A process has one, as it has one timer."""

    until: float = float("inf")  # when the time of the subject is over
    seconds: float = float("inf")  # that time
    call_seconds: float = float("inf")
    began: float | None = None  # when the running call into user code began
    single: bool = False  # whether the limit that was reached last is the one of a single call
    raised: int = 0  # how often Expired was raised in the running call, which must have caught it
    trace: Any = None  # the trace function that was in force before ours
    waited: float = 0.0  # seconds in which another process had the processor, as it was looked up last
    waits: str = ""  # the file that tells them, of the thread that is timed

    def now(self) -> float:
        """Seconds on a clock that stands still while the process waits for a processor."""
        return time.monotonic() - self.waited

    def read_waited(self) -> None:
        """Look up how long it waited."""
        with contextlib.suppress(OSError, ValueError, IndexError), open(self.waits, encoding="ascii") as file:
            self.waited = int(file.read().split()[1]) / 1e9

    def over(self) -> bool:
        """Whether user code runs that must be ended."""
        if self.began is None:
            return False
        self.read_waited()
        now = self.now()
        over = now > self.until
        self.single = not over and now - self.began > self.call_seconds
        return over or self.single


_clock = _Clock()


@contextlib.contextmanager
def limited(seconds: float) -> Generator[None]:
    """Within it, user code that runs for longer than ``seconds`` in all, or a sixth of that in one call, is ended.

    Only what runs between ``enter`` and ``leave`` is interrupted. Inside another limit, the one that ends earlier
    holds. Raises Expired.
    """
    outer = (_clock.until, _clock.seconds, _clock.call_seconds)
    alone = outer[0] == float("inf")
    if alone:
        _clock.waited, _clock.waits = 0.0, f"/proc/self/task/{threading.get_native_id()}/schedstat"
    _clock.read_waited()
    until = _clock.now() + seconds
    if until < _clock.until:
        _clock.until, _clock.seconds, _clock.call_seconds = until, seconds, seconds / SHARE
    try:
        with _ticking() if alone else contextlib.nullcontext():
            yield
    except Expired as expired:
        expired.single, expired.seconds = _clock.single, reached()
        raise
    finally:
        _clock.until, _clock.seconds, _clock.call_seconds = outer


def reached() -> float:
    """The limit that was reached last, in seconds: of a single call, or of the subject."""
    return _clock.call_seconds if _clock.single else _clock.seconds


@contextlib.contextmanager
def whole(seconds: float) -> Generator[None]:
    """A single run of user code that may take ``seconds``, such as the import of a file."""
    with limited(seconds):
        _clock.call_seconds = _clock.seconds
        before = enter()
        try:
            yield
        finally:
            leave(before)


def enter() -> float | None:
    """A call into user code begins; returns what ``leave`` wants back. Raises Expired where no time is left."""
    before = _clock.began
    if _clock.now() > _clock.until:
        _clock.read_waited()
        if _clock.now() > _clock.until:
            _clock.single = False
            raise Expired
    if before is None:
        _clock.began = _clock.now()
    return before


def leave(before: float | None) -> None:
    """The call that ``enter`` began is over."""
    _clock.began = before
    if _clock.raised > 1:
        sys.settrace(_clock.trace)
    _clock.raised = 0


def _ticking() -> contextlib.AbstractContextManager[None]:
    main = threading.current_thread() is threading.main_thread()
    # a timer that is somebody else's, such as a test runner's, is left alone
    if main and hasattr(signal, "setitimer") and signal.getitimer(signal.ITIMER_REAL)[0] == 0:
        return _by_signal()
    return _by_thread()


@contextlib.contextmanager
def _by_signal() -> Generator[None]:
    before = signal.signal(signal.SIGALRM, _tick)
    signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _tick(number: int, frame: FrameType | None) -> None:
    if not _clock.over():
        return
    _clock.raised += 1
    if _clock.raised == 1:
        _clock.trace = sys.gettrace()
    else:
        _insist(frame)
    raise Expired


def _insist(frame: FrameType | None) -> None:
    """Raise Expired at the next line too: a loop around a bare ``except`` does not catch what its handler raises."""
    sys.settrace(_raise)
    while frame is not None and not frame.f_code.co_filename.startswith(OURS):
        frame.f_trace = _raise
        frame = frame.f_back


def _raise(frame: FrameType, event: str, argument: Any) -> Any:
    if _clock.began is None or frame.f_code.co_filename.startswith(OURS):
        return None
    if event == "line":
        raise Expired
    return _raise


@contextlib.contextmanager
def _by_thread() -> Generator[None]:
    ended, lock = threading.Event(), threading.Lock()
    target = ctypes.c_ulong(threading.get_ident())
    interrupt = ctypes.pythonapi.PyThreadState_SetAsyncExc

    def watch() -> None:
        while not ended.wait(TICK):
            with lock:
                if not ended.is_set() and _clock.over():
                    interrupt(target, ctypes.py_object(Expired))

    watcher = threading.Thread(target=watch, name="gradproof deadlines", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        while not ended.is_set():
            with contextlib.suppress(Expired), lock:
                ended.set()
        _let_arrive()
        watcher.join()


def _let_arrive() -> None:
    """Run a few bytecodes, so that what was sent too late arrives here and nowhere else.

    To take it back (PyThreadState_SetAsyncExc with NULL) leaves CPython 3.11 with an interrupt that never comes, for
    which it waits without end at the entry of the next function under a tracer or a profiler.
    """
    with contextlib.suppress(Expired):
        for _ in range(3):
            pass
