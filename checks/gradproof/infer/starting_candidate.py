"""The candidate with which a search begins: what annotations, defaults and names say of arguments; it runs nothing."""

from __future__ import annotations

from dataclasses import replace
from inspect import Parameter
from typing import Any

import numpy as np

from gradproof.convention.preparation import is_of_training
from gradproof.infer.annotations import annotated
from gradproof.infer.arguments import Undeclared
from gradproof.infer.hyperparameters import CORPUS
from gradproof.infer.picked_entries import entries_picked
from gradproof.infer.roles import Role, role_of
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import DEFAULT, SIZE, UNKNOWN, Kind, array, sizes, value
from gradproof.trace.polynomials import number

ENTRIES_AXES = 3  # of a list of arrays, each with rows
LARGE = 6  # a default size above this one only makes the check slow: the size is drawn


def start_of(target: Undeclared) -> Candidate:
    """What is known before anything runs: annotations, defaults, and nothing of the rest."""
    kinds = {name: _first_kind(target, name) for name in dict.fromkeys([*target.built, *target.called])}
    found = Candidate(kinds)
    for name in kinds:
        told_shape = annotated(target.annotations.get(name))
        if told_shape is not None:
            own = {f"{name}.{place}": size for place, size in enumerate(told_shape.sizes)}
            found = replace(found, kinds={**found.kinds, name: told_shape.kind}, bound={**found.bound, **own})
    return _with_entries(target, found)


def _with_entries(target: Undeclared, candidate: Candidate) -> Candidate:
    """With as many entries along the first axis as forward picks one by one, of what it is given."""
    for name, kind in candidate.kinds.items():
        count = entries_picked(target.forward_function, name) if kind is UNKNOWN and name in target.called else None
        if count is not None:
            kinds = {**candidate.kinds, name: array(ENTRIES_AXES)}
            candidate = replace(candidate, kinds=kinds, bound={**candidate.bound, f"{name}.0": number(count)})
    return candidate


def _first_kind(target: Undeclared, name: str) -> Kind:
    built = name in target.built
    role = role_of(name, constructor=built)
    default: Any = target.parameter(name).default
    if default is Parameter.empty:
        return _of_required(target, name, role)
    if role is Role.TARGET and default is None:
        return UNKNOWN
    if default is False and not built and is_of_training(name):
        return value(True)  # backward belongs to training
    if not built or role not in (Role.SIZE, Role.SHAPE):
        return DEFAULT
    return _of_large_default(default, role)


def _of_required(target: Undeclared, name: str, role: Role) -> Kind:
    """What the name of an argument without a default says."""
    is_function = role is Role.FUNCTION and len(name) > 1  # one letter says little
    if is_function and name in target.built:
        return value(np.exp, "np.exp")  # its own derivative: it may stand for a function and for its derivative
    if _is_flag(target, name):
        return value(True)
    return value(list(CORPUS)) if role is Role.CORPUS else UNKNOWN


def _is_flag(target: Undeclared, name: str) -> bool:
    """Whether its annotation says so, or its name says that the layer is in training."""
    hint, others = target.annotations.get(name), list(target.called)[1:]  # forward is about its first argument
    return hint is bool or (hint is None and name in others and is_of_training(name))


def _of_large_default(default: Any, role: Role) -> Kind:
    """Sizes, where those of the default only make the check slow."""
    if isinstance(default, tuple):
        given: list[Any] = list(default)  # pyright: ignore[reportUnknownArgumentType]
        return sizes(len(given)) if any(type(size) is int and size > LARGE for size in given) else DEFAULT
    return SIZE if role is Role.SIZE and type(default) is int and default > LARGE else DEFAULT
