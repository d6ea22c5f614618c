"""Promises of an operation that leaves gradients in its nodes: it adds to what other uses of a node have left there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradproof.contract.change import beside
from gradproof.contract.promise import Promise
from gradproof.contract.session import Array, Scene, within
from gradproof.nodes.engine import TWICE, Engine, shared_wrong
from gradproof.nodes.operation import Operation
from gradproof.subject.pair_subjects import PairSubject
from gradproof.values import Defect

_AGREES = 1e-6  # relative: a sum of two gradients, each of which may be rounded


def adds_up(scene: Scene) -> Iterator[Defect]:
    """A gradient that a node carries already stays in the sum: the node was used elsewhere too."""
    asked = _asked(scene)
    if asked is None:
        return
    subject, operation, arrays, douts = asked
    rng = np.random.default_rng(scene.example.seed)
    begun = {name: rng.standard_normal(array.shape) for name, array in arrays.items()}
    alone = _pulled(subject, operation, scene.inputs, douts)
    tape = _run(subject, operation, scene.inputs)
    found = subject.ask(operation.pull_onto, tape, douts, begun)
    for name in found or {}:
        if name in alone and not within(found[name], begun[name] + alone[name], _AGREES):
            yield _assigned(name, begun[name], alone[name], found[name])
            return


def one_node_twice(scene: Scene) -> Iterator[Defect]:
    """Where one node is both arguments, as in x * x, its gradient is the sum of both."""
    asked = _asked(scene)
    if asked is None:
        return
    subject, operation, arrays, douts = asked
    if set(arrays) != set(scene.inputs) or not _are_alike(arrays):
        return
    name, first = next(iter(arrays.items()))
    same = dict.fromkeys(arrays, first)
    alone = _pulled(subject, operation, same, douts)
    tape = subject.ask(operation.run_shared, same)
    found: Mapping[str, Array] = {} if tape is None else subject.ask(operation.pull, tape, douts)
    is_known = next(adds_up(scene), None) is not None  # a gradient that is assigned explains it
    if is_known or name not in found or set(alone) != set(arrays):
        return
    expected = np.sum(list(alone.values()), axis=0)
    if not within(found[name], expected, _AGREES):
        yield _shared(operation.name, name, expected, found[name])


def _are_alike(arrays: Mapping[str, Array]) -> bool:
    """Whether there are several arrays, all of one shape."""
    return len(arrays) > 1 and len({array.shape for array in arrays.values()}) == 1


def _asked(scene: Scene) -> tuple[PairSubject, Operation, Mapping[str, Array], list[Array]] | None:
    """The operation, its arrays and upstream gradients; None for another subject."""
    session = scene.session()
    subject = session.subject
    if not isinstance(subject, PairSubject) or subject.operation is None:
        return None
    douts = [np.asarray(dout) for dout in scene.douts(session.forward(scene.inputs))]
    values = {name: value for name, value in scene.inputs.items() if isinstance(value, np.ndarray)}
    arrays = {name: value for name, value in values.items() if value.dtype.kind == "f"}
    return (subject, subject.operation, arrays, douts) if arrays and len(douts) == 1 else None


def _run(subject: PairSubject, operation: Operation, values: Mapping[str, Any]) -> Any:
    _, tape = subject.ask(operation.run, dict(values))
    return tape


def _pulled(subject: PairSubject, operation: Operation, values: Mapping[str, Any], douts: list[Array]) -> Any:
    found = subject.ask(operation.pull, _run(subject, operation, values), douts)
    return found if isinstance(found, dict) else {}


def _assigned(name: str, begun: Array, alone: Array, found: Array) -> Defect:
    seen = beside(f"{name}.grad", ("before backward", begun), ("after it", found))
    lines = (
        ("seen", f"{seen}; this use alone gives {_first(alone)}, so that the sum is {_first(begun + alone)}"),
        ("why it matters", "a node that is used twice, as in x * x + x, keeps the gradient of one of its uses alone"),
        ("what to do", f"add to the gradient: {name}.grad += ..., not {name}.grad = ..."),
    )
    return Defect("GP701", f"the gradient of {name} is assigned, not added to", name, lines)


def _shared(operation: str, name: str, expected: Array, found: Array) -> Defect:
    seen = beside(f"{name}.grad", ("for two nodes of this value, added up", expected), ("for one node", found))
    lines = (
        ("seen", seen),
        ("why it matters", "x * x and x + x are such uses: their gradients come out wrong"),
        ("what to do", "read the gradient of a node right where it is added to: both arguments may be the same node"),
    )
    return Defect("GP702", f"{operation} with one node for all its arguments gets another gradient", name, lines)


def _first(array: Array) -> str:
    return f"{np.ravel(array)[0]:.6g}" if array.size else "nothing"


def graphs(scene: Scene) -> Iterator[Defect]:
    """A library's own backward gives each node the sum over all of its uses, in whatever order they were made."""
    subject = scene.session().subject
    engine = subject.operation if isinstance(subject, PairSubject) else None
    if not isinstance(subject, PairSubject) or not isinstance(engine, Engine):
        return
    for text, found, true in subject.ask(shared_wrong, engine, scene.inputs):
        if text == TWICE:
            yield _one_use_kept(engine, text, found, true)
        elif engine.makes_order:
            yield _out_of_order(engine, text, found, true)
        else:
            continue  # the doubts of an engine that makes no order tell it
        return


def _one_use_kept(engine: Engine, text: str, found: Array, true: Array) -> Defect:
    lines = (
        ("seen", f"{beside('dx', (f'in {text}', found), ('by differences', true))}; {engine.names_of_graphs()}"),
        ("why it matters", "a node that is used twice keeps the gradient of one of its uses alone"),
        ("what to do", "add to the gradient of a node that has one already: x.grad = x.grad + g, not x.grad = g"),
    )
    return Defect("GP701", "the gradient of a node is assigned, not added to", "x", lines)


def _out_of_order(engine: Engine, text: str, found: Array, true: Array) -> Defect:
    lines = (
        ("seen", f"{beside('dx', (f'in {text}', found), ('by differences', true))}; {engine.names_of_graphs()}"),
        ("why it matters", "a node hands on its gradient before all of its uses have added to it, or more than once"),
        (
            "what to do",
            "visit each node once, after all that was made of it: in the reverse of a topological order",
        ),
    )
    return Defect("GP703", "a node goes back before all of its uses have, or twice", "x", lines)


PROMISES = (
    Promise(adds_up, 240, {"GP701": ()}),
    Promise(one_node_twice, 250, {"GP702": ()}),
    Promise(graphs, 260, {"GP701": (), "GP703": ()}),
)
