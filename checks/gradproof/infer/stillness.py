"""Whether a subject's output depends on what it is given; it knows no shapes and judges no gradient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradproof.guard import SubjectError
from gradproof.infer.roles import WEIGHTS, role_of
from gradproof.subject.subject import Subject


def is_constant(
    subject: Subject, inputs: Mapping[str, Any], others: Sequence[Mapping[str, Any]], rng: np.random.Generator
) -> bool:
    """Whether forward's output is the same for ``inputs`` and all ``others``, also with other parameters.

    The arguments of forward that are weights by their name keep their values: a loss that is only a penalty on them
    reads no data. Where all of them are weights, all of them change. An exception tells nothing: False.
    """
    data = [name for name in inputs if role_of(name, constructor=False) not in WEIGHTS] or list(inputs)
    if not data:
        return False
    given = [inputs, *({**inputs, **{name: other[name] for name in data}} for other in others)]
    stirred = {name: rng.uniform(0.5, 1, array.shape) for name, array in subject.parameters().items()}
    own: Mapping[str, Any] = {}
    try:
        return all(_all_same(subject, given, values) for values in (own, stirred))
    except SubjectError:
        return False


def _all_same(subject: Subject, given: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]) -> bool:
    """Whether forward gives one output for all that is given; ``parameters`` are the values of some."""
    first = _outputs(subject, given[0], parameters)
    return all(np.array_equal(first, _outputs(subject, one, parameters), equal_nan=True) for one in given[1:])


def _outputs(subject: Subject, inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> Any:
    subject.restart()
    live = subject.parameters()
    for name, value in parameters.items():
        if name in live:
            live[name][...] = value
    copies = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in inputs.items()}
    returned = subject.forward(copies)
    return np.concatenate([np.ravel(output).astype(np.float64) for output in returned])
