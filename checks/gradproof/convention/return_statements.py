"""What the return statements of a function say, read in its source: the names of its parts, and the backward behind it.

It runs nothing; whose gradient a name is belongs to ``returned``.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from typing import Any

from gradproof.convention.argument_names import role_of
from gradproof.convention.attributes import definition_of, statement_of
from gradproof.convention.function_names import may_be_backward, words

Names = tuple[Any, ...]  # for each returned part: its name, None where it has none, or the Names of a tuple


@functools.lru_cache(maxsize=256)
def names_returned(function: Callable[..., Any]) -> Names:
    """The names of what the function returns, read from its last return statement; () if it cannot be read."""
    found = _returns(function)
    if not found:
        return ()
    names = _name(max(found, key=lambda node: node.lineno).value)
    return names if isinstance(names, tuple) else (names,)


@functools.lru_cache(maxsize=256)
def returns_nothing(function: Callable[..., Any]) -> bool:
    """Whether its source has no return statement with a value; False if it cannot be read."""
    found = _returns(function)
    return found is not None and all(node.value is None or _says_nothing(node.value) for node in found)


def hands_nothing_further(function: Callable[..., Any]) -> bool:
    """Whether its source says in so many words that it returns nothing: ``return None``, which nobody forgets."""
    found = _returns(function) or []
    return bool(found) and all(node.value is not None and _says_nothing(node.value) for node in found)


def _says_nothing(value: ast.expr) -> bool:
    """Whether it is None, or the NotImplemented of a template that nobody filled in."""
    return ast.unparse(value) in ("None", "NotImplemented")


@functools.lru_cache(maxsize=256)
def returns_backward(function: Callable[..., Any]) -> bool:
    """Whether a function returns its output and, behind it, its backward: ``return y, vjp``."""
    definition = definition_of(function)
    return definition is not None and closure_of(definition) is not None


def closure_of(definition: ast.FunctionDef) -> ast.FunctionDef | ast.Lambda | None:
    """The function inside of ``definition`` that it returns behind its output, and that is a backward by its names.

    None where there is none: two functions, or parameters and a function that predicts, are no output and its backward.
    """
    inner = _inner_functions(definition)
    for *outputs, last in _tuples_returned(definition):
        if any(isinstance(part, ast.Name) and part.id in inner for part in outputs):
            return None
        name, found = (last.id, inner.get(last.id)) if isinstance(last, ast.Name) else ("", last)
        if isinstance(found, (ast.FunctionDef, ast.Lambda)) and _takes_dout(name, found):
            return found
    return None


def _inner_functions(definition: ast.FunctionDef) -> dict[str, ast.FunctionDef | ast.Lambda]:
    """The functions that the statements of a function give a name to."""
    found: dict[str, ast.FunctionDef | ast.Lambda] = {}
    for node in definition.body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
    return found | {name: inner for node in definition.body for name, inner in _lambdas(node)}


def _tuples_returned(definition: ast.FunctionDef) -> Iterator[list[ast.expr]]:
    """The parts of what the function returns, where those are two or more, for each of its return statements."""
    for node in own_nodes(definition):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
            yield node.value.elts


def _lambdas(statement: ast.stmt) -> list[tuple[str, ast.Lambda]]:
    """The names that a statement gives to a lambda, each with it."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Lambda):
        return []
    return [(target.id, statement.value) for target in statement.targets if isinstance(target, ast.Name)]


def _takes_dout(name: str, function: ast.FunctionDef | ast.Lambda) -> bool:
    arguments = [argument.arg for argument in function.args.posonlyargs + function.args.args]
    is_named = may_be_backward(name) or (len(words(name)) == 1 and may_be_backward(f"f_{name}"))
    return is_named or any(role_of(argument) == "dout" for argument in arguments[:1])


def own_nodes(definition: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of the functions that it defines."""
    for child in ast.iter_child_nodes(definition):
        yield child
        if not isinstance(child, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            yield from own_nodes(child)


def _returns(function: Callable[..., Any]) -> list[ast.Return] | None:
    """Its own return statements, without those of functions within; None if its source cannot be read."""
    definition = statement_of(function)
    if definition is None:
        return None
    own = (definition, *own_nodes(definition))  # a lambda may be all that a return statement returns
    return [node for node in own if isinstance(node, ast.Return)]


def _name(node: ast.expr | None) -> Any:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return tuple(_name(part) for part in parts)
        case _:
            return None
