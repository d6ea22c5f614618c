"""A source text as statements that can be run one by one, and what each of them was to define; it runs none."""

from __future__ import annotations
import __future__

import ast
import builtins
import functools
import operator
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType

_DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)
_FUTURE = functools.reduce(operator.or_, (getattr(__future__, f).compiler_flag for f in __future__.all_feature_names))


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement of a module: its syntax, its code, and the names of modules that it imports."""

    node: ast.stmt
    code: CodeType
    filename: str
    flags: int  # of the features that the module takes from __future__

    @property
    def line(self) -> int:
        """The first line, decorators aside."""
        return self.node.lineno

    @property
    def defines(self) -> bool:
        """Whether it is a class or a function."""
        return isinstance(self.node, _DEFINITIONS)

    @property
    def is_quick(self) -> bool:
        """Whether it defines or imports something, rather than work on data."""
        return self.defines or isinstance(self.node, (ast.Import, ast.ImportFrom))

    @property
    def is_compound(self) -> bool:
        """Whether it holds other statements, some of which may have run when it raises."""
        return hasattr(self.node, "body") and not self.defines

    @property
    def is_main(self) -> bool:
        """Whether it is the part that runs only as a script: ``if __name__ == "__main__":``."""
        return isinstance(self.node, ast.If) and _asks_for_main(self.node.test)

    @property
    def imports_all(self) -> bool:
        """Whether it is ``from m import *``: what it defines cannot be read from it."""
        return isinstance(self.node, ast.ImportFrom) and self.node.names[0].name == "*"

    def parts(self) -> list[Statement]:
        """An import of several names as one import for each."""
        node = self.node
        single: list[ast.stmt] = []
        if isinstance(node, ast.Import):
            single = [ast.Import([alias]) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            single = [ast.ImportFrom(node.module, [alias], node.level) for alias in node.names]
        if len(single) < 2:
            return []
        return [_statement(ast.copy_location(part, node), self.filename, self.flags) for part in single]

    def assigning(self, target: ast.expr, name: str) -> CodeType:
        """``target = name`` as code in the place of this statement."""
        assignment = ast.Assign([target], ast.Name(name, ast.Load()))
        return _statement(ast.copy_location(assignment, self.node), self.filename, self.flags).code

    def targets(self) -> list[ast.expr]:
        """What it was to give a value to: names, attributes, items; of a loop, those in its body as well."""
        return list(_targets(self.node))


def statements(source: bytes | str, filename: str) -> list[Statement]:
    """The statements of a module, each compiled alone under the module's own __future__ flags, on its own lines.

    Raises what ``compile`` raises where the whole does not parse.
    """
    flags = compile(source, filename, "exec", dont_inherit=True).co_flags & _FUTURE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the whole was compiled already, and has warned
        body = ast.parse(source, filename).body
        # the first string of a module is its docstring; a later one alone would be taken for it
        kept = [node for i, node in enumerate(body) if i == 0 or not _is_string(node)]
        return [_statement(node, filename, flags) for node in kept]


def unbound(found: Sequence[Statement]) -> set[str]:
    """The names that the statements read, and that neither they nor Python define: what an ``import *`` must bring."""
    stored = {name for statement in found for name in map(ast.unparse, statement.targets())}
    return reads(found) - stored - set(vars(builtins))


def reads(found: Iterable[Statement]) -> set[str]:
    """The names that the statements read anywhere."""
    nodes = (node for statement in found for node in ast.walk(statement.node))
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _statement(node: ast.stmt, filename: str, flags: int) -> Statement:
    module = ast.fix_missing_locations(ast.Module([node], []))
    return Statement(node, compile(module, filename, "exec", flags, dont_inherit=True), filename, flags)


def _is_string(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _asks_for_main(test: ast.expr) -> bool:
    asked = [node.value for node in ast.walk(test) if isinstance(node, ast.Constant)]
    names = [node.id for node in ast.walk(test) if isinstance(node, ast.Name)]
    return "__main__" in asked and "__name__" in names


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, _DEFINITIONS):
        yield ast.Name(node.name, ast.Store())
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            if name != "*":
                yield ast.Name(name, ast.Store())
    elif isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
        yield node
    elif not isinstance(node, _SCOPES):
        for child in ast.iter_child_nodes(node):
            yield from _targets(child)
