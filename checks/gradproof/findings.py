"""The values that say what is wrong with a subject: findings, causes, lines of source, edits; they hold no sentences.

A kind with its parameters is what can be compared and counted; report/sentences writes it for a reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Union

from gradproof.codes import CODES
from gradproof.values import Entry, LayerError, TensorSummary, Verdict

OWN = "{tensor}"  # within a formula, for the name of the tensor of whose gradient it is told

Value = Union[str, int, float, tuple["Value", ...], "Fact"]
Parameters = Mapping[str, Value]


def _none() -> dict[str, Value]:
    return {}


@dataclass(frozen=True)
class Fact:
    """A kind with what it is about: a law of the shapes, a region of a tensor; names, sizes, numbers, formulas."""

    kind: str
    parameters: Parameters = field(default_factory=_none)


class Confidence(StrEnum):
    """How much a cause says."""

    NAMED = "named"  # by which slip the gradient is wrong
    VAGUE = "vague"  # where or how far it is wrong, rather than by which slip
    OPEN = "open"  # only what was measured


@dataclass(frozen=True)
class Support:
    """How many entries show a cause that holds of all, in how many failing examples."""

    entries: int
    examples: int


@dataclass(frozen=True)
class Cause:
    """Why a gradient is wrong: a kind, which belongs to a code, and what tells it from other causes of its kind.

    ``evidence`` is what was measured, which differs from tensor to tensor though the cause is one; ``support`` says of
    how much it holds. ``of``: the cause that a broken promise or a slip in the source was put in the place of or, with
    the ``tensor`` of a part, the cause in that part of a composite.
    """

    code: str
    kind: str
    parameters: Parameters = field(default_factory=_none)
    evidence: Parameters = field(default_factory=_none)
    support: Support | None = None
    confidence: Confidence = Confidence.NAMED
    of: Cause | None = None
    tensor: str | None = None

    @property
    def measured(self) -> Cause:
        """What the numbers show: this one, or what a broken promise or a slip in the source was put in the place of."""
        return self if self.of is None or self.tensor is not None else self.of.measured

    @property
    def identity(self) -> tuple[str, str, Parameters]:
        """What is alike in two causes that are one."""
        return self.code, self.kind, self.parameters


@dataclass(frozen=True)
class Location:
    """Where a piece of source stands: lines from 1, columns in characters from 0, the end behind the last character.

    In a notebook, lines are those of the code ``cell``, counted from 1; ``cell_begins`` is the cell's first line.
    """

    file: str  # as the author would type it
    line: int
    column: int
    end_line: int
    end_column: int
    cell: int | None = None
    cell_begins: str | None = None

    def meets(self, other: Location) -> bool:
        """Whether they have a line in common."""
        is_there = self.file == other.file and self.cell == other.cell
        return is_there and self.line <= other.end_line and other.line <= self.end_line


@dataclass(frozen=True)
class SourceHint:
    """A line of the author's source: one that computes a gradient or, with a sentence, one whose syntax shows a slip.

    ``code`` is that of a slip that is told also where nothing was measured; None where it only fits a measured fault.
    """

    at: Location
    text: str
    sentence: str | None = None
    code: str | None = None


class Action(StrEnum):
    """What an edit does with a statement."""

    REPLACE = "replace"
    DELETE = "delete"
    MOVE = "move"  # to the end of the loop above it


@dataclass(frozen=True)
class Replacement:
    """One statement, or the head of a loop or a branch: ``old`` as its author wrote it, ``new`` what belongs there.

    ``text`` is what is printed of it; empty where what is printed of another one says it.
    """

    at: Location
    action: Action
    old: str
    new: str
    text: str


@dataclass(frozen=True)
class Edit:
    """A change of the source that was tried: with it, the gradients of ``tensors`` are right at all ``examples``.

    ``needs``: what forward would have to keep for it.
    """

    replacements: tuple[Replacement, ...]
    tensors: tuple[str, ...]
    examples: int
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class RightLine:
    """A line of backward whose value is right: ``variable`` is the gradient of ``of``, a variable of forward.

    ``variable`` is empty where it is what the line returns, adds or hands over.
    """

    at: Location
    text: str
    variable: str
    of: str


@dataclass(frozen=True)
class WrongLine:
    """A line of backward whose value is wrong: its entry ``index`` is ``got``, and should be ``expected`` +- ``bound``.

    ``of``: the variable of forward whose gradient it should be; empty where it should be none, but a slope, say.
    """

    at: Location
    text: str
    variable: str
    of: str
    index: tuple[int, ...]
    expected: float
    bound: float
    got: float


@dataclass(frozen=True)
class RightUpTo:
    """Where backward goes wrong, as was measured at one example: the last line before it that is right, and the first
    one that is not.

    With what ``wrong`` should be in its place, the gradients of ``tensors`` are right there. ``unsure`` are lines on
    which it depends, and of which nothing shows whether they are right: the slip may be there.
    """

    right: RightLine | None
    wrong: WrongLine
    tensors: tuple[str, ...]
    unsure: tuple[Location, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One thing wrong. ``also`` are further tensors of which the same holds, or whose gradients it accounts for.

    ``headline`` says it in one sentence; None where the cause, or that a gradient is wrong, says it. ``kind`` tells
    apart what one code stands for. ``worst`` is the entry that is most wrong in the smallest case; ``law`` the
    shapes that fail; ``because`` a broken promise that explains a wrong gradient; ``remarks`` what was seen and what to
    do, as (label, text), of what is no matter of numbers; ``advice`` what to do about an exception. ``hints`` are lines
    of source; ``edits`` changes that were tried, each of which mends it; ``right_up_to`` where backward goes wrong.

    ``dims``, ``values`` and ``varied`` are the smallest case: sizes, arrays as nested lists (where it has few numbers),
    and hyper-parameters that are not at their author's own value. ``error``: the exception that it is about;
    ``everywhere``: backward raises it wherever forward runs, at sizes that tell the axes apart.
    """

    code: str
    subject: str
    headline: str | None = None
    tensor: str | None = None
    severity: str = "error"
    kind: str = ""
    also: tuple[str, ...] = ()
    cause: Cause | None = None
    worst: Entry | None = None
    law: Fact | None = None
    because: Finding | None = None
    remarks: tuple[tuple[str, str], ...] = ()
    advice: str | None = None
    hints: tuple[SourceHint, ...] = ()
    edits: tuple[Edit, ...] = ()
    right_up_to: RightUpTo | None = None
    dims: Mapping[str, int | tuple[int, ...]] = field(default_factory=dict[str, "int | tuple[int, ...]"])
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    varied: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reproduce: str | None = None
    traceback: str | None = None
    error: LayerError | None = None
    everywhere: bool = False
    file: str | None = None  # of a note

    @property
    def name(self) -> str:
        """The short name of its code."""
        return CODES[self.code].name

    @property
    def index(self) -> tuple[int, ...] | None:
        """The entry that is most wrong."""
        return None if self.worst is None else self.worst.index

    @property
    def confidence(self) -> Confidence:
        """How much is known of its cause."""
        return Confidence.OPEN if self.cause is None else self.cause.confidence


@dataclass(frozen=True)
class SubjectReport:
    """All that a run says of one subject."""

    name: str
    location: str  # "layers.py::Affine", as the command line takes it
    verdict: Verdict
    tensors: tuple[TensorSummary, ...]
    findings: tuple[Finding, ...]
    examples: int
    forwards: int
    seed: int
    seconds: float
    reason: str | None = None  # why not PASS, where no finding says it
    naming_forwards: int = 0  # beside ``forwards``: what it took to ask for the causes of what failed
    dims: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])  # (least, most) tried
    notes: tuple[str, ...] = ()  # "an empty batch is refused by the layer", "the random state was frozen", ...


def own(name: str, tensor: str) -> str:
    """A name as it stands in a formula about the gradient of ``tensor``."""
    return OWN if name == tensor else name
