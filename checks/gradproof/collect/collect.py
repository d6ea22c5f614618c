"""What a file or notebook holds to check: Cases, and subjects without one; it checks and infers nothing by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from gradproof import deadlines
from gradproof.case.case import Case
from gradproof.collect import notebook, suggestions
from gradproof.collect.discover import Found, left_out, lost, lost_notes, subjects
from gradproof.collect.load import Source, load
from gradproof.collect.lost_statements import notes_of_lost, refusal
from gradproof.collect.places import shown
from gradproof.errors import UsageError
from gradproof.findings import Finding
from gradproof.infer.infer import infer
from gradproof.infer.inference import Inference
from gradproof.source.hints import notes_of

# for one inference, which is limited by counts: a call that does not end is cut off after a sixth of it
INFERENCE_SECONDS = 60.0
OF_A_PLACE = ("GP305", "GP307")  # notes whose subject is a place in a file
LEFT_OUT = "GP306"  # notes on a class or function that is not checked


@dataclass(frozen=True, eq=False)
class Item:
    """One thing to check: its Case, or the class or functions (``target``) whose Case is to be inferred.

    ``problem`` is the sentence that says why it cannot be checked. ``title`` is its name in messages.
    """

    name: str
    location: str  # "layers.py::Affine", as the command line takes it
    source: Source
    case: Case | None
    target: Any = None
    title: str | None = None
    problem: str | None = None
    inference: Inference | None = None
    aliases: tuple[str, ...] = ()

    @property
    def inferred(self) -> bool:
        """Whether the case was not declared."""
        return self.inference is not None and self.case is not None


@dataclass(frozen=True, eq=False)
class Holding:
    """What a file holds: the items, and notes on what is told and not checked."""

    items: tuple[Item, ...]
    notes: tuple[Finding, ...] = ()


def named_cases(module: ModuleType) -> dict[str, Case]:
    """The module-level Cases in their order, each under the first name that it was given."""
    named: dict[int, tuple[str, Case]] = {}
    for name, value in vars(module).items():
        if isinstance(value, Case):
            named.setdefault(id(value), (name, value))
    return dict(named.values())


def holding(file: Path, name: str | None, seconds: float = deadlines.SECONDS) -> Holding:
    """The Cases of a file or notebook, and its subjects that no Case covers; of these only ``name``, where it is given.

    The name of a covered class selects its Cases; that of a class which a notebook defines in several cells, all of
    them. Raises UsageError where the file cannot be read, parsed or imported, or where it holds nothing to check, or
    nothing called ``name``.
    """
    read = _notebook if file.suffix == ".ipynb" else _module
    source, found, notes = read(file, seconds)
    cases = [_declared(key, case, source) for key, case in named_cases(source.module).items()]
    items = [*cases, *_without_cases(found, cases)]
    if not items:
        _check_notes(file, source, notes)
    if name is not None:
        return Holding(_named(file, items, name))
    targets = [item.target for item in items if item.target is not None]
    beside = [*notes, *notes_of(source.module, targets)]
    return Holding(tuple(items), tuple(_placed(note, file) for note in beside))


def _without_cases(found: Sequence[Item], cases: Sequence[Item]) -> list[Item]:
    """The items of which no part is that of a Case."""
    covered = {id(part) for case in cases for part in _parts(case)}
    return [item for item in found if covered.isdisjoint(map(id, _parts(item)))]


def _check_notes(file: Path, source: Source, notes: Sequence[Finding]) -> None:
    """Raise UsageError where no note says why a file holds nothing to check."""
    if source.failures and not any(note.code == LEFT_OUT for note in notes):
        first = source.failures[0]
        raise UsageError(refusal(shown(file), first.error, first.traceback))
    if not notes:
        raise UsageError(_nothing(file, source.module))


def _named(file: Path, items: Sequence[Item], name: str) -> tuple[Item, ...]:
    """The items of that name; raises UsageError where there is none."""
    selected = tuple(item for item in items if name in (item.name, item.name.partition("@")[0], *item.aliases))
    if not selected:
        raise UsageError(f"{shown(file)} has no {name!r}: it has {', '.join(item.name for item in items) or 'nothing'}")
    return selected


def _placed(note: Finding, file: Path) -> Finding:
    """The note with its file, where its subject does not say it."""
    return note if note.code in OF_A_PLACE else replace(note, file=shown(file))


def _nothing(file: Path, module: ModuleType) -> str:
    """What was looked for in a file, and what to write to have something of it checked."""
    own = [value for value in vars(module).values() if getattr(value, "__module__", None) == module.__name__]
    classes = [value for value in own if isinstance(value, type)]
    functions = [value for value in own if isinstance(value, FunctionType)]
    return (
        f"{shown(file)}: nothing to check: there is no class with forward and backward, no pair such as affine_forward "
        "and affine_backward, and no loss that returns (loss, gradient); what has other names is declared in a "
        f"check_*.py, as in\n{suggestions.of_a_module(classes, functions)}"
    )


def items(file: Path, name: str | None) -> list[Item]:
    """The items of a file alone, without a Case where it is to be inferred."""
    return list(holding(file, name).items)


def settled(item: Item) -> Item:
    """The item with its Case, which is inferred where none is declared, or with the reason why there is none.

    Runs the subject: within ``importable(item.source)``.
    """
    if item.case is not None or item.problem is not None:
        return item
    try:
        with deadlines.limited(INFERENCE_SECONDS):
            found = infer(item.target)
    except deadlines.Expired as expired:
        stage = "the subject" if expired.error is None else expired.error.stage
        where = "" if expired.error is None else f"\n{expired.error.traceback}"
        return replace(
            item, problem=f"{stage} did not end within {expired.seconds:g} s while its Case was sought{where}"
        )
    if found.case is None and found.error is not None and found.error.absence is not None:
        return replace(item, problem=f"{found.error.stage} {found.error.absence}", inference=found)
    return replace(item, case=found.case, problem=found.problem, inference=found)


def uncovered(found: Sequence[Item]) -> list[Item]:
    """The items without those whose Case is declared by another item, such as one in a check file beside them."""
    declared = {origin for item in found if item.case is not None for origin in _origins(item)}
    return [item for item in found if item.case is not None or declared.isdisjoint(_origins(item))]


def _origins(item: Item) -> set[tuple[str, int]]:
    """Where the parts of an item are written: the file and the first line of each, or of a class's first method."""
    methods = [part if not isinstance(part, type) else _first_method(part) for part in _parts(item)]
    codes = [getattr(method, "__code__", None) for method in methods]
    return {(str(Path(code.co_filename).resolve()), code.co_firstlineno) for code in codes if code is not None}


def _first_method(cls: type) -> Any:
    own = (getattr(value, "__func__", value) for value in vars(cls).values())
    return next((value for value in own if isinstance(value, FunctionType)), None)


def _module(file: Path, seconds: float) -> tuple[Source, list[Item], Sequence[Finding]]:
    source = load(file, seconds)
    names = vars(source.module)

    def own(value: Any) -> bool:
        return getattr(value, "__module__", None) == source.module.__name__

    found = [*subjects(names, own), *lost(source.failures)]
    notes = (
        *notes_of_lost([*source.failures, *source.failures_beside]),
        *left_out(names, own),
        *lost_notes(source.failures),
    )
    return source, [_item(f, f.name, source) for f in found], notes


def _notebook(file: Path, seconds: float) -> tuple[Source, list[Item], Sequence[Finding]]:
    ran = notebook.run(file, seconds)
    items = [_item(v.found, f"{v.found.name}@{v.cell}", v.source) for v in ran.versions]
    titles = [f"{v.found.name} (cell {v.cell})" for v in ran.versions]
    return ran.source, [replace(item, title=title) for item, title in zip(items, titles, strict=True)], ran.notes


def _item(found: Found, name: str, source: Source) -> Item:
    aliases = () if found.target is None else tuple(part.__name__ for part in found.parts)
    location = f"{shown(source.file)}::{name}"
    return Item(name, location, source, None, found.target, problem=found.problem, aliases=aliases)


def _declared(name: str, case: Case, source: Source) -> Item:
    target = case.subject if case.backward is None else (case.subject, case.backward)
    aliases = tuple(getattr(part, "__name__", "") for part in (case.subject,))
    return Item(name, f"{shown(source.file)}::{name}", source, case, target, aliases=aliases)


def _parts(item: Item) -> tuple[Any, ...]:
    return item.target if isinstance(item.target, tuple) else (item.target,)
