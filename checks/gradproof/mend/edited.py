"""A change as lines that can be pasted: what it leaves alone stands as its author wrote it; it judges no change."""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Iterator, Sequence

from gradproof.findings import Action, Replacement
from gradproof.mend.change import Change
from gradproof.source.locations import located, source_at

Line = tuple[int, str]  # of the file: the number of a statement's first line, and the whole statement on one line
Span = tuple[int, int, int, int]  # first line, column in bytes, last line, column behind the end

_DELETED = "(without this line)"
_NO_BRANCH = "(without this branch)"
_INTO_LOOP = "(this line at the end of the loop above it)"
_BREAK = re.compile(r"\s*(?:#[^\n]*)?\n\s*")


def edited(change: Change, file: str) -> tuple[Replacement, ...]:
    """The statements after the change, each once, the one that is shown first."""
    if change.deletes:
        text = _NO_BRANCH if hasattr(change.statement, "body") else _DELETED
        return (_instead(change.statement, "", text, file),)
    if isinstance(change.nodes[0], ast.Pass):
        at = located(file, change.statement)
        return (Replacement(at, Action.MOVE, source_at(file, at), "", _INTO_LOOP),)
    if isinstance(change.nodes[0], ast.stmt):
        return tuple(_of_statements(change, file))
    lines = {slot.statement: _with_expressions(change, slot.statement, file) for slot in change.slots}
    return tuple(_instead(statement, text, text, file) for statement, text in lines.items())


def parses(line: str) -> bool:
    """Whether a line that is shown is Python as it stands, or says in words where a line goes."""
    return line in ("", _DELETED, _NO_BRANCH, _INTO_LOOP) or _tree(line) is not None


def _instead(statement: ast.stmt, new: str, text: str, file: str) -> Replacement:
    at = located(file, statement)
    return Replacement(at, Action.REPLACE if new else Action.DELETE, source_at(file, at), new, text)


def _of_statements(change: Change, file: str) -> Iterator[Replacement]:
    """Statements in the place of others. An ``if True`` is but a frame around two of them."""
    for slot, node in zip(change.slots, change.nodes, strict=True):
        if isinstance(node, ast.Pass):
            yield _instead(slot.statement, "", "", file)
            continue
        framed = _framed(node)
        lines = [_in_one_line(line, file) for line in framed if isinstance(line, ast.stmt) and _is_of_one_line(line)]
        text = "; ".join(lines)
        if lines and len(lines) < len(framed):
            yield _before(slot.statement, text, file)
        elif lines:
            yield _instead(slot.statement, text, text, file)


def _framed(node: ast.AST) -> Sequence[ast.AST]:
    """The statements within an ``if True``; any other one alone."""
    return node.body if isinstance(node, ast.If) and isinstance(node.test, ast.Constant) else [node]


def _is_of_one_line(statement: ast.stmt) -> bool:
    """Whether it is one without others inside, or with one alone."""
    return not hasattr(statement, "body") or (isinstance(statement, ast.If) and len(statement.body) == 1)


def _in_one_line(statement: ast.stmt, file: str) -> str:
    if isinstance(statement, ast.If):
        return f"if {ast.unparse(statement.test)}: {_simple(statement.body[0], file)}"
    return _simple(statement, file)


def _before(loop: ast.stmt, text: str, file: str) -> Replacement:
    """A line before a loop, which stays."""
    at = located(file, loop)
    head = source_at(file, at)
    new = f"{text}\n{' ' * loop.col_offset}{head}"
    return Replacement(at, Action.REPLACE, head, new, f"{text}  # before this line")


def _simple(statement: ast.stmt, file: str) -> str:
    """A statement without others inside; its value is spelled as its author did it."""
    plain = ast.unparse(statement)
    value = getattr(statement, "value", None)
    if not isinstance(value, ast.expr) or not hasattr(value, "end_col_offset"):
        return plain
    own = _segment(file, _span(value))
    whole = plain.removesuffix(ast.unparse(value)) + own
    return whole if _is_same(whole, plain) else plain


def _with_expressions(change: Change, statement: ast.stmt, file: str) -> str:
    """A statement with some of its expressions replaced: only their spans are written anew."""
    pairs = [(s.node, n) for s, n in zip(change.slots, change.nodes, strict=True) if s.statement is statement]
    with change.made():
        plain = ast.unparse(statement).splitlines()[0]
    if not all(hasattr(old, "end_col_offset") for old, _ in pairs):
        return plain
    edits = sorted(((_span(old), _bare(new)) for old, new in pairs), reverse=True)
    for form in ("{}", "({})"):
        line = _replaced(file, _head(statement), [(span, form.format(text)) for span, text in edits])
        if _is_same(line, plain):
            return line
    return plain


def _bare(node: ast.AST) -> str:
    """The source of an expression; of several, without brackets."""
    text = ast.unparse(node)
    return text[1:-1] if isinstance(node, ast.Tuple) and len(node.elts) > 1 else text


def _replaced(file: str, whole: Span, edits: Sequence[tuple[Span, str]]) -> str:
    """The text of a span with other texts in the place of spans inside it, the last of which comes first."""
    text, last = "", (whole[2], whole[3])
    for (line, column, end_line, end_column), new in edits:
        text = f"{new}{_segment(file, (end_line, end_column, *last))}{text}"
        last = line, column
    return (_segment(file, (whole[0], whole[1], *last)) + text).strip()


def _segment(file: str, span: Span) -> str:
    """The text of a span, on one line."""
    first, begin, last, end = span
    lines = [line.encode() for line in linecache.getlines(file)[first - 1 : last]]
    if not lines or (first, begin) > (last, end):
        return ""
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    return _BREAK.sub(" ", b"".join(lines).decode(errors="replace"))


def _span(node: ast.expr | ast.stmt) -> Span:
    return node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or 0


def _head(statement: ast.stmt) -> Span:
    """The span of a statement; of a loop or a branch, that of its head with the colon."""
    head = getattr(statement, "iter", getattr(statement, "test", None))
    if not hasattr(statement, "body") or not isinstance(head, ast.expr):
        return _span(statement)
    return statement.lineno, statement.col_offset, head.end_lineno or head.lineno, (head.end_col_offset or 0) + 1


def _is_same(one: str, other: str) -> bool:
    mine, theirs = _tree(one), _tree(other)
    return mine is not None and theirs is not None and ast.dump(mine) == ast.dump(theirs)


def _tree(line: str) -> ast.Module | None:
    try:
        return ast.parse(f"{line} pass" if line.endswith(":") else line)
    except (SyntaxError, ValueError):
        return None
