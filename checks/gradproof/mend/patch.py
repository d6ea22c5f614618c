"""Puts a changed tree to work in a live function, and takes it out again; it knows no gradient."""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from types import CodeType, FunctionType
from typing import Any

from gradproof.mend.budget import Turns
from gradproof.mend.slots import blocks_of
from gradproof.source.source import FunctionNode

HOOK = "__gradproof__"  # what a watched function calls with a value and its own variables
_TURNS = "__gradproof_turns__"  # what a changed function makes its count of rounds with
_COUNT = "__gradproof_count__"  # that count, in it


def hooked(node: ast.expr) -> ast.expr:
    """The expression handed to the hook, together with the variables at hand there."""
    here = ast.Call(ast.Name("locals", ast.Load()), [], [])
    around = ast.Call(ast.Name(HOOK, ast.Load()), [node, here], [])
    return ast.fix_missing_locations(ast.copy_location(around, node))


@contextmanager
def patched(live: FunctionType, code: CodeType, given: Mapping[str, Any] | None = None) -> Generator[None]:
    """The function runs ``code`` meanwhile, and sees the ``given`` names, none of which its module has."""
    before, names = live.__code__, live.__globals__
    around = names.get(_TURNS)  # where another change is in force
    added = {**(given or {}), _TURNS: Turns}
    live.__code__ = code
    names.update(added)
    try:
        yield
    finally:
        live.__code__ = before
        for name in added:
            names.pop(name, None)
        if around is not None:
            names[_TURNS] = around


def compiled(live: FunctionType, node: FunctionNode) -> CodeType | None:
    """The code of a changed tree of ``live``; None where it does not fit into it, or is no Python."""
    theirs = live.__code__
    try:
        with _turning(node):
            whole = compile(_around(theirs, node), theirs.co_filename, "exec")
    except (SyntaxError, ValueError, TypeError, RecursionError):
        return None
    found = next((code for code in _codes(whole) if code.co_name == node.name and code is not whole), None)
    return found if found is not None and found.co_freevars == theirs.co_freevars else None


@contextmanager
def _turning(node: FunctionNode) -> Generator[None]:
    """The tree with a call in each round of its loops, which ends those that run in circles; without it afterwards."""
    loops = [body for owner, name, body in blocks_of(node) if name == "body" and isinstance(owner, ast.For | ast.While)]
    bodies = [node.body, *loops] if loops else []
    for body, text in zip(bodies, [f"{_COUNT} = {_TURNS}()", *(f"{_COUNT}()" for _ in loops)], strict=False):
        body.insert(0, ast.parse(text).body[0])
    try:
        yield
    finally:
        for body in bodies:
            del body[0]


def _around(theirs: CodeType, node: FunctionNode) -> ast.Module:
    """The tree inside of what it stood in: its class, for the sake of ``super()``, and names of a function around."""
    outer = [name for name in theirs.co_freevars if name != "__class__"]
    owner = theirs.co_qualname.split(".")[-2] if "." in theirs.co_qualname else ""
    body: list[ast.stmt] = [node]
    if owner.isidentifier():
        body = [ast.copy_location(ast.ClassDef(owner, [], [], body, []), node)]
    if outer:
        names = [ast.copy_location(ast.arg(name), node) for name in outer]
        arguments = ast.arguments([], names, None, [], [], None, [])
        body = [ast.copy_location(ast.FunctionDef("_", arguments, body, []), node)]
    return ast.Module(body, [])


def _codes(code: CodeType) -> Iterator[CodeType]:
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield value
            yield from _codes(value)
