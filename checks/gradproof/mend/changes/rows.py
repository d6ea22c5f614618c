"""One entry of each row for columns of all of them; it runs nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradproof.mend.change import Change, instead, parse
from gradproof.mend.change_kind import ChangeKind
from gradproof.mend.slip import SlipKind
from gradproof.mend.slots import Slot
from gradproof.mend.tree import Tree
from gradproof.source.syntax import (
    targets_of,
)

COLUMNS_OF_EVERY_ROW = SlipKind(
    "GP109",
    "slip-columns-of-every-row",
    "{target} takes the columns {columns} of every row: one entry of each row is meant",
    ("a term too many", "one column wrong"),
)


def rows(tree: Tree) -> Iterator[Change]:
    """One entry of each row, ``d[np.arange(n), t]``, for columns of all of them, ``d[:, t]``."""
    for statement in dict.fromkeys(slot.statement for slot in tree.slots):
        for target in targets_of(statement):
            index = target.slice if isinstance(target, ast.Subscript) else None
            if not isinstance(index, ast.Tuple) or [isinstance(e, ast.Slice) for e in index.elts] != [True, False]:
                continue
            whole, column = ast.unparse(target), ast.unparse(index.elts[1])
            slip = COLUMNS_OF_EVERY_ROW(target=whole, columns=column)
            slot = Slot(index, "elts", 0, statement)
            yield instead(slot, parse(f"np.arange(len({column}))"), slip, sure=True)


CHANGES = (ChangeKind(rows, place=1220),)
