"""Which functions of a subject may hold the slip: those that backward alone runs, and what forward keeps for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gradproof.mend.slots import statements
from gradproof.mend.tree import Tree, tree_of
from gradproof.source.origin import Place, reached, returns
from gradproof.source.source import Code, Function, helpers
from gradproof.source.syntax import constant, is_attribute, last_name


@dataclass(frozen=True, eq=False)
class Trees:
    """``backward``: what backward runs and forward does not. ``kept``: statements of forward that keep something.

    ``forward``: what forward runs.

    ``in_forward``: there is no backward; forward returns the gradient beside the loss.
    """

    backward: tuple[Tree, ...]
    kept: tuple[Tree, ...]
    in_forward: bool = False
    forward: tuple[Tree, ...] = ()

    def feeding(self, wrong: Sequence[Place], right: Sequence[Place] = ()) -> Trees:
        """The same, backward narrowed to the statements that feed what is computed at ``wrong``, and not at ``right``.

        Functions in which none of the places lies stay as they are.
        """
        return replace(self, backward=tuple(_narrowed(tree, wrong, right) for tree in self.backward))

    def returning(self) -> Trees:
        """The same, backward narrowed to its return statements: a gradient may be right until it is returned."""
        narrowed = [
            tree.within([slot.statement for slot in tree.slots if isinstance(slot.statement, ast.Return)])
            for tree in self.backward
        ]
        return replace(self, backward=tuple(narrowed))

    def without(self, others: Trees) -> Trees:
        """The same, without the places in backward that ``others`` have."""
        known = {(id(slot.parent), slot.field, slot.index) for tree in others.backward for slot in tree.slots}
        rest = [
            replace(tree, slots=tuple(s for s in tree.slots if (id(s.parent), s.field, s.index) not in known))
            for tree in self.backward
        ]
        return replace(self, backward=tuple(rest))


def _narrowed(tree: Tree, wrong: Sequence[Place], right: Sequence[Place]) -> Tree:
    feeds, others = (_feeding(tree, places) for places in (wrong, right))
    own = [statement for statement in feeds if statement not in others] or feeds
    return tree.within(own) if own else tree


def _feeding(tree: Tree, places: Sequence[Place]) -> list[ast.stmt]:
    here = [place for place in places if place.function.place == tree.function.place]
    lines = {(place.statement.lineno, place.statement.col_offset) for place in here}
    every = list(statements(tree.node))
    chosen = [statement for statement in every if (statement.lineno, statement.col_offset) in lines]
    # of a statement that returns several gradients, one of them
    read = {name for place in here for name in _read(place.statement if place.value is None else place.value)}
    read |= {name for statement in chosen for name in _written_into(statement)}
    for _ in every:
        more = [s for s in every if s not in chosen and _meet(read, _written(s))]
        if not more:
            break
        chosen += more
        read |= {name for statement in more for name in (*_read(statement), *_written_into(statement))}
    return chosen


_NOBODY = frozenset({"self", "np"})


def _meet(read: set[str], written: set[str]) -> bool:
    """Whether something that is read is written, or a part of it, or what it is a part of."""
    return any(a == b or a.startswith(f"{b}[") or b.startswith(f"{a}[") for a in read for b in written)


def _read(statement: ast.AST) -> set[str]:
    return {ast.unparse(node) for node in _named(statement)} - _NOBODY


def _named(node: ast.AST) -> Iterator[ast.expr]:
    """The variables and attributes in a piece of source; ``self.grads[0]`` and ``self.grads["W"]`` are such."""
    fixed = isinstance(node, ast.Subscript) and isinstance(constant(node.slice), int | str)
    entry = node.value if isinstance(node, ast.Subscript) and fixed else None
    whole = node if entry is None or not is_attribute(entry) else entry
    if isinstance(node, ast.expr) and (isinstance(node, ast.Name) or is_attribute(whole)):
        yield node
    else:
        for child in ast.iter_child_nodes(node):
            yield from _named(child)


def _written_into(statement: ast.stmt) -> set[str]:
    """The names of what a statement writes a part of, or adds to: it has to be made before."""
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    into = [target for target in targets if isinstance(target, ast.Subscript) or isinstance(statement, ast.AugAssign)]
    return {name for target in into for name in _read(target)}


def _written(statement: ast.stmt) -> set[str]:
    """The names that a statement assigns, adds to, or writes into; those of a loop for what it goes through."""
    if isinstance(statement, ast.Expr):
        return _read(statement)  # a call may write into whatever it is given
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    found: set[str] = set()
    for target in targets:
        found |= _read(target) if isinstance(target, ast.AST) else set()
    return found - _NOBODY


def trees_of(code: Code) -> Trees:
    """The trees of a subject's functions; none where there is no source."""
    if code.backward is None:
        return Trees((), ())
    if code.backward is code.forward:
        outside = acts_outside(code.backward)
        return Trees(() if outside else (tree_of(code.backward, code),), (), in_forward=True)
    first = {} if code.forward is None else {f.place: f for f in _run_by(code, code.forward)}
    second = [f for f in _run_by(code, code.backward) if f.place not in first]
    kept = [(tree_of(f, code), f) for f in first.values()]
    return Trees(
        tuple(tree_of(function, code) for function in second),
        tuple(tree.within(list(_keeping(tree, function is code.forward))) for tree, function in kept),
        forward=tuple(tree for tree, _ in kept),
    )


def _run_by(code: Code, start: Function) -> Sequence[Function]:
    methods = reached(code, start)
    own = [helper for function in methods for helper in helpers(function)]
    found = {function.place: function for function in (*methods, *own)}
    return [function for function in found.values() if not acts_outside(function)]


# What such calls do cannot be put back: a function that holds one is run as it is written, and never changed.
_FILES = {"open", "write", "write_text", "write_bytes", "writelines", "save", "savez", "savetxt", "tofile", "dump"}
_FOLDERS = {"remove", "unlink", "rmdir", "rmtree", "rename", "replace", "mkdir", "makedirs"}
_PROGRAMS = {"system", "popen", "Popen", "run", "call", "check_call", "check_output", "kill", "send", "exec", "eval"}
_OUTSIDE = frozenset(_FILES | _FOLDERS | _PROGRAMS)


def acts_outside(function: Function) -> bool:
    """Whether it may write files, start programs or send something."""
    calls = (node for node in ast.walk(function.node) if isinstance(node, ast.Call))
    return any(last_name(call.func) in _OUTSIDE for call in calls)


def _keeping(tree: Tree, is_forward: bool) -> Iterator[ast.stmt]:
    """The statements that store in ``self`` or in a cache."""
    ends = {node.lineno for node in returns(tree.function)} if is_forward else set[int]()
    changed = {name for statement in statements(tree.node) for name in _changed_in_place(statement)}
    for statement in statements(tree.node):
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        inner = [t for target in targets for t in ast.walk(target)]
        if any(is_attribute(t) or last_name(t) == "cache" for t in inner if isinstance(t, ast.expr)):
            yield statement
        elif isinstance(statement, ast.Assign) and is_attribute(statement.value) and _read(targets[0]) & changed:
            yield statement  # another name of what is kept, which is written to under it
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            if last_name(statement.value.func) == "append":
                yield statement
        elif isinstance(statement, ast.Return) and statement.lineno in ends and isinstance(statement.value, ast.Tuple):
            yield statement


def _changed_in_place(statement: ast.stmt) -> set[str]:
    """The variables into whose arrays a statement writes."""
    return {name for name in _written_into(statement) if name.isidentifier()}
