"""What to try after a candidate failed: equations between dims, other ranks, other kinds, other domains."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from gradproof.case.shapes import parse_size
from gradproof.infer.attempt import Attempt
from gradproof.infer.complaints import Complaint, complaint_of
from gradproof.infer.equations import Equations
from gradproof.infer.guesses import ARRAYS, BATCH, Candidate, Domain, Guess, Kind, resolved
from gradproof.infer.hyperparameters import usual
from gradproof.infer.roles import WEIGHTS, Role, role_of
from gradproof.values import LayerError, Reason

_UNNAMED = 0.4  # cost of changing an argument that the failing lines do not mention
_FLAG = 0.05  # cost of a flag that backward may need
_SPREAD = 0.02  # cost of scales that are shaped like images
_IMAGE = 4  # axes of a batch of images

Options = Mapping[str, tuple[Guess, ...]]


def repairs(candidate: Candidate, options: Options, seen: Attempt) -> Iterator[Candidate]:
    """The candidates that answer what was seen of one. What a backward raises makes no dims equal but parallel ones.

    Equal dims would hide the transpose that it may be complaining about; the same goes for a gradient of a wrong shape,
    after which only forward's inputs are taken to be something else.
    """
    if seen.error is not None:
        yield from _after_error(candidate, options, seen, seen.error)
    elif seen.reason is Reason.NON_FINITE and candidate.domain is not Domain.UNIT:
        domain = Domain.POSITIVE if candidate.domain is Domain.REAL else Domain.UNIT
        yield replace(candidate, domain=domain, departures=candidate.departures + 1, steps=candidate.steps + 1)
    else:
        if seen.defects:
            yield from _spread(candidate, options, {defect.tensor for defect in seen.defects})
        yield from _other_kinds(candidate, options)


def _spread(candidate: Candidate, options: Options, wrong: Collection[str | None]) -> Iterator[Candidate]:
    """Scales and biases of images with an axis for each of the image's, all at once: their gradients may be so too."""
    flat = [name for name, guess in candidate.guesses.items() if name in wrong and _is_vector(name, guess)]
    image = next((g.axes for g in candidate.guesses.values() if g.rank == _IMAGE and g.axes[0] == BATCH), ())
    for channels in (1, -1) if image else ():
        spread: Candidate | None = candidate
        for name in flat:
            fitting = (g for g in options[name] if g.rank == _IMAGE and g.axes[0] == "1" and g.axes[channels] != "1")
            guess = next(fitting, None)
            if spread is not None and guess is not None:
                spread = spread.changed(name, guess).equal(guess.axes[channels], image[channels])
        if spread is not None and spread is not candidate:
            yield replace(spread, departures=candidate.departures + _SPREAD)


def _is_vector(name: str, guess: Guess) -> bool:
    return guess.rank == 1 and role_of(name, constructor=True) in (Role.SCALE, Role.BIAS)


def _after_error(candidate: Candidate, options: Options, seen: Attempt, error: LayerError) -> Iterator[Candidate]:
    complaint = complaint_of(error)
    equations = Equations(candidate, {k: v for k, v in seen.dims.items() if isinstance(v, int)}, complaint)
    yield from equations.parallel() if error.stage == "backward" else equations.all()
    if error.stage == "backward":
        yield from switched_on(candidate, options)
    if error.kind == "KeyError":
        yield from _another_key(candidate, error.message.strip("'\""))
    if complaint.rank is not None:
        yield from _other_ranks(candidate, options, complaint)
    yield from _of_other_rank(candidate, options, complaint, seen)
    if complaint.integers:
        yield from _integers(candidate, options, complaint)
    if error.message.startswith("non-broadcastable output"):
        yield from _columns(candidate, options)
    fixed = WEIGHTS if error.stage == "backward" else frozenset[Role]()
    free = {name: o for name, o in options.items() if role_of(name, constructor=True) not in fixed}
    yield from _next_guesses(candidate, free, complaint, missing="None" in error.message)


def switched_on(candidate: Candidate, options: Options) -> Iterator[Candidate]:
    """A flag that is off by default, and that may be what makes forward keep what backward needs."""
    for name, guess in candidate.guesses.items():
        for other in options[name] if guess.kind is Kind.ABSENT else ():
            if other.kind is Kind.LITERAL and other.value is True:
                yield replace(candidate.changed(name, other), departures=candidate.departures + _FLAG)


def _columns(candidate: Candidate, options: Options) -> Iterator[Candidate]:
    """A column for a batch: what is updated in place cannot grow by broadcasting."""
    for name, guess in candidate.guesses.items():
        for other in options[name]:
            if guess.kind is Kind.FLOATS and len(other.axes) == 2 and other.axes[1] == "1" and guess.axes[1:] != ("1",):
                yield replace(candidate.changed(name, other), departures=candidate.departures + 0.3)


def _other_ranks(candidate: Candidate, options: Options, complaint: Complaint) -> Iterator[Candidate]:
    """Another number of axes for the argument whose shape was read, or else for every array that may be meant."""
    expected, found = complaint.rank or (None, None)
    named = complaint.names if complaint.unpacked not in options else (complaint.unpacked,)
    meant = [name for name in named if name is not None and name in options]
    arrays = [name for name, guess in candidate.guesses.items() if guess.rank is not None]
    for name in dict.fromkeys([*meant, *arrays]):
        now = candidate.guesses[name].rank
        if now is None or (name not in meant and found is not None and now != found):
            continue
        ranked = [(guess, guess.rank) for guess in options[name] if guess.rank is not None]
        fitting = [guess for guess, rank in ranked if (rank == expected if expected is not None else rank > now)]
        for guess in fitting[:3]:
            cheap = candidate.changed(name, guess)
            known = name in meant[:1]
            yield replace(cheap, departures=candidate.departures + (0.1 if known else 1.0))


def _of_other_rank(candidate: Candidate, options: Options, complaint: Complaint, seen: Attempt) -> Iterator[Candidate]:
    """As many axes as the other array has, for an array that is one of two whose shapes did not go together."""
    for shape, other in itertools.permutations(complaint.shapes[:2], 2):
        for name, guess in candidate.guesses.items():
            axes = [parse_size(resolved(axis, candidate.bound)).resolve(seen.dims) for axis in guess.axes]
            if guess.kind in ARRAYS and len(shape) != len(other) and tuple(axes) == shape:
                for fitting in [option for option in options[name] if option.rank == len(other)][:2]:
                    yield replace(candidate.changed(name, fitting), departures=candidate.departures + _UNNAMED)


def _integers(candidate: Candidate, options: Options, complaint: Complaint) -> Iterator[Candidate]:
    """Integers for an argument that was an array of floats, or a size that was none."""
    for name, guess in candidate.guesses.items():
        if guess.kind in (Kind.FLOATS, Kind.CONSTANT):
            whole = [g for g in options[name] if g.kind is Kind.LABELS]
            same = [g for g in whole if g.rank == guess.rank]
            for other in [*same, *(g for g in whole if g not in same)][:3]:
                extra = 0.2 if name in complaint.names else 1.0
                yield replace(candidate.changed(name, other), departures=candidate.departures + extra)


def _next_guesses(
    candidate: Candidate, options: Options, complaint: Complaint, *, missing: bool
) -> Iterator[Candidate]:
    """The next guess for each argument; of one that the failing lines mention, the next two."""
    for name, guess in candidate.guesses.items():
        mentioned = name in complaint.names
        if name not in options:
            continue
        if guess.kind is Kind.ABSENT and not (mentioned or missing):
            continue
        for other in _later(options[name], guess)[: 3 if mentioned else 1]:
            changed = candidate.changed(name, other)
            yield replace(changed, departures=changed.departures + (0.0 if mentioned else _UNNAMED))


def _other_kinds(candidate: Candidate, options: Options) -> Iterator[Candidate]:
    """Another kind for each array of a forward, as a target, an index or a mask is one."""
    for name, guess in candidate.guesses.items():
        kinds = {g.kind for g in options[name]}
        if guess.kind in ARRAYS and Kind.LABELS in kinds:
            for other in [g for g in _later(options[name], guess) if g.kind is not guess.kind][:3]:
                yield candidate.changed(name, other)


def _later(guesses: Sequence[Guess], guess: Guess) -> list[Guess]:
    places = [place for place, other in enumerate(guesses) if other is guess]
    return list(guesses[places[0] + 1 :]) if places else list(guesses)


def _another_key(candidate: Candidate, key: str) -> Iterator[Candidate]:
    """A dict argument with one more key."""
    for name, guess in candidate.guesses.items():
        if isinstance(guess.value, dict) and key not in guess.value:
            value = {**guess.value, key: usual(key)}
            yield candidate.changed(name, replace(guess, value=value, cost=guess.cost + 0.1))
