"""Changes of where entries are taken, or where a loop ends; they run nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradproof.mend.change import Change, instead, parse, short
from gradproof.mend.tree import Tree
from gradproof.source.stores import constant, is_attribute, last_name


def ends(tree: Tree) -> Iterator[Change]:
    """The end of a loop, or of a slice, one further or one less."""
    for slot in tree.slots:
        looped = isinstance(slot.parent, ast.Call) and last_name(slot.parent.func) == "range"
        if (looped or isinstance(slot.parent, ast.Slice)) and constant(slot.node) is None:
            mine = ast.unparse(slot.node)
            for other in (f"{mine} + 1", f"{mine} - 1"):
                what = "a step or an entry is left out, or taken too often" if looped else "other entries are taken"
                text = f"{what}: {short(slot.node)} stands where {short(parse(other))} belongs"
                yield instead(slot, parse(other), "GP114" if looped else "GP109", text)


def slices(tree: Tree) -> Iterator[Change]:
    """What is cut off at one end, cut off at the other or at both: of all axes that are cut alike."""
    for slot in tree.slots:
        index = slot.node.slice if isinstance(slot.node, ast.Subscript) else None
        cuts = index.elts if isinstance(index, ast.Tuple) else [index]
        told = [ast.unparse(cut) for cut in cuts if isinstance(cut, ast.Slice) and (cut.lower or cut.upper)]
        nodes = ast.walk(index) if index is not None and told else ()
        names = {ast.unparse(n) for n in nodes if isinstance(n, ast.Name) or is_attribute(n) or _counts(n)}
        names |= {str(int(name) - 1) for name in names if name.isdigit() and int(name) > 1}
        for name in sorted(names):
            for other in (f"{name}:-{name}", f"{name}:", f":-{name}"):
                changed = ast.unparse(slot.node)
                for cut in dict.fromkeys(told):
                    changed = changed.replace(cut, other)
                text = f"other entries are cut off: [{told[0]}] stands where [{other}] belongs"
                yield instead(slot, parse(changed), "GP109", text)
        for start in (*tree.known, "1") if told and all(cut.startswith(":") for cut in told) else ():
            changed = ast.unparse(slot.node)
            for cut in dict.fromkeys(told):
                changed = changed.replace(cut, f"{start}:{start} + {cut[1:]}")
            text = f"other entries are cut off: [{told[0]}] stands where [{start}:{start} + {told[0][1:]}] belongs"
            yield instead(slot, parse(changed), "GP109", text)


def _counts(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value > 0
