"""What is known of a subject that fails: what was seen, and what explains it so far; it computes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gradproof.adjoint.locate import Located
from gradproof.explain.failures import failures
from gradproof.findings import Finding
from gradproof.values import Outcome


@dataclass(frozen=True, eq=False)
class Failing:
    """A value that goes from one source of explanations to the next, each of which adds to it.

    subject, reproduce: its name, and the command that shows its failures again. outcomes: every example judged, with
    what the subject was asked about it. broken: what is told of broken promises. findings: what
    is told so far. part: the class of the part of a composite that is wrong by itself. located: up to which lines
    backward is right. forwards: what explaining took. may_call: whether the subject may still be called; its time may
    be over.
    """

    subject: str
    reproduce: str
    outcomes: Sequence[Outcome]
    broken: Sequence[Finding] = ()
    findings: Sequence[Finding] = ()
    part: type | None = None
    located: Located | None = None
    forwards: int = 0
    may_call: bool = True

    @property
    def wrong(self) -> list[str]:
        """The tensors that have a wrong gradient, each once."""
        found = failures(self.outcomes)
        return list(dict.fromkeys(f.tensor for f in found if f.tensor is not None and f.code is None))
