"""What a source text defines, read from its syntax without running any of it; it imports and loads nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from gradproof.convention import function_names
from gradproof.convention.argument_names import role_of, targets
from gradproof.convention.convention import BACKWARDS, FORWARDS
from gradproof.convention.function_names import is_backward
from gradproof.convention.gradnames import partner
from gradproof.convention.return_statements import closure_of, own_nodes

_BACKWARDS = ("backward", "Backward", "bwd", "backprop")  # words of which one stands in a text that defines a pair
_LOSS = re.compile(r"(^|_)loss(_|$)", re.IGNORECASE)
_DEFINITIONS = (ast.ClassDef, ast.FunctionDef)
# what stands beside a loss and is no gradient of it
_NO_GRADIENT = re.compile(
    r"\w*cache|acc\w*|\w*prob\w*|\w*pred\w*|\w*score\w*|logits|\w*hat|out\w*|info|metrics|stats|n\w*"
)
_FUNCTIONS = re.compile(r"f|fn|func|function|fun|callback|layer|model|net|network|optimizer|self")  # no arrays
_CLASS = re.compile(r"^class +(\w+)", re.MULTILINE)


def defines_subjects(text: str) -> bool:
    """Whether the text defines a class with a forward and a backward, half of a pair of functions, or a loss."""
    return bool(subject_names(text))


def subject_names(text: str) -> list[str]:
    """The classes, backward functions and losses that the text defines; of a text that does not parse, the classes."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return _CLASS.findall(text) if any(back in text for back in _BACKWARDS) else []
    defined = {node.name: node for node in tree.body if isinstance(node, _DEFINITIONS)}
    functions = {name: node for name, node in defined.items() if isinstance(node, ast.FunctionDef)}
    return [name for name, node in defined.items() if _is_subject(node, functions)]


def checked_name(node: ast.stmt) -> str | None:
    """The name of the subject that a statement defines, or of the Case that it declares; None for any other."""
    if isinstance(node, _DEFINITIONS):
        return node.name if _is_subject(node, {}) else None
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return None
    declares = ast.unparse(node.value.func).rpartition(".")[2] == "Case"
    return ast.unparse(node.targets[0]) if declares else None


def is_loss(definition: ast.FunctionDef) -> bool:
    """Whether a function returns a value and, behind it, gradients of its arguments: (loss, dx), (loss, (dx, dw)).

    One that is called a loss may call its gradient as it likes, but for names of what is no gradient.
    """
    arguments = [argument.arg for argument in definition.args.posonlyargs + definition.args.args]
    if len(arguments) < 2:
        return False
    called = bool(_LOSS.search(definition.name))
    returned = [node.value for node in own_nodes(definition) if isinstance(node, ast.Return)]
    tuples = [value.elts for value in returned if isinstance(value, ast.Tuple) and len(value.elts) > 1]
    return any(_are_gradients(elements[1:], arguments, called=called) for elements in tuples)


def _are_gradients(elements: list[ast.expr], arguments: list[str], *, called: bool) -> bool:
    """Whether what stands behind a loss are gradients, by their names."""
    if called and len(elements) == 1:
        return not (isinstance(elements[0], ast.Name) and _NO_GRADIENT.fullmatch(elements[0].id))
    names = [node.id for element in elements for node in ast.walk(element) if isinstance(node, ast.Name)]
    return called and len(names) > 0 and all(partner(name, arguments) not in (None, name) for name in names)


def is_closure(definition: ast.FunctionDef) -> bool:
    """Whether a function returns its output and, behind it, its backward."""
    return bool(definition.args.posonlyargs + definition.args.args) and closure_of(definition) is not None


def pair_of(name: str, functions: Mapping[str, ast.FunctionDef | None]) -> str | None:
    """The name of the forward function that belongs to the backward function of this name; None where there is none.

    A name that only may be that of a backward counts where its arguments are those of a derivative as well. A function
    whose source cannot be read has no definition.
    """
    forward = function_names.forward_of(name, functions)
    if forward is None or is_backward(name):
        return forward
    mine, theirs = functions[name], functions[forward]
    return forward if mine is not None and theirs is not None and _may_derive(mine, theirs) else None


def _may_derive(backward: ast.FunctionDef, forward: ast.FunctionDef) -> bool:
    """Whether these may be the arguments of a derivative of ``forward``: they tell of what forward was given.

    ``clip_grad(g, low, high)`` is told nothing of the x of ``clip(x, low, high)``, ``d_loss(real, fake)`` shares
    nothing with ``loss(model, x)``: they are other functions, not derivatives.
    """
    own, theirs = _required(backward), _required(forward)
    takes_function = any(_FUNCTIONS.fullmatch(name) for name in own)
    if not theirs or len(own) > len(theirs) + 2 or takes_function:
        return False
    returned = [node.value for node in own_nodes(backward) if isinstance(node, ast.Return)]
    returns = any(value is not None for value in returned)
    return returns and _tell_of(own, theirs)


def _tell_of(own: list[str], theirs: list[str]) -> bool:
    """Whether the arguments of a backward tell of those of a forward, by their names."""
    inputs = targets(theirs)
    telling = [name for name in own if role_of(name) != "dout" and name not in theirs[1:]]
    telling += [name for name in own if name in inputs]
    shares_name = not set(own).isdisjoint(theirs)
    is_related = len(own) == 1 or shares_name or len(telling) < len(own) or bool(inputs)
    return bool(telling) and is_related


def _required(definition: ast.FunctionDef) -> list[str]:
    arguments = [argument.arg for argument in definition.args.posonlyargs + definition.args.args]
    return arguments[: len(arguments) - len(definition.args.defaults)]


def _is_subject(node: ast.ClassDef | ast.FunctionDef, functions: Mapping[str, ast.FunctionDef]) -> bool:
    if isinstance(node, ast.FunctionDef):
        is_half = is_backward(node.name) or (node.name in functions and pair_of(node.name, functions) is not None)
        return is_half or is_closure(node) or is_loss(node)
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
