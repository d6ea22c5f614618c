"""What a slip is: its kind, and what it is about; a kind says its code, its words, and what a teacher calls it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gradproof.findings import Fact, Parameters

TeacherNames = tuple[str, ...] | Callable[[Parameters], tuple[str, ...]]


@dataclass(frozen=True)
class SlipKind:
    """One kind of slip in the source, under the code of the cause that it is.

    ``words`` tell a student of it, with the names of what it is about in braces. ``teacher_names``: what a teacher
    would accept as its name; a function of what it is about where it hangs on that.
    """

    code: str
    name: str
    words: str
    teacher_names: TeacherNames = ()

    def __call__(self, **about: str | Fact) -> Slip:
        """A slip of this kind."""
        return Slip(self, tuple(about.items()))

    def names(self, about: Parameters) -> tuple[str, ...]:
        """What a teacher would call a slip of this kind."""
        return self.teacher_names(about) if callable(self.teacher_names) else self.teacher_names


@dataclass(frozen=True)
class Slip:
    """One slip that a change would mend: names, numbers and formulas, as they stand in the source."""

    kind: SlipKind
    about: tuple[tuple[str, str | Fact], ...] = ()

    @property
    def code(self) -> str:
        """The code of the cause that it is."""
        return self.kind.code

    @property
    def fact(self) -> Fact:
        """The slip as findings hold it."""
        return Fact(self.kind.name, dict(self.about))

    def mentions(self, text: str) -> bool:
        """Whether what it is about holds a piece of source already."""
        return any(text in value for _, value in self.about if isinstance(value, str))
