"""Where losses keep their value, and what backward's source says of a mean over the samples; it calls no layer."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

# Attributes in which forward keeps a loss that it does not return, the commonest names first.
KEPT = ("loss", "_loss", "cost", "_cost", "error", "err", "loss_value", "loss_val", "L", "J", "E", "total_loss")
COUNTS = frozenset({"n", "m", "N", "M", "B", "batch", "batch_size", "samples", "n_samples", "num_samples", "size"})
MEANS = frozenset({"mean", "average"})


def averages(inputs: Mapping[str, Any], backward: Callable[..., Any]) -> bool | None:
    """Whether backward's source divides by the number of samples.

    None where no two of forward's inputs are arrays of as many samples, as what a loss compares.
    """
    lengths = [len(value) for value in inputs.values() if isinstance(value, np.ndarray) and value.ndim]
    return _divides_by_samples(backward) if len(lengths) > len(set(lengths)) else None


@functools.lru_cache(maxsize=256)
def _divides_by_samples(function: Callable[..., Any]) -> bool:
    """Whether its source divides by a number of samples, or takes a mean; False where it cannot be read."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return False
    return any(_is_mean(node) for node in ast.walk(tree))


def _is_mean(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return getattr(node.func, "attr", getattr(node.func, "id", None)) in MEANS
    if isinstance(node, ast.AugAssign):
        return isinstance(node.op, ast.Div) and _counts(node.value)
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and _counts(node.right)


def _counts(divisor: ast.expr) -> bool:
    """Whether it is made of a number of samples: ``len(x)``, ``x.shape[0]``, ``self.n``, ``y.size``."""
    return any(_is_count(node) for node in ast.walk(divisor))


def _is_count(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="len")):
            return True
        case ast.Subscript(value=ast.Attribute(attr="shape"), slice=ast.Constant(value=0)):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in COUNTS
        case _:
            return False
