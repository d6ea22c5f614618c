"""Forward and backward of one example, run again and again with values noted, moved or replaced; it judges nothing."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import CodeType, FrameType, FunctionType
from typing import Any

import numpy as np

from gradproof.adjoint.hook import Floats, Hook, Key
from gradproof.adjoint.instrument import Kind, Site, instrumented
from gradproof.guard import is_authors
from gradproof.mend.budget import SpentError
from gradproof.mend.patch import HOOK, compiled, patched
from gradproof.mend.targets import acts_outside
from gradproof.mend.trial import Trial
from gradproof.source.source import Function, function_of

Noted = Mapping[int, list[Floats]]  # of each site the values that it had, one for each time that it was passed
Claims = Mapping[str, Floats]


@dataclass(eq=False)
class Rerun:
    """An example whose functions are instrumented. ``in_forward``: forward computes the gradients, too.

    ``most`` forwards may be run; ``forwards`` have been.
    """

    trial: Trial
    hook: Hook
    sites: Sequence[Site]
    in_forward: bool
    most: int
    first: Function | None = None  # forward itself
    last: Function | None = None  # backward itself
    own: frozenset[tuple[str, int]] = frozenset()  # where the functions of the subject are defined, not of its parts
    forwards: int = 0

    def outputs(self, moved: tuple[Key, Floats] | None = None) -> Floats:
        """The outputs, with one value of forward moved. Raises SpentError where no forward is left."""
        if self.forwards >= self.most:
            raise SpentError
        self.forwards += 1
        self.hook.begin(moved=moved)
        return self.trial.outputs_now()

    def values_of_forward(self) -> Noted:
        """What each site of forward sees."""
        noted: list[tuple[Key, Floats]] = []
        self.forwards += 1
        self.hook.begin(note=noted)
        self.trial.outputs_now()
        return _by_site(noted)

    def values_of_backward(self, *, times: float = 1.0) -> tuple[Noted, list[int]]:
        """What each site of backward sees for dout, or a multiple of it; the sites in the order in which they run."""
        noted: list[tuple[Key, Floats]] = []
        self.hook.begin(note=noted)
        trial = self.trial if times == 1.0 else replace(self.trial, dout=times * self.trial.dout)
        claims = trial.claims(anew=self.in_forward)
        return ({}, []) if claims is None else (_by_site(noted), list(dict.fromkeys(key[0] for key, _ in noted)))

    def claims(self, instead: Mapping[int, Sequence[Floats]] | None = None) -> Claims | None:
        """The gradients that backward gives with other values in their places; None where it raises."""
        self.hook.begin(instead=instead)
        found = self.trial.claims(anew=self.in_forward)
        return None if found is None else {name: np.asarray(value, np.float64) for name, value in found.items()}

    def is_unmoved(self, claims: Claims) -> bool:
        """Run forward once more, for what a moved one keeps is of another point; whether all is then as it was."""
        self.forwards += 1
        self.hook.begin()
        outputs = self.trial.outputs_now()
        again = self.claims()
        if again is None or again.keys() != claims.keys() or not np.array_equal(outputs, self.trial.outputs):
            return False
        return all(np.array_equal(again[name], claim, equal_nan=True) for name, claim in claims.items())

    def claims_noted(self, instead: Mapping[int, Sequence[Floats]]) -> tuple[Claims | None, Noted]:
        """The same, whatever the output is, and what each site sees then."""
        noted: list[tuple[Key, Floats]] = []
        self.hook.begin(note=noted, instead=instead)
        found = self.trial.claims(anew=self.in_forward, of_any_output=True)
        claims = None if found is None else {name: np.asarray(value, np.float64) for name, value in found.items()}
        return claims, _by_site(noted)


def _by_site(noted: Sequence[tuple[Key, Floats]]) -> Noted:
    found: dict[int, list[Floats]] = {}
    for (site, _), value in noted:
        found.setdefault(site, []).append(value)
    return found


def functions_run(work: Callable[[], object]) -> list[Function]:
    """The author's functions that ``work`` calls, in the order in which they first run, as far as they have source."""
    found: dict[CodeType, FunctionType | None] = {}

    def entered(frame: FrameType, event: str, argument: Any) -> None:
        if frame.f_code not in found:
            found[frame.f_code] = _function_in(frame) if is_authors(frame.f_code.co_filename) else None

    before, collects = sys.gettrace(), gc.isenabled()
    gc.disable()  # what a collection runs comes at any time
    sys.settrace(entered)
    try:
        work()
    finally:
        sys.settrace(before)
        if collects:
            gc.enable()
    read = [function_of(live, live.__name__) for live in found.values() if live is not None]
    return [function for function in read if function is not None and not acts_outside(function)]


def _function_in(frame: FrameType) -> FunctionType | None:
    """The function whose code a frame runs: of the class of its first argument, or of its module."""
    code, name = frame.f_code, frame.f_code.co_name
    first = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
    owners = (*type(first).__mro__, *(first.__mro__ if isinstance(first, type) else ()))
    candidates = [vars(owner).get(name) for owner in owners if owner is not object]
    for candidate in (*candidates, frame.f_globals.get(name)):
        plain: Any = getattr(candidate, "fget", None) or getattr(candidate, "__func__", candidate)
        while hasattr(plain, "__wrapped__"):
            plain = plain.__wrapped__
        if isinstance(plain, FunctionType) and plain.__code__ is code:
            return plain
    return None


@contextlib.contextmanager
def hooked_in(functions: Sequence[Function], hook: Hook) -> Generator[list[Site]]:
    """The functions run with the hook around their values meanwhile; yields their sites."""
    sites: list[Site] = []
    with contextlib.ExitStack() as stack:
        for function in functions:
            node, found = instrumented(function, len(sites))
            code = compiled(function.live, node)
            if code is not None:
                stack.enter_context(patched(function.live, code, {HOOK: hook}))
                sites += found
        hook.in_place = frozenset(number for number, site in enumerate(sites) if site.kind is Kind.STATE)
        yield sites
