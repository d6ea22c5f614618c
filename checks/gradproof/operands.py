"""The arrays that met in the expression that raised, with their shapes; it runs none of the author's code."""

from __future__ import annotations

import ast
import linecache
from collections import ChainMap
from collections.abc import Mapping
from itertools import islice
from types import TracebackType
from typing import Any

import numpy as np

MOST = 4  # operands that are told
Operands = tuple[tuple[str, tuple[int, ...]], ...]


def operands(trace: TracebackType) -> Operands:
    """The names and attributes in the expression at which a frame stands that hold arrays, each with its shape."""
    text = _expression(trace)
    try:
        tree = ast.parse(text, mode="eval") if text else None
    except SyntaxError:
        return ()
    found: dict[str, tuple[int, ...]] = {}
    names = ChainMap(trace.tb_frame.f_locals, trace.tb_frame.f_globals)
    for node in [] if tree is None else ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            value = _value(node, names)
            if isinstance(value, np.ndarray) and isinstance(getattr(node, "ctx", None), ast.Load):
                found[ast.unparse(node)] = value.shape
    # in the order of the line: a walk goes level by level
    ordered = sorted(found.items(), key=lambda item: text.find(item[0]))
    return tuple(ordered[:MOST])


def _expression(trace: TracebackType) -> str:
    """The source of the expression that the frame was at; nothing where it runs over several lines."""
    code, instruction = trace.tb_frame.f_code, trace.tb_lasti // 2
    unknown = None, None, None, None
    line, last, begin, end = next(islice(code.co_positions(), instruction, None), unknown)
    if line is None or line != last or begin is None or end is None:
        return ""
    source = linecache.getline(code.co_filename, line).encode()  # the columns count bytes
    return source[begin:end].decode(errors="replace").strip()


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """What a name, or an attribute of one, holds: read from the object's own dict, so that no property runs."""
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, names)
        held = getattr(owner, "__dict__", None)
        return held.get(node.attr) if isinstance(held, dict) else None
    return None
