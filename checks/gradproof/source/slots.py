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
    if last_name(target) in ("grads", "grad", "gradients", "dparams") and keys:
        key = constant(keys[0])
        if isinstance(key, str):
            return plain(key) == plain(name.rpartition(".")[2]) or plain(key) in gradient_names(name)
        return key is not None and key == slot
    if isinstance(target, ast.Attribute):
        if target.attr == "grad":
            return last_name(target.value) == name.rpartition(".")[2]
        return plain(target.attr) in gradient_names(name)
    return isinstance(target, ast.Name) and bool(keys) and slot is not None and _alias(function, target.id) == slot


def _alias(function: Function, name: str) -> int | None:
    """Which of the grads a name stands for: by ``dW, db = self.grads`` or ``dW = self.grads[0]``."""
    for store in stores(function):
        if isinstance(store.target, ast.Name) and store.target.id == name:
            if is_self(store.value, "grads") and store.part is not None:
                return store.part
            if isinstance(store.value, ast.Subscript) and is_self(store.value.value, "grads"):
                key = constant(store.value.slice)
                return key if isinstance(key, int) else None
    return None
