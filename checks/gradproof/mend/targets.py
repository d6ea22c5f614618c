"""Which functions of a subject may hold the slip: those that backward alone runs, and what forward keeps for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace

from gradproof.findings import Location
from gradproof.mend.slots import statements
from gradproof.mend.tree import Tree, tree_of
from gradproof.source.locations import located
from gradproof.source.origin import Place, reached, returns
from gradproof.source.source import Code, Function, helpers
from gradproof.source.syntax import calls, constant, is_attribute, last_name, targets_of


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

    def at(self, lines: Sequence[Location]) -> Trees | None:
        """The same, backward narrowed to the statements that stand on some lines; None where none does.

        With those that name a size which they read: no gradient goes through it, and so no line shows it to be wrong.
        """
        narrowed = tuple(tree.within(_with_sizes(tree, _on(tree, lines))) for tree in self.backward)
        return replace(self, backward=narrowed) if any(tree.slots for tree in narrowed) else None

    def returning(self) -> Trees:
        """The same, backward narrowed to its return statements: a gradient may be right until it is returned."""
        return replace(self, backward=tuple(map(_returns_of, self.backward)))

    def without(self, others: Trees) -> Trees:
        """The same, without the places in backward that ``others`` have."""
        known = {slot.place for tree in others.backward for slot in tree.slots}
        return replace(self, backward=tuple(_outside(tree, known) for tree in self.backward))


def _returns_of(tree: Tree) -> Tree:
    """The same tree, to be changed in what it returns only."""
    return tree.within([slot.statement for slot in tree.slots if isinstance(slot.statement, ast.Return)])


def _outside(tree: Tree, known: Set[tuple[int, str, int | None]]) -> Tree:
    """The same tree, to be changed at other places than those that are ``known``."""
    return replace(tree, slots=tuple(slot for slot in tree.slots if slot.place not in known))


def _with_sizes(tree: Tree, chosen: list[ast.stmt]) -> list[ast.stmt]:
    read = {name for statement in chosen for name in _read(statement)}
    sizes = [each for each in statements(tree.node) if _names_a_size(each) and _written(each) & read]
    return [*sizes, *chosen]


def _names_a_size(statement: ast.stmt) -> bool:
    """Whether a statement gives a name to sizes of arrays: ``m = x.shape[2]``, ``n = len(x)``."""
    value = statement.value if isinstance(statement, ast.Assign) else None
    parts = [] if value is None else list(ast.walk(value))
    return any(
        calls(part, "len") or (isinstance(part, ast.Attribute) and part.attr in ("shape", "size")) for part in parts
    )


def _on(tree: Tree, lines: Sequence[Location]) -> list[ast.stmt]:
    """The statements of a function of which a part stands on one of the lines."""
    found: list[ast.stmt] = []
    for statement in statements(tree.node):
        at = located(tree.function.file, statement)
        if any(at.meets(line) for line in lines):
            found.append(statement)
    return found


def _narrowed(tree: Tree, wrong: Sequence[Place], right: Sequence[Place]) -> Tree:
    feeds, others = (_feeding(tree, places) for places in (wrong, right))
    own = [statement for statement in feeds if statement not in others] or feeds
    return tree.within(own) if own else tree


def _feeding(tree: Tree, places: Sequence[Place]) -> list[ast.stmt]:
    """The statements of a function at some places, and those that compute what they read."""
    here = [place for place in places if place.function.place == tree.function.place]
    lines = {(place.statement.lineno, place.statement.col_offset) for place in here}
    chosen = [each for each in statements(tree.node) if (each.lineno, each.col_offset) in lines]
    read: set[str] = set()
    for place in here:
        # of a statement that returns several gradients, one of them
        read |= _read(place.statement if place.value is None else place.value)
    for statement in chosen:
        read |= _written_into(statement)
    return _with_what_they_read(tree, chosen, read)


def _with_what_they_read(tree: Tree, chosen: list[ast.stmt], read: set[str]) -> list[ast.stmt]:
    """The chosen statements, those that write what these read or decide whether they run, and so on."""
    found, names = [*chosen], {*read}
    while True:
        left = [statement for statement in statements(tree.node) if statement not in found]
        more = [each for each in left if _meet(names, _written(each)) or _decides(each, found)]
        if not more:
            return found
        found += more
        for statement in more:
            names |= _read(statement) | _written_into(statement)


def _decides(statement: ast.stmt, others: Sequence[ast.stmt]) -> bool:
    """Whether a statement asks for what holds where one of the others runs."""
    return isinstance(statement, ast.If) and any(part in others for part in ast.walk(statement))


def _targets(statement: ast.stmt) -> list[ast.expr]:
    """What a statement writes to; of a loop, its variables."""
    return [statement.target] if isinstance(statement, ast.For) else targets_of(statement)


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
    adds = isinstance(statement, ast.AugAssign)
    found: set[str] = set()
    for target in _targets(statement):
        if adds or isinstance(target, ast.Subscript):
            found |= _read(target)
    return found


def _written(statement: ast.stmt) -> set[str]:
    """The names that a statement assigns, adds to, or writes into; those of a loop for what it goes through."""
    if isinstance(statement, ast.Expr):
        return _read(statement)  # a call may write into whatever it is given
    return {name for target in _targets(statement) for name in _read(target)}


def trees_of(code: Code) -> Trees:
    """The trees of a subject's functions; none where there is no source."""
    if code.backward is None:
        return Trees((), ())
    if code.backward is code.forward:
        is_changeable = not acts_outside(code.backward)
        return Trees((tree_of(code.backward, code),) if is_changeable else (), (), in_forward=True)
    of_forward = _run_by(code, code.forward)
    known = {function.place for function in of_forward}
    of_backward = [function for function in _run_by(code, code.backward) if function.place not in known]
    forward = tuple(tree_of(function, code) for function in of_forward)
    kept = tuple(tree.within(_keeping(tree, is_forward=tree.function is code.forward)) for tree in forward)
    return Trees(tuple(tree_of(function, code) for function in of_backward), kept, forward=forward)


def _run_by(code: Code, start: Function | None) -> list[Function]:
    """The functions that one runs, itself among them, as far as they can be changed; of no function, none."""
    methods = [] if start is None else reached(code, start)
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


def _keeping(tree: Tree, *, is_forward: bool) -> list[ast.stmt]:
    """The statements that store in ``self`` or in a cache, return several things, or write to another name of these."""
    changed: set[str] = set()
    for statement in statements(tree.node):
        changed |= _changed_in_place(statement)
    ends = {node.lineno for node in returns(tree.function)} if is_forward else set[int]()
    return [
        statement
        for statement in statements(tree.node)
        if _stores(statement) or _names_kept(statement, changed) or _returns_several(statement, ends)
    ]


def _stores(statement: ast.stmt) -> bool:
    """Whether a statement assigns to an attribute of ``self`` or to a cache, or appends to a list."""
    if isinstance(statement, ast.Expr):
        return calls(statement.value, "append")
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    parts = [part for target in targets for part in ast.walk(target) if isinstance(part, ast.expr)]
    return any(is_attribute(part) or last_name(part) == "cache" for part in parts)


def _names_kept(statement: ast.stmt, changed: set[str]) -> bool:
    """Whether a name is given to an attribute of ``self`` that is written to under that name."""
    if not isinstance(statement, ast.Assign) or not is_attribute(statement.value):
        return False
    return not changed.isdisjoint(_read(statement.targets[0]))


def _returns_several(statement: ast.stmt, ends: set[int]) -> bool:
    """Whether a statement, at one of some lines, returns a tuple."""
    returned = statement.value if isinstance(statement, ast.Return) else None
    return isinstance(returned, ast.Tuple) and statement.lineno in ends


def _changed_in_place(statement: ast.stmt) -> set[str]:
    """The variables into whose arrays a statement writes."""
    return {name for name in _written_into(statement) if name.isidentifier()}
