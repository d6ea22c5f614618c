"""A function as a tree that may be changed, with the names and numbers that are at hand there; it changes nothing."""

from __future__ import annotations

import ast
import builtins
import copy
import functools
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field, replace

from gradproof.convention.descent import RATES
from gradproof.mend.expressions import harmless_expressions
from gradproof.mend.likeness import arrays_in
from gradproof.mend.renamed import renamed
from gradproof.mend.slots import Slot, counts_entries, is_read, slots_of, statements
from gradproof.source.source import Code, Function, FunctionNode
from gradproof.source.syntax import constant, is_attribute, is_number, targets_of, variables

_NO_NAMES = frozenset({"_", "self.params", "self.grads", "self.cache"})  # each holds several things, or none


@dataclass(frozen=True, eq=False)
class Tree:
    """A copy of a function's tree that may be changed.

    ``known`` are the names at hand in it, as source, ``sizes`` those of them that count entries, ``dout`` the one for
    what comes from upstream, ``kept`` those that forward kept; ``numbers`` are those of forward and the constructor.
    ``expressions`` are names and expressions of both that may be evaluated there, ``unkept`` forward's arguments that
    have no name there; ``inputs`` are all of forward's arguments, ``others`` the functions to which a line may be
    compared.
    """

    function: Function
    node: FunctionNode
    known: tuple[str, ...]
    numbers: tuple[float, ...]
    slots: tuple[Slot, ...] = field(repr=False)
    sizes: frozenset[str] = frozenset()
    kept: tuple[str, ...] = ()
    dout: str = ""
    expressions: tuple[str, ...] = field(default=(), repr=False)
    unkept: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    others: tuple[FunctionNode, ...] = field(default=(), repr=False)

    @functools.cached_property
    def gradients(self) -> frozenset[str]:
        """The names of what came from upstream, and of what was made of that."""
        found = {self.dout}
        for statement in statements(self.node):
            if isinstance(statement, ast.Assign | ast.AugAssign) and arrays_in(statement.value) & found:
                for target in targets_of(statement):
                    found.update(variables(target))
        return frozenset(found - {"self"})

    def is_last_dout(self, name: str) -> bool:
        """Whether dout is read at one place alone: something else there would be a gradient that ignores it."""
        return name == self.dout and sum(ast.unparse(s.node) == name for s in self.slots if is_read(s)) < 2

    def is_count(self, node: ast.expr) -> bool:
        """Whether an expression is a product of sizes, and of nothing else but attributes and numbers."""
        if isinstance(node, ast.BinOp):
            sides = (node.left, node.right)
            plain = all(self.is_count(side) or is_attribute(side) or constant(side) is not None for side in sides)
            return isinstance(node.op, ast.Mult | ast.FloorDiv) and plain and any(map(self.is_count, sides))
        return counts_entries(node) or (isinstance(node, ast.Name) and node.id in self.sizes)

    def within(self, statements: Sequence[ast.stmt]) -> Tree:
        """The same tree, to be changed in some of its statements only."""
        kept = {id(statement) for statement in statements}
        return replace(self, slots=tuple(slot for slot in self.slots if id(slot.statement) in kept))

    def is_global(self, node: ast.expr) -> bool:
        """Whether a name is one of the module's: a function, a constant."""
        return isinstance(node, ast.Name) and node.id in self.function.names and node.id not in self.known


def tree_of(function: Function, code: Code) -> Tree:
    """Copy a function's tree, and find its slots and what is at hand for them."""
    node = copy.deepcopy(function.node)
    node.decorator_list = []
    names = tuple(_names(node, code))
    sizes = {size for each in (node, *_forward_node(code)) for size in _sizes(each)}
    unpacked = {*_unpacked(node)}
    kept = [name for name in names if name in unpacked or name.startswith("self.")]
    others = () if function is code.forward else tuple(map(_in_names_at_hand, _forward_node(code)))
    return Tree(
        function=function,
        node=node,
        known=names,
        numbers=tuple(_numbers(code)),
        slots=tuple(slots_of(node)),
        sizes=frozenset(sizes),
        kept=tuple(name for name in kept if name not in sizes),
        dout=_dout(function) if function is code.backward else "",
        expressions=(*names, *harmless_expressions([node, *others])),
        unkept=tuple(_unkept(function, code, names)),
        inputs=code.inputs,
        others=others,
    )


def _forward_node(code: Code) -> tuple[FunctionNode, ...]:
    """The tree of forward; none where there is no forward."""
    return () if code.forward is None else (code.forward.node,)


def _dout(backward: Function) -> str:
    """Backward's argument for what comes from upstream: the first one that is no object and no cache; "" for none."""
    return next((name for name in backward.arguments if name not in ("self", "cache")), "")


def _in_names_at_hand(function: FunctionNode) -> FunctionNode:
    """A copy of forward in which what it keeps as it is has the name under which it is kept: ``self.x`` for ``x``."""
    kept: dict[str, str] = {}
    for statement in statements(function):
        if isinstance(statement, ast.Assign):
            pairs = [pair for target in statement.targets for pair in _unpacking(target, statement.value)]
            kept |= {value.id: ast.unparse(t) for t, value in pairs if is_attribute(t) and isinstance(value, ast.Name)}
    return renamed(function, kept)


def _unpacking(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """A target with its value; of several in one line, each with its own."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return list(zip(target.elts, value.elts, strict=False))
    return [(target, value)]


def _unkept(function: Function, code: Code, names: Sequence[str]) -> Iterator[str]:
    """The arguments of forward for which backward has no name."""
    if code.forward is not None and function is code.backward and function is not code.forward:
        taken = {*names, *function.names, *dir(builtins), "self"}
        yield from (name for name in code.forward.arguments if name not in taken)


def _unpacked(function: FunctionNode) -> Iterator[str]:
    """The names that are taken from what forward kept: ``x, W = cache``, ``h = self.h``; of a loss, all."""
    for statement in statements(function):
        if isinstance(statement, ast.Assign) and {*variables(statement.value)} <= {"cache", "self", "np"}:
            for target in statement.targets:
                yield from variables(target)
    if {"self", "cache"}.isdisjoint(variables(function)):
        yield from variables(function)


def _sizes(function: FunctionNode) -> Iterator[str]:
    """The names that are given a size: ``n, d = x.shape``, ``self.n = len(x)``."""
    for statement in statements(function):
        if isinstance(statement, ast.Assign) and counts_entries(statement.value):
            for target in statement.targets:
                yield from _stored_names(target)


def _stored_names(target: ast.expr) -> Iterator[str]:
    """The variables and the attributes of ``self`` in a target."""
    for node in ast.walk(target):
        if is_attribute(node) or (isinstance(node, ast.Name) and node.id != "self"):
            yield ast.unparse(node)


def _numbers(code: Code) -> Iterator[float]:
    """The numbers in forward and in the constructor, and the defaults of their arguments, each once."""
    found: dict[float, None] = {}
    for function in (code.forward, code.method("__init__")):
        for node in ast.walk(function.node) if function is not None else ():
            value = constant(node) if isinstance(node, ast.expr) else None
            if is_number(value):
                found.setdefault(value)
    yield from (value for value in found if value not in (0, 1))


def _names(function: FunctionNode, code: Code) -> Iterator[str]:
    """The function's own names, then the attributes of ``self`` that it or forward uses, each once.

    Without its rate of learning: that is ours here, and a formula that is right with it is so by its value alone.
    """
    found = dict.fromkeys((*_arguments(function), *_assigned(function)))
    called = {id(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
    both = (function, *_forward_node(code))
    for tree in both:
        found |= dict.fromkeys(_attributes(tree, called, code.methods))
    for tree in both:
        found |= dict.fromkeys(_entries(tree))
    yield from (name for name in found if name not in _NO_NAMES and ".grads[" not in name)


def _attributes(function: FunctionNode, called: Set[int], methods: Set[str]) -> Iterator[str]:
    """The attributes of ``self`` in a function, but for methods and what is ``called``, by identity."""
    for node in ast.walk(function):
        if is_attribute(node) and id(node) not in called and node.attr not in methods:
            yield f"self.{node.attr}"


def _arguments(function: FunctionNode) -> Iterator[str]:
    """A function's arguments that hold one thing, but for a rate of learning."""
    own = function.args
    for argument in (*own.posonlyargs, *own.args, *own.kwonlyargs):
        if argument.arg not in ("self", "cache") and argument.arg not in RATES:
            yield argument.arg


def _assigned(function: FunctionNode) -> Iterator[str]:
    """The variables that a function assigns."""
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _entries(function: FunctionNode) -> Iterator[str]:
    """The entries of lists that ``self`` holds: ``self.params[0]``."""
    for node in ast.walk(function):
        if isinstance(node, ast.Subscript) and is_attribute(node.value) and isinstance(constant(node.slice), int):
            yield ast.unparse(node)
