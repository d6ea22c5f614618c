"""Tells by its name or its number whether a target is the place of a parameter's gradient; it judges no value."""

from __future__ import annotations

import ast

from gradproof.source.source import Function
from gradproof.source.stores import stores
from gradproof.source.syntax import constant, is_self, last_name


def gradient_names(tensor: str) -> frozenset[str]:
    """How authors call the gradient of a tensor: lower case, without underscores."""
    short = plain(tensor.rpartition(".")[2])
    return frozenset({f"d{short}", f"grad{short}", f"{short}grad", f"dld{short}", f"gradient{short}", f"delta{short}"})


def plain(name: str) -> str:
    """The name in lower case, without underscores."""
    return name.lower().replace("_", "")


def is_slot(target: ast.expr, function: Function, name: str, slot: int | None) -> bool:
    """Whether ``target`` is (a part of) the place that holds the gradient of the parameter ``name``."""
    keys: list[ast.expr] = []
    while isinstance(target, ast.Subscript):
        keys.insert(0, target.slice)
        target = target.value
    if keys and last_name(target) in ("grads", "grad", "gradients", "dparams"):
        return _is_key(constant(keys[0]), name, slot)
    if isinstance(target, ast.Attribute):
        return _is_attribute_of(target, name)
    is_entry = isinstance(target, ast.Name) and bool(keys)
    return is_entry and slot is not None and _alias(function, last_name(target)) == slot


def _is_key(key: object, name: str, slot: int | None) -> bool:
    """Whether the gradient of a parameter is kept under a key: its name, its gradient's, or its number."""
    if isinstance(key, str):
        return plain(key) == plain(name.rpartition(".")[2]) or plain(key) in gradient_names(name)
    return key is not None and key == slot


def _is_attribute_of(target: ast.Attribute, name: str) -> bool:
    """Whether it is ``W.grad``, or an attribute that is named after the gradient: ``self.dW``."""
    if target.attr == "grad":
        return last_name(target.value) == name.rpartition(".")[2]
    return plain(target.attr) in gradient_names(name)


def _alias(function: Function, name: str | None) -> int | None:
    """Which of the grads a name stands for: by ``dW, db = self.grads`` or ``dW = self.grads[0]``."""
    for store in stores(function):
        if isinstance(store.target, ast.Name) and store.target.id == name:
            if is_self(store.value, "grads") and store.part is not None:
                return store.part
            if isinstance(store.value, ast.Subscript) and is_self(store.value.value, "grads"):
                key = constant(store.value.slice)
                return key if isinstance(key, int) else None
    return None
