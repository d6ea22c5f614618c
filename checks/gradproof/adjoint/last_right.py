"""The last line of a backward that is right before a place that must be corrected, and what belongs in that place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradproof.adjoint.adjoints import Adjoint
from gradproof.adjoint.instrument import Kind, Site
from gradproof.adjoint.recorded import Backward, fits
from gradproof.adjoint.substitution import Substitution, is_given_dout, is_meant
from gradproof.findings import Location, RightLine, RightUpTo, WrongLine
from gradproof.source.locations import at_line, located

CLEAR = 10  # bounds: a value that is less far from the true one is not reported as wrong


def right_up_to(backward: Backward, substitution: Substitution) -> RightUpTo | None:
    """None where the place may be right, and what is wrong lies before it or behind it."""
    handed_over = any(backward.site(number).kind is Kind.ARGUMENT for number in substitution.unsure)
    is_right = backward.is_known(substitution.number) and not is_meant(backward, substitution)
    if handed_over or is_right or not _sees_dout(backward, substitution):
        return None
    wrong = _wrong_line(backward, substitution)
    if wrong is None:
        return None
    unsure = {_where(backward.site(number)): None for number in substitution.unsure}
    unsure.pop(wrong.at, None)
    return RightUpTo(_right_line(backward, substitution), wrong, tuple(sorted(substitution.tensors)), tuple(unsure))


def _sees_dout(backward: Backward, substitution: Substitution) -> bool:
    """Whether a function whose value follows dout, or should, is given dout by an argument that could be seen."""
    function, needs_dout = backward.site(substitution.number).function, substitution.candidate.of_dout
    if function is backward.rerun.last:
        return True
    if not backward.follows_dout[substitution.number] and not needs_dout:
        return True
    arguments = [site for site in backward.rerun.sites if site.kind is Kind.ARGUMENT and site.function is function]
    may_go_without = not arguments and not needs_dout
    return may_go_without or is_given_dout(backward, substitution.number)


def _where(site: Site) -> Location:
    file = site.function.file
    return at_line(file, site.line) if site.kind is Kind.ARGUMENT else located(file, site.statement)


def _wrong_line(backward: Backward, substitution: Substitution) -> WrongLine | None:
    """The entry that is furthest off, the first time that anything is."""
    candidate, site = substitution.candidate, backward.site(substitution.number)
    rounds = zip(backward.values(substitution.number), candidate.values, candidate.bounds, strict=True)
    for value, true, bound in rounds:
        off = np.abs(value - true)
        if value.size and np.isfinite(off).all() and (off > CLEAR * bound).any():
            index = tuple(int(i) for i in np.unravel_index(int(off.argmax()), off.shape))
            numbers = float(true[index]), float(bound[index]), float(value[index])
            return WrongLine(_where(site), site.function.text(site.statement), site.name, candidate.of, index, *numbers)
    return None


def _right_line(backward: Backward, substitution: Substitution) -> RightLine | None:
    """The last line before the wrong one whose value is a true gradient, where no other value corrects there."""
    line = _where(backward.site(substitution.number))
    unsure = {_where(backward.site(number)) for number in (*substitution.unsure, *substitution.doubtful)}
    begun = [backward.order.index(number) for number in (*substitution.doubtful, substitution.number)]
    for number in reversed(backward.order[: min(begun)]):
        site = backward.site(number)
        is_told = site.kind is not Kind.PART and _where(site) not in (line, *unsure)
        of = _of_what(backward, number) if is_told else None
        if of is not None:
            return RightLine(_where(site), site.function.text(site.statement), site.name, of.name)
    return None


def _of_what(backward: Backward, number: int) -> Adjoint | None:
    """The variable of forward whose gradient a site has; None where its name says that it should be another's."""
    site, rerun = backward.site(number), backward.rerun
    is_given = site.kind is Kind.ARGUMENT and site.function is rerun.last
    if is_given or not backward.follows_dout[number] or site.function.place not in rerun.own:
        return None
    found = [each for each in backward.matches(number, variable=True) if each.is_named(rerun.own)]
    meant = _named_after(site.name, found)
    should_be_anothers = not meant and _named_after(site.name, backward.variables)
    return None if should_be_anothers else next(iter([*meant, *found]), None)


def _named_after(name: str, adjoints: Sequence[Adjoint]) -> list[Adjoint]:
    """Those of the variables from whose names a name of backward is built."""
    return [adjoint for adjoint in adjoints if fits(name, adjoint.name)]
