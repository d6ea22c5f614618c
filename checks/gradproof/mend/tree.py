"""A function as a tree that may be changed, with the names and numbers that are at hand there; it changes nothing."""

from __future__ import annotations

import ast
import builtins
import copy
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from gradproof.convention.descent import RATES
from gradproof.mend.atoms import expressions
from gradproof.mend.likeness import arrays_in
from gradproof.mend.renamed import renamed
from gradproof.mend.slots import Slot, counts_entries, is_read, slots_of, statements
from gradproof.source.source import Code, Function, FunctionNode
from gradproof.source.stores import constant, is_attribute

_NO_NAMES = frozenset({"_", "self.params", "self.grads", "self.cache"})  # each holds several things, or none


@dataclass(frozen=True, eq=False)
class Tree:
    """A copy of a function's tree that may be changed.

    ``known`` are the names at hand in it, as source, ``sizes`` those of them that count entries, ``dout`` the one for
    what comes from upstream, ``kept`` those that forward kept; ``numbers`` are those of forward and the constructor.
    ``atoms`` are names and expressions of both that may be evaluated there, ``unkept`` forward's arguments that have no
    name there; ``inputs`` are all of forward's arguments, ``others`` the functions to which a line may be compared.
    """

    function: Function
    node: FunctionNode
    known: tuple[str, ...]
    numbers: tuple[float, ...]
    slots: tuple[Slot, ...] = field(repr=False)
    sizes: frozenset[str] = frozenset()
    kept: tuple[str, ...] = ()
    dout: str = ""
    atoms: tuple[str, ...] = field(default=(), repr=False)
    unkept: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    others: tuple[FunctionNode, ...] = field(default=(), repr=False)

    @functools.cached_property
    def gradients(self) -> frozenset[str]:
        """The names of what came from upstream, and of what was made of that."""
        found = {self.dout}
        for statement in statements(self.node):
            value = getattr(statement, "value", None)
            if isinstance(value, ast.expr) and isinstance(statement, ast.Assign | ast.AugAssign):
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                if arrays_in(value) & found:
                    found |= {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}
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
    names, sizes, kept = (
        tuple(_names(node, code)),
        frozenset(_sizes(node) if code.forward is None else (*_sizes(node), *_sizes(code.forward.node))),
        {*_unpacked(node)},
    )
    beside = () if code.forward is None or function is code.forward else (_in_names_at_hand(code.forward.node),)
    handed = [name for name in function.arguments if name not in ("self", "cache")]
    return Tree(
        function,
        node,
        names,
        tuple(_numbers(code)),
        tuple(slots_of(node)),
        sizes,
        tuple(name for name in names if (name in kept or name.startswith("self.")) and name not in sizes),
        handed[0] if handed and function is code.backward else "",
        (*names, *expressions([node, *beside])),
        tuple(_unkept(function, code, names)),
        () if code.forward is None else tuple(name for name in code.forward.arguments if name != "self"),
        beside,
    )


def _in_names_at_hand(function: FunctionNode) -> FunctionNode:
    """A copy of forward in which what it keeps as it is has the name under which it is kept: ``self.x`` for ``x``."""
    kept: dict[str, str] = {}
    for statement in statements(function):
        value = statement.value if isinstance(statement, ast.Assign) else None
        for target in statement.targets if isinstance(statement, ast.Assign) else ():
            pairs = [(target, value)]
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = list(zip(target.elts, value.elts, strict=False))
            kept |= {v.id: ast.unparse(t) for t, v in pairs if is_attribute(t) and isinstance(v, ast.Name)}
    return renamed(function, kept)


def _unkept(function: Function, code: Code, names: Sequence[str]) -> Iterator[str]:
    """The arguments of forward for which backward has no name."""
    if code.forward is not None and function is code.backward and function is not code.forward:
        taken = {*names, *function.names, *dir(builtins), "self"}
        yield from (name for name in code.forward.arguments if name not in taken)


def _unpacked(function: FunctionNode) -> Iterator[str]:
    """The names that are taken from what forward kept: ``x, W = cache``, ``h = self.h``; of a loss, all."""
    for statement in statements(function):
        if isinstance(statement, ast.Assign):
            read = {ast.unparse(n) for n in ast.walk(statement.value) if isinstance(n, ast.Name)} - {"self", "np"}
            if read <= {"cache"}:
                for target in statement.targets:
                    yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))
    if not any(isinstance(node, ast.Name) and node.id in ("self", "cache") for node in ast.walk(function)):
        yield from (node.id for node in ast.walk(function) if isinstance(node, ast.Name))


def _sizes(function: FunctionNode) -> Iterator[str]:
    """The names that are given a size: ``n, d = x.shape``, ``self.n = len(x)``."""
    for statement in statements(function):
        if isinstance(statement, ast.Assign) and counts_entries(statement.value):
            for node in (node for target in statement.targets for node in ast.walk(target)):
                if isinstance(node, ast.Name) and node.id != "self":
                    yield node.id
                elif is_attribute(node):
                    yield ast.unparse(node)


def _numbers(code: Code) -> Iterator[float]:
    """The numbers in forward and in the constructor, and the defaults of their arguments, each once."""
    read = [function for function in (code.forward, code.method("__init__")) if function is not None]
    found = [constant(node) for function in read for node in ast.walk(function.node) if isinstance(node, ast.expr)]
    plain = [value for value in found if isinstance(value, int | float) and not isinstance(value, bool)]
    yield from dict.fromkeys(value for value in plain if value not in (0, 1))


def _names(function: FunctionNode, code: Code) -> Iterator[str]:
    """The function's own names, then the attributes of ``self`` that it or forward uses, each once.

    Without its rate of learning: that is ours here, and a formula that is right with it is so by its value alone.
    """
    found: dict[str, None] = {}
    arguments = [a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    found |= dict.fromkeys(name for name in arguments if name not in ("self", "cache") and name not in RATES)
    called = {id(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.setdefault(node.id)
    forward = () if code.forward is None else (code.forward.node,)
    for tree in (function, *forward):
        for node in ast.walk(tree):
            if is_attribute(node) and id(node) not in called and node.attr not in code.methods:
                found.setdefault(f"self.{node.attr}")
    for tree in (function, *forward):
        for node in ast.walk(tree):
            if isinstance(node, ast.Subscript) and is_attribute(node.value) and isinstance(constant(node.slice), int):
                found.setdefault(ast.unparse(node))
    yield from (name for name in found if name not in _NO_NAMES and ".grads[" not in name)
