"""Adds to findings the lines of source that bear on them, and makes a note of a slip that no finding shows.

It reads source and findings; it runs nothing and judges no gradient.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from gradproof.codes import CODES, is_of_exception, is_of_form, is_of_gradient, is_of_promise
from gradproof.convention.convention import Convention
from gradproof.findings import Finding, SourceHint
from gradproof.nodes.conventions import operation_of
from gradproof.source import clues, origin, writes
from gradproof.source.locations import at_line, located
from gradproof.source.origin import Place
from gradproof.source.slips import Slip, never_stored, slips_in
from gradproof.source.source import Code, Function, code_of_class, code_of_functions, helpers
from gradproof.values import LayerError, Outcome

MOST_LINES = 3  # lines of source under "look at": the one that computes the gradient, and what that is made of


def pointed(findings: Sequence[Finding], code: Code, outcomes: Sequence[Outcome]) -> tuple[Finding, ...]:
    """Each finding of a subject with the lines of source that bear on it, and a note for each slip beside them.

    A slip that the syntax shows goes with the first measured fault that its line computes, else with the first fault.
    """
    lines = [_of_finding(finding, code, outcomes) for finding in findings]
    faults = {i: places for i, (places, _) in enumerate(lines) if _is_fault(findings[i])}
    owned: dict[int | None, list[Slip]] = {}
    for slip in _slips(code):
        owned.setdefault(_owner(slip, faults), []).append(slip)
    found = [
        _with_lines(finding, places, [*owned.get(i, []), *signs])
        for i, (finding, (places, signs)) in enumerate(zip(findings, lines, strict=True))
    ]
    return (*found, *(_note(code.name, slip) for slip in owned.get(None, [])))


def _with_lines(finding: Finding, places: Sequence[Place], slips: Sequence[Slip]) -> Finding:
    """The finding with the statements that compute its gradient, the line that raised, and the slips."""
    hints = [_hint(place.function, place.statement) for place in places]
    raised = None if finding.error is None else line_of(finding.error)
    if raised is not None:
        hints.append(raised)
    return hinted(finding, [*hints, *map(_slip_hint, slips)])


def _owner(slip: Slip, faults: Mapping[int, list[Place]]) -> int | None:
    """The finding that a slip goes with, the first that its line computes, else the first; None where there is none."""
    for number, places in faults.items():
        if any(place.statement is slip.statement for place in places):
            return number
    return next(iter(faults), None)


def notes_of(module: ModuleType, checked: Collection[Any]) -> tuple[Finding, ...]:
    """A note for each slip in the functions and classes that a module itself defines.

    ``checked`` are the subjects, each a class, a function, or a pair (forward, backward): their slips, and those of the
    functions that they call, are told there.
    """
    known: set[tuple[str, int]] = set()
    for subject in checked:
        code = code_of(*subject) if isinstance(subject, tuple) else code_of(subject)
        known.update(function.place for function in _read(code))
    found: list[Finding] = []
    for value in _own_values(module):
        code = code_of(value)
        functions = [function for function in code.functions if function.place not in known]
        known.update(function.place for function in functions)
        found += [_note(code.name, slip) for function in functions for slip in slips_in(function)]
    return tuple(found)


def _own_values(module: ModuleType) -> list[Any]:
    """The classes and functions that a module itself defines, each once whatever names it has."""
    return list({id(value): value for value in vars(module).values() if _is_defined_in(module, value)}.values())


def code_of(target: Any, backward: Any = None, convention: Convention | None = None) -> Code:
    """The source of a subject: a class, by the convention in which it is called, or a function and its backward."""
    operation = operation_of(target)
    if operation is not None:
        owner, forward, back = operation.code
        if isinstance(owner, type):
            return code_of_class(owner, forward, back)
        # a node that a function is given has attributes which the function never stores: not all can be read
        return replace(code_of_functions(forward, back), complete=False)
    if not isinstance(target, type):
        return code_of_functions(target, backward)
    named = () if convention is None else (convention.forward, convention.backward)
    return code_of_class(target, *named)


def hinted(finding: Finding, hints: Sequence[SourceHint]) -> Finding:
    """The finding with the lines of source before those that say how to see it again."""
    return replace(finding, hints=(*finding.hints, *hints)) if hints else finding


def _is_fault(finding: Finding) -> bool:
    code = finding.code
    return finding.severity == "error" and (is_of_gradient(code) or is_of_form(code) or is_of_exception(code))


def _of_finding(finding: Finding, code: Code, outcomes: Sequence[Outcome]) -> tuple[list[Place], list[Slip]]:
    """The statements that compute the gradient that a finding is about, and the signs that fit the fault."""
    if finding.code == "GP205":
        return [], clues.of_missing_grads(code)
    if is_of_promise(finding.code):
        return writes.of_promise(code, finding.code, finding.tensor), []
    if finding.tensor is None or not outcomes:
        return [], []
    place = place_of(code, finding.tensor, outcomes)
    places = [] if place is None else [place, *origin.behind(code, place)][:MOST_LINES]
    return places, _signs(finding.code, code, finding.tensor, place, outcomes)


def _signs(of: str, code: Code, tensor: str, place: Place | None, outcomes: Sequence[Outcome]) -> list[Slip]:
    """The signs in the source that fit a fault of one tensor, ``of`` this code."""
    inputs = outcomes[0].example.inputs
    if of == "GP202":
        return clues.of_missing(code) if tensor in inputs else []
    if not is_of_gradient(of):
        return []
    ranks = {result.name: len(result.shape) for outcome in outcomes for result in outcome.tensors}
    is_parameter = tensor not in inputs
    return clues.of_gradient(
        code, tensor, place, parameter=is_parameter, rank=ranks.get(tensor) if is_parameter else None
    )


def line_of(error: LayerError) -> SourceHint | None:
    """The innermost line of the author's of an exception; None where the call itself was refused."""
    return SourceHint(at_line(error.file, error.line), error.text) if error.line else None


def place_of(code: Code, tensor: str, outcomes: Sequence[Outcome]) -> Place | None:
    """The statement that computes the gradient of a tensor; None where it cannot be told."""
    example = outcomes[0].example
    if tensor in example.inputs:
        arrays = [name for name, value in example.inputs.items() if isinstance(value, np.ndarray)]
        wanted = example.wanted
        return origin.of_input(code, tensor, wanted, arrays)
    names = dict.fromkeys(result.name for outcome in outcomes for result in outcome.tensors)
    parameters = [name for name in names if name not in example.inputs]
    return origin.of_parameter(code, tensor, parameters.index(tensor) if tensor in parameters else None)


def _slips(code: Code) -> list[Slip]:
    return [*(slip for function in _read(code) for slip in slips_in(function)), *never_stored(code)]


def _read(code: Code) -> Iterator[Function]:
    """The functions of a subject, and the author's own that they call by name, and those that these call."""
    known: dict[tuple[str, int], Function] = {function.place: function for function in code.functions}
    for _ in range(2):
        for function in list(known.values()):
            for helper in helpers(function):
                known.setdefault(helper.place, helper)
    yield from known.values()


def _is_defined_in(module: ModuleType, value: Any) -> bool:
    """Whether a class or function is the module's own; a cell of a notebook is a module below the notebook's."""
    home = getattr(value, "__module__", None) if isinstance(value, type | FunctionType) else None
    return home is not None and (home == module.__name__ or home.startswith(f"{module.__name__}.cell_"))


def _hint(function: Function, statement: Any) -> SourceHint:
    return SourceHint(located(function.file, statement), function.text(statement))


def _slip_hint(slip: Slip) -> SourceHint:
    return replace(_hint(slip.function, slip.statement), sentence=slip.sentence, code=slip.code)


def _note(subject: str, slip: Slip) -> Finding:
    code = str(slip.code)
    name = slip.function.node.name
    title = subject if name == subject else f"{subject}.{name}"
    hint = replace(_slip_hint(slip), code=None)  # the headline has it
    return Finding(code, title, CODES[code].headline, severity=CODES[code].severity, hints=(hint,))
