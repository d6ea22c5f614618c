"""Changes that bring a line in step with another that does the same for another input, or forward; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations

from gradproof.mend.change import Change, instead, same
from gradproof.mend.renamed import names_in, renamed
from gradproof.mend.slots import Slot
from gradproof.mend.terms import terms
from gradproof.mend.tree import Tree
from gradproof.mend.wording import stands_for
from gradproof.source.stores import constant, is_attribute

DOZEN = 12


def mirrored(tree: Tree) -> Iterator[Change]:
    """A line as the one of the other input is, with the names of the two exchanged: ``db`` as ``da``."""
    lines = [(name, value) for name, value in _lines(tree) if name != tree.dout]
    names = {id(value): name for name, value in lines}
    for slot in tree.slots:
        mine = names.get(id(slot.node))
        for other, value in lines if mine is not None else ():
            pair = _difference(mine, other) if mine is not None else None
            if pair is not None and type(value) is type(slot.node):
                whole = _exchanged(value, *pair, tree.known)
                if terms(whole) != terms(slot.node):
                    yield instead(slot, whole, *stands_for(slot.node, whole))


def _lines(tree: Tree) -> Iterator[tuple[str, ast.expr]]:
    """What is computed under a name, or returned for an input, with the name."""
    for node in ast.walk(tree.node):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and not isinstance(node.value, ast.Constant):
            yield ast.unparse(node.targets[0]), node.value
        returned = node.value if isinstance(node, ast.Return) else None
        if isinstance(returned, ast.Tuple) and len(returned.elts) == len(tree.inputs):
            yield from zip((f"d{name}" for name in tree.inputs), returned.elts, strict=True)


def _difference(mine: str, other: str) -> tuple[str, str] | None:
    """Where two names differ, ("a", "b") of "da" and "db"; None where one is no counterpart of the other."""
    start = _alike(mine, other)
    end = _alike(mine[start:][::-1], other[start:][::-1])
    one, two = mine[start : len(mine) - end], other[start : len(other) - end]
    return (one, two) if start and one.isalnum() and two.isalnum() else None


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _exchanged(value: ast.expr, mine: str, other: str, known: tuple[str, ...]) -> ast.expr:
    """The expression with every name, or index, that tells one of the two replaced by its counterpart."""
    whole = same(value)
    numbers = {other: mine, mine: other} if mine.isdigit() and other.isdigit() else {}
    names = {*known, *(name.removeprefix("self.") for name in known)}
    for node in ast.walk(whole):
        if isinstance(node, ast.Constant) and type(node.value) is int:
            node.value = int(numbers.get(str(node.value), node.value))
        field = "id" if isinstance(node, ast.Name) else "attr" if is_attribute(node) else None
        if field is not None:
            name = getattr(node, field)
            setattr(node, field, next((c for c in _counterparts(name, mine, other) if c in names), name))
    return whole


def _counterparts(name: str, mine: str, other: str) -> Iterator[str]:
    for old, new in ((mine, other), (other, mine)):
        places = [i for i in range(len(name)) if name.startswith(old, i)]
        yield from (name[:i] + new + name[i + len(old) :] for i in places)


def branches(tree: Tree) -> Iterator[Change]:
    """A line that is there for one of two arrays which forward makes alike, done for the other one, too."""
    pairs = [pair for function in tree.others for pair in _made_alike(function, tree.known)]
    lines = {ast.unparse(value) for _, value in _lines(tree)}
    for slot in tree.slots:
        whole = slot.parent is slot.statement and isinstance(slot.statement, ast.Assign | ast.AugAssign)
        for pair in pairs if whole and slot.field == "value" else ():
            other = renamed(slot.node, pair)
            if ast.unparse(other) not in (ast.unparse(slot.node), *lines):
                mine = [name for name in pair if name in {*names_in(slot.node)}]
                there = " and ".join(pair[name] for name in mine)
                text = f"what this line does with {' and '.join(mine)} is missing for {there}"
                yield instead(slot, ast.BinOp(same(slot.node), ast.Add(), other), "GP114", text, sure=True)


def _made_alike(function: ast.AST, known: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Names to be exchanged, of every two arrays that are computed in the same way from different ones."""
    made = [(name, [name, *names_in(value)], _form(value)) for name, value in _assigned(function)]
    for (one, mine, form), (other, theirs, its) in combinations(made, 2):
        if one != other and form == its and len(mine) == len(theirs):
            pairs = {a: b for a, b in zip(mine, theirs, strict=True) if a != b}
            if len(pairs) > 1 and {*pairs, *pairs.values()} <= {*known}:
                yield {b: a for a, b in pairs.items()} | pairs


def _assigned(function: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Every name that is assigned, with its value; of several in one line, each with its own."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
                yield from zip(map(ast.unparse, target.elts), value.elts, strict=True)
            elif not isinstance(target, ast.Tuple):
                yield ast.unparse(target), value


def _form(node: ast.expr) -> str:
    """An expression without its names."""
    return ast.dump(renamed(node, dict.fromkeys(names_in(node), "_")))


def adjoints(tree: Tree) -> Iterator[Change]:
    """What forward takes to another place, taken back: ``dx[:, :-1] += d[:, 1:]`` for ``y[:, 1:] += x[:, :-1]``."""
    ways = [way for function in tree.others for way in map(_way, _plain_statements(function)) if way is not None]
    for statement in dict.fromkeys(slot.statement for slot in tree.slots):
        here = _way(statement)
        if here is None:
            continue
        mine = [ast.dump(node.slice) for node in here]
        for into, out_of in ways:
            if mine != [ast.dump(node.slice) for node in (out_of, into)]:
                slots = tuple(Slot(node, "slice", None, statement) for node in here)
                told = " from ".join(f"[{ast.unparse(node.slice).strip('()')}]" for node in (out_of, into))
                fewer = 0 < _taken(here[1].slice) < _taken(into.slice)
                what = "entries are left out" if fewer else "other entries are taken"
                text = f"{what}: forward's go back to {told}"
                yield Change(slots, (same(out_of.slice), same(into.slice)), "GP109", text, sure=True)


def _plain_statements(function: ast.AST) -> Iterator[ast.stmt]:
    return (node for node in ast.walk(function) if isinstance(node, ast.Assign | ast.AugAssign))


def _way(statement: ast.stmt) -> tuple[ast.Subscript, ast.Subscript] | None:
    """The part that a statement writes to, and the one that it reads; None where either is whole, or there are more."""
    targets = [statement.target] if isinstance(statement, ast.AugAssign) else getattr(statement, "targets", [])
    value = getattr(statement, "value", None)
    read = [node for node in ast.walk(value) if _is_part(node)] if isinstance(value, ast.expr) else []
    written = [target for target in targets if _is_part(target)]
    if len(written) != 1 or len(read) != 1:
        return None
    into, out_of = written[0], read[0]
    return (into, out_of) if isinstance(into, ast.Subscript) and isinstance(out_of, ast.Subscript) else None


def _taken(index: ast.expr) -> int:
    """How many of a dozen entries the slices of an index take; 0 where a bound is no number."""
    taken = 1
    for part in index.elts if isinstance(index, ast.Tuple) else [index]:
        bounds = [part.lower, part.upper, part.step] if isinstance(part, ast.Slice) else []
        numbers = [None if bound is None else constant(bound) for bound in bounds]
        known = [n if isinstance(n, int) else None for n in numbers]
        if any(bound is not None and n is None for bound, n in zip(bounds, known, strict=True)):
            return 0
        taken *= len(range(*slice(*known).indices(DOZEN))) if bounds else 1
    return taken


def _is_part(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and _cuts(node.slice)


def windows(tree: Tree) -> Iterator[Change]:
    """The entries that are taken in another line, or in forward, in the place of those that are taken here."""
    indices = {ast.unparse(index): index for index in _indices(tree)}
    for slot in tree.slots:
        if isinstance(slot.parent, ast.Subscript) and slot.field == "slice" and _cuts(slot.node):
            mine = ast.unparse(slot.node)
            for other, index in indices.items():
                if other != mine and _axes(index) == _axes(slot.node):
                    text = f"other entries are taken: [{mine.strip('()')}] stands where [{other.strip('()')}] belongs"
                    yield instead(slot, same(index), "GP109", text, sure=True)


def _indices(tree: Tree) -> Iterator[ast.expr]:
    """The indices that cut, of the function and of forward, in names that are at hand."""
    known = {"np", "self", "len", *tree.known}
    for function in (tree.node, *tree.others):
        for node in ast.walk(function):
            index = node.slice if isinstance(node, ast.Subscript) else None
            if (
                index is not None
                and _cuts(index)
                and {n.id for n in ast.walk(index) if isinstance(n, ast.Name)} <= known
            ):
                yield index


def _cuts(index: ast.expr) -> bool:
    """Whether an index takes some entries of an axis, from one to another."""
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    return any(isinstance(part, ast.Slice) and (part.lower or part.upper or part.step) for part in parts)


def _axes(index: ast.expr) -> list[bool]:
    """For each axis, whether several entries are taken of it."""
    return [isinstance(part, ast.Slice) for part in (index.elts if isinstance(index, ast.Tuple) else [index])]
