"""The method: generate examples, look at each, shrink what fails, name it, add it all up."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradproof import __version__
from gradproof.allowances import allowances
from gradproof.case.case import Case, Settings, as_settings
from gradproof.case.signatures import Signature, method_signature
from gradproof.compare.glance import glance
from gradproof.compare.look import Build, ask, look
from gradproof.contract.contract import keep
from gradproof.convention.convention import convention_for, convention_of
from gradproof.diagnose.cause import Link
from gradproof.diagnose.chain import weak_link
from gradproof.errors import UsageError
from gradproof.generate.generate import search, shrink
from gradproof.generate.vary import neighbours
from gradproof.infer.infer import infer
from gradproof.infer.inference import judged
from gradproof.infer.variations import variations
from gradproof.mend.mend import Mended
from gradproof.mend.mend import search as try_changes
from gradproof.mend.targets import trees_of
from gradproof.prepare import Preparation
from gradproof.report.report import GradientFault, Report
from gradproof.run import Run
from gradproof.source.hints import code_of, place_of
from gradproof.source.source import Code
from gradproof.subject.subject import subject_from, subject_of
from gradproof.values import Example, Outcome, SubjectReport, Verdict

GLANCES = 180  # forwards for the neighbours of one failing example; one glance takes about ten
DOUTS = 3  # upstream gradients tried on one concrete layer object
Judge = Callable[[Example], Outcome]


def check(target: Any, /, *arguments: Any, settings: Settings | None = None, **named: Any) -> Report:
    """Check a layer class, a layer object, a pair of functions, or a Case, and return the report of a pass.

    ``check(Affine, W="d h", b="h", x="n d")`` draws random shapes and batch sizes; ``check(layer, x)`` takes one object
    at one input; ``check(forward, backward, x="n d", w="d h")`` takes a pair of functions with a cache; ``check(case)``
    a Case; ``check(Affine)`` infers one, as the command does. Raises GradientFault (an AssertionError that carries the
    report) where a fault is found, UsageError for arguments that cannot work. The report's verdict may be INCONCLUSIVE:
    look at it where that matters.
    """
    __tracebackhide__ = True
    if isinstance(target, Case):
        if arguments or named or settings is not None:
            raise UsageError(f"check({target.name}'s Case) takes nothing else: put settings and shapes into the Case")
        subject = _check_declared(target)
    elif isinstance(target, type) or (callable(target) and not _is_layer(target)):
        subject = _check_subject(target, arguments, named, settings)
    else:
        subject = _check_object(target, arguments, named, as_settings(settings))
    report = Report((subject,), subject.seed, None, __version__)
    if report.verdict is Verdict.FAIL:
        raise GradientFault(report)
    return report


def check_case(
    case: Case,
    *,
    location: str,
    name: str | None = None,
    examples: int | None = None,
    seed: int | None = None,
    timeout: float | None = None,
    into: list[SubjectReport] | None = None,
    inferred: bool = False,
    reproduce: str | None = None,
) -> SubjectReport:
    """Check one Case, within ``timeout`` seconds. ``reproduce`` is what its findings give to run again.

    ``name`` is what messages call it. inferred: nobody declared the Case, so that all hyper-parameters may vary, not
    only those that it leaves at their defaults. Ctrl-C ends the search: ``into`` receives a partial report, and it is
    raised on.
    """
    number = case.settings.examples if examples is None else examples
    start = case.settings.seed if seed is None else seed

    target = _Target(case, inferred=inferred)
    title, command = name or case.name, reproduce or f"gradproof {location} --seed {start}"
    code = code_of(case.subject, case.backward, case.convention)
    allowed = allowances(code, case.settings.allow, title)
    mend = functools.partial(_mend, code, target.build)
    ask_or_look = target.inquire, target.inside
    run = Run(title, location, start, command, allowed, *ask_or_look, code, mend, target.around, target.judge)

    def work() -> None:
        drawn = functools.partial(target.judge_drawn, run.outcomes)
        search(case, drawn, examples=number, seed=start, into=run.outcomes)
        run.outcomes[:] = target.preparation.confirmed(run.outcomes, target.judge)
        run.try_promises(target.keep, functools.partial(shrink, case, seed=start, examples=number))
        run.name_failures(functools.partial(shrink, case, target.judge, seed=start, examples=number))

    try:
        run.in_time(case.settings.timeout if timeout is None else timeout, work)
    except KeyboardInterrupt:
        if into is not None:
            into.append(run.report("interrupted: the search did not end"))
        raise
    return run.report()


class _Target:
    """A Case and how one example of it is built, judged, and asked for a cause."""

    def __init__(self, case: Case, *, inferred: bool) -> None:
        self.case, self.preparation = case, Preparation(self.build, variations(case, inferred=inferred))

    def build(self, example: Example) -> Build:
        return functools.partial(subject_of, self.case, example)

    def judge(self, example: Example) -> Outcome:
        fitted = self.preparation.fitted(example)
        return look(fitted, self.build(fitted))

    def judge_drawn(self, before: Sequence[Outcome], example: Example) -> Outcome:
        """Judge an example of the search, which follows those ``before``."""
        return self.preparation.judged(example, len(before), self.judge)

    def keep(self, example: Example, **how: Any) -> Outcome:
        """Try the promises."""
        return keep(self.preparation.fitted(example), self.build, **how)

    def inquire(self, outcome: Outcome) -> Outcome:
        return ask(outcome, self.build(outcome.example))

    def inside(self, example: Example) -> Link | None:
        return weak_link(example, self.build(example))

    def around(self, outcome: Outcome, tensor: str) -> list[Outcome]:
        """A glance at each neighbour of an example, as long as the forwards last."""
        found: list[Outcome] = []
        for example in map(self.preparation.fitted, neighbours(self.case, outcome.example)):
            if sum(o.forwards for o in found) < GLANCES:
                found.append(glance(example, self.build(example), tensor))
        return found


def _mend(
    code: Code,
    build: Callable[[Example], Build],
    outcomes: Sequence[Outcome],
    reserve: Sequence[Outcome],
    part: type | None,
    **how: Any,
) -> Mended:
    """Try changes of the whole's own functions, or of those of the part that is wrong by itself."""
    code = code if part is None else _code_of_part(part)
    place = functools.partial(place_of, code, outcomes=outcomes)
    return try_changes(trees_of(code), outcomes, reserve, build, place, **how)


def _code_of_part(part: type) -> Code:
    return code_of(part, convention=convention_of(part))


def _check_subject(
    target: Any, arguments: tuple[Any, ...], named: dict[str, Any], settings: Settings | None
) -> SubjectReport:
    """A class or functions, with what is declared of them; where nothing is, with what forward shows of it."""
    functions = [target, *arguments]
    if named or not all(map(callable, functions)):
        return _check_declared(Case(target, *arguments, settings=settings, **named))
    found = infer(target if not arguments else tuple(functions))
    if found.case is None:
        raise UsageError(found.problem or "no Case was found: declare one")
    reports = [_check_declared(case.under(as_settings(settings))) for case in (found.case, *found.others)]
    return judged(reports[0], found, reports[1:])


def _check_declared(case: Case) -> SubjectReport:
    """A Case that no file need hold under a name: the call itself reproduces it."""
    return check_case(case, location=case.name, reproduce=f"check{case.declaration().removeprefix('Case')}")


def _check_object(layer: Any, arguments: tuple[Any, ...], named: dict[str, Any], settings: Settings) -> SubjectReport:
    """One layer object at one input, for several upstream gradients."""
    came = f"{layer!r} (type {type(layer).__name__})"
    told = f"expected a layer class, a layer object or two functions, got {came}, which"
    convention = convention_for(type(layer), told, settings.convention)
    signature = method_signature(type(layer), convention.forward)
    inputs = _object_inputs(signature, arguments, named)
    name = type(layer).__name__
    build = functools.partial(subject_from, layer, signature, convention)
    floats = frozenset(key for key, value in inputs.items() if _is_float(value))
    preparation = Preparation(lambda _: build)
    preparation.own(Example({}, {}, inputs, settings.seed, floats))
    build = functools.partial(build, numbers=preparation.numbers)
    inquire = functools.partial(ask, build=build, declared=False)
    call = f"check({name.lower()}, {', '.join(inputs)})"
    code = code_of(type(layer))
    inside = functools.partial(weak_link, build=build)
    mend = functools.partial(_mend, code, lambda _: build)
    run = Run(name, name, settings.seed, call, allowances(code, settings.allow, name), inquire, inside, code, mend)

    def work() -> None:
        for number in range(DOUTS):
            example = Example({}, {}, inputs, settings.seed + number, floats)
            run.outcomes.append(look(example, build, declared=False))
        run.try_promises(functools.partial(keep, build=lambda _: build, declared=False), _as_found)
        run.name_failures(_as_found)

    run.in_time(settings.timeout, work)
    report = run.report()
    return replace(report, notes=(*report.notes, *_unchecked(inputs, floats)))


def _unchecked(inputs: Mapping[str, Any], floats: frozenset[str]) -> tuple[str, ...]:
    """Say which inputs have no gradient to check, where they could have been meant to have one."""
    kinds = {name: np.asarray(value) for name, value in inputs.items() if name not in floats}
    return tuple(
        f"{name} holds {array.dtype}: no gradient is checked for it (for one, pass an array of floats)"
        for name, array in kinds.items()
        if array.ndim and array.dtype.kind in "biuf"
    )


def _object_inputs(signature: Signature, arguments: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Forward's inputs by name. Raises UsageError where they are not what forward takes."""
    names: tuple[str, ...] = signature.names
    if signature.extra_positions:
        names = (*names, *(f"args[{i}]" for i in range(len(arguments) - len(names))))
    if len(arguments) > len(names):
        takes = ", ".join(names) or "nothing"
        raise UsageError(f"{signature.title} takes {takes}, got {len(arguments)} values")
    by_position = dict(zip(names, arguments, strict=False))
    inputs = {**by_position, **named}
    wrong = {
        "needs": [name for name in signature.required if name not in inputs],
        "takes no": [name for name in inputs if name not in names and not signature.extra_keywords],
        "got twice": [name for name in named if name in by_position],
        "got a string for": [name for name, value in inputs.items() if isinstance(value, str)],
    }
    for what, listed in wrong.items():
        if listed:
            remedy = "give forward's inputs as arrays, as in check(layer, x)"
            raise UsageError(f"{signature.title} {what} {', '.join(listed)}: {remedy}")
    return inputs


def _is_layer(target: Any) -> bool:
    return hasattr(target, "forward") or convention_of(type(target)) is not None


def _as_found(*_: object, fails: Callable[[Outcome], bool], start: Example) -> Outcome | None:
    """One concrete input is as small as it was given: there is nothing to shrink."""
    return None


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"
