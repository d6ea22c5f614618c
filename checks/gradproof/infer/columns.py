"""A loss whose target is laid out as one column: its prediction is a column too; it judges nothing.

``y_true.reshape(-1, 1)`` meets a prediction of several columns by broadcasting alone, which no author means: each entry
of the prediction has one of the target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from gradproof.infer.search import Found, Search
from gradproof.trace.candidate import Candidate
from gradproof.trace.changes import What
from gradproof.trace.polynomials import ONE, product_of
from gradproof.trace.run import Hint

RUNS = 2  # traced runs for it
_FLOATS = (What.ARRAY, What.CONSTANT)


def of_columns(search: Search, found: Found, hints: Mapping[str, Hint]) -> Found:
    """With a prediction of one column, where the target has as many entries as one; else as it was found."""
    if found.candidate is None or not found.runs or any(seen.between for seen in found.seen):
        return found
    columns = _extra_columns(found.candidate, hints)
    if columns is None:
        return found
    bound = {**found.candidate.bound, columns: ONE}
    single = search.find([replace(found.candidate, bound=bound, cost=0.0, steps=0)], most=RUNS)
    return single if single.clean else found


def _is_fed_floats(candidate: Candidate, hints: Mapping[str, Hint], name: str) -> bool:
    return candidate.kinds[name].what in _FLOATS and not hints[name].built


def _is_prediction(candidate: Candidate, hints: Mapping[str, Hint], name: str) -> bool:
    return candidate.kinds[name].what is What.ARRAY and not hints[name].target


def _extra_columns(candidate: Candidate, hints: Mapping[str, Hint]) -> str | None:
    """The free dim that counts the entries of the prediction for each entry of the target, where there is one."""
    fed = [name for name in hints if _is_fed_floats(candidate, hints, name)]
    targets = [name for name in fed if hints[name].target]
    predictions = [name for name in fed if _is_prediction(candidate, hints, name)]
    if [len(targets), len(predictions)] != [1, 1]:
        return None
    of_target = product_of(candidate.axes(targets[0]))
    rest = product_of(candidate.axes(predictions[0])).over(of_target)
    return None if rest is None or rest.lone_dim in of_target.dims else rest.lone_dim
