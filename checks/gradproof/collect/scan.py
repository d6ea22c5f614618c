"""What a source text defines, read from its syntax without running any of it; it imports and loads nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from gradproof.convention.convention import BACKWARDS, FORWARDS

# how the name of a backward function becomes the name of its forward function
HALVES = (("backward", "forward"), ("Backward", "Forward"), ("bwd", "fwd"), ("backprop", "forward"))
_LOSS = re.compile(r"(^|_)loss(_|$)", re.IGNORECASE)
_DEFINITIONS = (ast.ClassDef, ast.FunctionDef)
_CLASS = re.compile(r"^class +(\w+)", re.MULTILINE)


def defines_subjects(text: str) -> bool:
    """Whether the text defines a class with a forward and a backward, half of a pair of functions, or a loss."""
    return bool(subject_names(text))


def subject_names(text: str) -> list[str]:
    """The classes, backward functions and losses that the text defines; of a text that does not parse, the classes."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return _CLASS.findall(text) if any(back in text for back, _ in HALVES) else []
    return [node.name for node in tree.body if isinstance(node, _DEFINITIONS) and _is_subject(node)]


def checked_name(node: ast.stmt) -> str | None:
    """The name of the subject that a statement defines, or of the Case that it declares; None for any other."""
    if isinstance(node, _DEFINITIONS):
        return node.name if _is_subject(node) else None
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return None
    declares = ast.unparse(node.value.func).rpartition(".")[2] == "Case"
    return ast.unparse(node.targets[0]) if declares else None


def is_loss(definition: ast.FunctionDef) -> bool:
    """Whether a function is called a loss, takes at least two arguments and returns a pair: (loss, gradient)."""
    if not _LOSS.search(definition.name) or len(definition.args.posonlyargs + definition.args.args) < 2:
        return False
    returned = [node.value for node in _own_nodes(definition) if isinstance(node, ast.Return)]
    return any(isinstance(value, ast.Tuple) and len(value.elts) == 2 for value in returned)


def is_backward(name: str) -> bool:
    """Whether a function of this name is the backward half of a pair."""
    return any(_halved(name, back) is not None for back, _ in HALVES)


def stem(name: str) -> str:
    """What the names of the two halves have in common: ``conv_naive`` for ``conv_backward_naive``."""
    parts = next((parts for back, _ in HALVES if (parts := _halved(name, back)) is not None), (name, ""))
    return "_".join(part for part in (parts[0].strip("_"), parts[1].strip("_")) if part)


def _halved(name: str, word: str) -> tuple[str, str] | None:
    """What stands before and behind ``word`` in a name, where it stands there as a word: not as in ``backwards``."""
    before, found, after = name.partition(word)
    apart = not after[:1].islower() and (word[0].isupper() or not before[-1:].isalpha())
    return (before, after) if found and apart else None


def forwards_of(name: str) -> Iterator[str]:
    """The names that the forward half of ``name`` may have, the likeliest first.

    ``conv_backward_naive`` belongs to ``conv_forward_naive``, or else to ``conv_forward``; ``relu_backward`` to
    ``relu_forward``, or else to ``relu``.
    """
    for back, forth in HALVES:
        parts = _halved(name, back)
        if parts is not None:
            before, after = parts
            yield f"{before}{forth}{after}"
            if before:
                yield f"{before}{forth}"
            if bare := f"{before.rstrip('_')}{after}".strip("_"):
                yield bare


def backwards_of(name: str) -> list[str]:
    """The names that the backward half of a forward function may have."""
    halves = [(back, _halved(name, forth)) for back, forth in HALVES[:3]]
    return [f"{parts[0]}{back}{parts[1]}" for back, parts in halves if parts is not None]


def _is_subject(node: ast.ClassDef | ast.FunctionDef) -> bool:
    if isinstance(node, ast.FunctionDef):
        return is_backward(node.name) or is_loss(node)
    if _methods(node).isdisjoint(BACKWARDS):
        return False
    return bool(node.bases) or has_forward(node) or any(map(_leaves_closure, node.body))


def has_forward(node: ast.ClassDef) -> bool:
    """Whether a class defines a forward."""
    return not _methods(node).isdisjoint(FORWARDS)


def _methods(node: ast.ClassDef) -> set[str]:
    return {part.name for part in node.body if isinstance(part, ast.FunctionDef)}


def _leaves_closure(method: ast.stmt) -> bool:
    """Whether a method defines a function and returns something: an operation of nodes may leave its backward so."""
    inner = list(ast.walk(method))[1:] if isinstance(method, ast.FunctionDef) else []
    defines = any(isinstance(node, (ast.FunctionDef, ast.Lambda)) for node in inner)
    return defines and any(isinstance(node, ast.Return) for node in inner)


def _own_nodes(definition: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of the functions that it defines."""
    for child in ast.iter_child_nodes(definition):
        yield child
        if not isinstance(child, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            yield from _own_nodes(child)
