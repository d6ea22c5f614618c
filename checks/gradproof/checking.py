"""The method: generate examples, look at each, shrink what fails, name it, add it all up."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradproof import __version__
from gradproof.allowances import allowances
from gradproof.case.case import Case, Settings, as_settings
from gradproof.case.signatures import inputs_by_name, method_signature
from gradproof.checked_targets import DrawnTarget, ObjectTarget
from gradproof.compare.judge_example import Build
from gradproof.convention.calling import Plan
from gradproof.convention.convention import convention_for, convention_of
from gradproof.deadlines import Expired, limited
from gradproof.errors import UsageError
from gradproof.findings import SubjectReport
from gradproof.generate.few_examples import examples_of
from gradproof.generate.generate import search
from gradproof.infer.infer import infer
from gradproof.infer.inference import judged, tells_nothing
from gradproof.plan_choice import Choice, choose, likeliest
from gradproof.report.report import GradientFault, Report
from gradproof.run import Run
from gradproof.source.hints import code_of
from gradproof.subject.subject import subject_from, subject_of
from gradproof.values import Example, Verdict

DOUTS = 3  # upstream gradients tried on one concrete layer object


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
    seconds = case.settings.timeout if timeout is None else timeout
    title, command = name or case.name, reproduce or f"gradproof {location} --seed {start}"
    choice = _choice(case, start, seconds)
    reports: list[SubjectReport] = []
    for plan in choice.plans or (None,):
        target = DrawnTarget(case.called(plan), examples=number, seed=start, inferred=inferred)
        allowed = allowances(target.code, case.settings.allow, title)
        run = Run(title, location, start, command, allowed, target)
        _search(run, target, number, seconds, into)
        report = run.report()
        report = replace(report, notes=(*case.construction.notes(case.init), *report.notes))
        reports.append(choice.added_to(report, plan))
        if reports[-1].verdict is not Verdict.FAIL:
            return reports[-1]
    return likeliest(reports)


def _choice(case: Case, seed: int, seconds: float) -> Choice:
    """How backward is called; as its names say where that takes longer than a subject may take."""

    def called(example: Example, plan: Plan | None) -> Build:
        return functools.partial(subject_of, case.called(plan), example)

    try:
        with limited(seconds):
            return choose(examples_of(case, seed), called)
    except Expired as expired:
        return Choice(cut_off=expired.seconds)


def _search(run: Run, target: DrawnTarget, examples: int, seconds: float, into: list[SubjectReport] | None) -> None:
    """Judge examples until the time is over; what fails is made smaller and named."""

    def work() -> None:
        drawn = functools.partial(target.judge_drawn, run.outcomes)
        search(target.case, drawn, examples=examples, seed=run.seed, into=run.outcomes)
        run.outcomes[:] = target.preparation.confirmed(run.outcomes, target.judge)
        run.try_promises()
        run.explain()

    try:
        run.in_time(seconds, work)
    except KeyboardInterrupt:
        if into is not None:
            into.append(run.report("interrupted: the search did not end"))
        raise


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

    def checked(cases: Iterable[Case]) -> list[SubjectReport]:
        return [_check_declared(case.under(as_settings(settings)), inferred=True) for case in cases]

    report, *others = checked([found.case, *found.others])
    readings = checked(each.case for each in found.readings) if report.verdict is Verdict.FAIL else []
    behind = [found.implied.case] if found.implied is not None and tells_nothing(report) else []
    return judged(report, found, others, readings, next(iter(checked(behind)), None))


def _check_declared(case: Case, *, inferred: bool = False) -> SubjectReport:
    """A Case that no file need hold under a name: the call itself reproduces it."""
    call = f"check{case.declaration().removeprefix('Case')}"
    return check_case(case, location=case.name, inferred=inferred, reproduce=call)


def _check_object(layer: Any, arguments: tuple[Any, ...], named: dict[str, Any], settings: Settings) -> SubjectReport:
    """One layer object at one input, for several upstream gradients."""
    came = f"{layer!r} (type {type(layer).__name__})"
    told = f"expected a layer class, a layer object or two functions, got {came}, which"
    convention = convention_for(type(layer), told, settings.convention)
    signature = method_signature(type(layer), convention.forward)
    inputs = inputs_by_name(signature, arguments, named)
    name = type(layer).__name__
    floats = frozenset(key for key, value in inputs.items() if _is_float(value))
    drawn = [Example({}, {}, inputs, settings.seed + number, floats) for number in range(DOUTS)]
    whole = functools.partial(subject_from, layer, signature, convention)
    choice = choose(drawn, lambda _, plan: functools.partial(whole, plan=plan), declared=False)
    plan = next(iter(choice.plans), None)
    target = ObjectTarget(code_of(type(layer)), functools.partial(whole, plan=plan), drawn[0])
    call = f"check({name.lower()}, {', '.join(inputs)})"
    run = Run(name, name, settings.seed, call, allowances(target.code, settings.allow, name), target)

    def work() -> None:
        for example in drawn:
            run.outcomes.append(target.judge(example))
        run.try_promises()
        run.explain()

    run.in_time(settings.timeout, work)
    report = choice.added_to(run.report(), plan)
    return replace(report, notes=(*report.notes, *_unchecked(inputs, floats)))


def _unchecked(inputs: Mapping[str, Any], floats: frozenset[str]) -> tuple[str, ...]:
    """Say which inputs have no gradient to check, where they could have been meant to have one."""
    kinds = {name: np.asarray(value) for name, value in inputs.items() if name not in floats}
    return tuple(
        f"{name} holds {array.dtype}: no gradient is checked for it (for one, pass an array of floats)"
        for name, array in kinds.items()
        if array.ndim and array.dtype.kind in "biuf"
    )


def _is_layer(target: Any) -> bool:
    return hasattr(target, "forward") or convention_of(type(target)) is not None


def _is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"
