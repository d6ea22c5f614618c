"""Reads what a subject's findings are forgiven: ``# gradproof: allow GP510`` in its source; it knows no finding."""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import linecache
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gradproof.codes import CODES, closest
from gradproof.findings import Finding
from gradproof.source.source import Code, Function, shown

_COMMENT = re.compile(r"#\s*gradproof:\s*allow\b[\s:=]*(?P<codes>.*)", re.IGNORECASE)
_CODE = re.compile(r"GP\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Allowances:
    """The codes that are allowed, each with where that is said; ``unknown`` tells of those that do not exist."""

    where: Mapping[str, str]
    unknown: tuple[Finding, ...] = ()


def allowances(code: Code, settings: Iterable[str], subject: str) -> Allowances:
    """What the Settings of a Case allow, and the comments in the class with its bases, or in the pair of functions."""
    where = dict.fromkeys(settings, "in its Settings")
    unknown: dict[str, Finding] = {}
    for file, line, said in _comments(code):
        place = f"{shown(file)}:{line}"
        for word in _words(said):
            if word.upper() in CODES:
                where.setdefault(word.upper(), place)
            else:
                unknown.setdefault(place, _unknown(subject, word, place))
    return Allowances(where, tuple(unknown.values()))


def _words(said: str) -> Iterator[str]:
    """The codes, up to the first word that is none; what follows is the author's reason."""
    words = re.findall(r"[^\s,;]+", said)
    yield from words[:1] or ["nothing"]
    for word in words[1:]:
        if not _CODE.fullmatch(word):
            return
        yield word


def _unknown(subject: str, word: str, place: str) -> Finding:
    lines = (
        ("seen", f"{place}   gradproof: allow {word}"),
        ("what to do", closest(word)),
    )
    headline = f"there is no code {word} that could be allowed"
    return Finding("GP522", subject, headline, severity="warning", remarks=lines)


def _comments(code: Code) -> Iterator[tuple[str, int, str]]:
    """File, line and codes of every comment in what the subject is written in."""
    seen: set[tuple[str, int]] = set()
    for function in code.all_functions:
        first, last = _extent(function)
        text = "".join(linecache.getlines(function.file))
        if "gradproof" not in text:
            continue
        for line, comment in _comments_of(text):
            found = _COMMENT.match(comment)
            if found is not None and first <= line <= last and (function.file, line) not in seen:
                seen.add((function.file, line))
                yield function.file, line, found["codes"]


@functools.lru_cache(maxsize=64)  # asked for every function of a file
def _comments_of(text: str) -> tuple[tuple[int, str], ...]:
    found: list[tuple[int, str]] = []
    with contextlib.suppress(tokenize.TokenError, SyntaxError):  # a notebook's cell may end in the middle of a line
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        found.extend((token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)
    return tuple(found)


def _extent(function: Function) -> tuple[int, int]:
    """The lines of the class that a method stands in, or of the function itself."""
    line = function.node.lineno
    around = [node for node in _classes(function.module) if node.lineno <= line <= (node.end_lineno or line)]
    node = max(around, key=lambda owner: owner.lineno, default=function.node)
    decorators = [decorator.lineno for decorator in node.decorator_list]
    return min([node.lineno, *decorators]), node.end_lineno or node.lineno


@functools.lru_cache(maxsize=64)  # asked for every function of a file
def _classes(module: ast.Module) -> tuple[ast.ClassDef, ...]:
    return tuple(node for node in ast.walk(module) if isinstance(node, ast.ClassDef))
