"""How backward may be called where names of its arguments say nothing: every way to give them what is left."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from gradproof.convention import function_names
from gradproof.convention.argument_names import has_role, role_of
from gradproof.convention.backward_arguments import Given, Sources, distinct, douts_in_order, left_over, planned
from gradproof.convention.calling import Plan

_RESIDUALS_FIRST = frozenset({"bwd", "pullback"})  # words of names that take the cache first, as in jax.custom_vjp


def open_plans(known: Sources, needed: Sequence[str], unknown: Sequence[str], given: Given) -> tuple[Plan, ...]:
    """Every way in which the unknown arguments may get what is left, the likeliest first."""
    upstream = dict.fromkeys(needed[: given.outputs], "dout")
    pool = _pool(known, upstream, len(unknown), given)
    has_all_douts = given.outputs == len(upstream) and "cache" not in pool
    are_inputs = has_all_douts and 1 < len(unknown) == left_over(known, given)
    if are_inputs:  # forward's arguments under other names
        pool = [source for source in pool if source.startswith("input ")]
    found = _likely({**known, **upstream}, unknown, pool, given)
    is_certain = are_inputs or _is_just_enough(unknown, pool, known, given)
    guessed = () if is_certain else _nameless(unknown, given)
    ways = (planned(douts_in_order(sources, given), given) for sources in found)
    return distinct(replace(way, guessed=guessed) for way in ways)


def _likely(known: Sources, unknown: Sequence[str], pool: Sequence[str], given: Given) -> list[Sources]:
    """Each way to give the unknown arguments something of the pool that is not far-fetched, the likeliest first."""
    scored: list[tuple[float, Sources]] = []
    for chosen in dict.fromkeys(itertools.permutations(pool, len(unknown))):
        sources = {**known, **dict(zip(unknown, chosen, strict=True))}
        if _is_possible(chosen, pool, given):
            scored.append((_cost(sources, unknown, pool, given), sources))
    scored.sort(key=lambda entry: entry[0])
    return [sources for cost, sources in scored if cost - scored[0][0] < _cutoff(unknown, pool, given)]


def _nameless(unknown: Sequence[str], given: Given) -> tuple[str, ...]:
    of_forward = {*given.returned, *given.inputs}
    return tuple(name for name in unknown if role_of(name) is None and name not in of_forward)


def _is_just_enough(unknown: Sequence[str], pool: Sequence[str], known: Mapping[str, str], given: Given) -> bool:
    """Whether there is just enough to give: what forward kept and dout, or else forward's own arguments."""
    upstream = sum(source in ("dout", "douts", "cache") for source in pool)
    is_enough = upstream >= len(unknown)
    return is_enough if not given.alone else is_enough or len(unknown) == upstream + left_over(known, given)


def _pool(known: Mapping[str, str], upstream: Mapping[str, str], places: int, given: Given) -> list[str]:
    """What is left to be given."""
    douts = ["dout"] * max(0, given.outputs - len(upstream))
    cache = ["cache"] * (given.cache and "cache" not in known.values())
    if len(douts) + len(cache) > places and given.outputs > 1 and not upstream:
        douts = ["douts"]
    inputs = [f"input {name}" for name in given.inputs if f"input {name}" not in known.values()]
    return [*douts, *cache, *inputs, *(f"output {i}" for i in range(given.outputs))]


def _is_possible(chosen: Sequence[str], pool: Sequence[str], given: Given) -> bool:
    """Whether forward's arguments come in their order, and either all upstream gradients are given or, at most, none.

    A function to which nothing else tells of forward may compute its derivative from an input alone.
    """
    inputs = [source for source in chosen if source.startswith("input ")]
    if inputs != sorted(inputs, key=pool.index):
        return False
    used = _count_of_douts(chosen)
    if used == _count_of_douts(pool):
        return True
    return used == 0 and given.alone and not given.cache


def _count_of_douts(sources: Sequence[str]) -> int:
    return sum(source.startswith("dout") for source in sources)


def _cost(sources: Sources, unknown: Sequence[str], pool: Sequence[str], given: Given) -> float:
    """How far-fetched it is that the arguments are given these values."""
    chosen = [sources[name] for name in unknown]
    cost = 0.0
    if _count_of_douts(chosen) < _count_of_douts(pool):
        cost += 0.2
    if "cache" in pool and "cache" not in chosen:
        cost += 2.0
    if "dout" in chosen and "cache" in chosen and not _is_customary(sources, given):
        cost += 1.0
    return cost + sum(_strangeness(name, sources[name], given) for name in unknown)


def _is_customary(sources: Sources, given: Given) -> bool:
    """Whether dout comes before the cache, or behind it in a function whose name asks for that."""
    residuals_first = not _RESIDUALS_FIRST.isdisjoint(function_names.words(given.name))
    order = [source.split(" ")[0] for source in sources.values()]
    return (order.index("cache") < order.index("dout")) == residuals_first


def _strangeness(name: str, source: str, given: Given) -> float:
    """How odd it is that an argument of this name gets this value."""
    is_output = has_role(name, "output") or name in given.returned[: given.outputs]
    is_input = has_role(name, "input")
    if source.startswith("output "):
        return 0.2 if is_output else 0.6
    if source.startswith("input "):
        return 0.25 if is_input else 0.5
    if not is_output and not is_input:
        return 0.0
    return 0.25 if source == "cache" else 0.5


def _cutoff(unknown: Sequence[str], pool: Sequence[str], given: Given) -> float:
    """How much further-fetched than the likeliest a reading may be: a single name has what is left by convention."""
    if len(unknown) > 1 or any(has_role(unknown[0], role) for role in ("input", "output")):
        return 10.0
    surely = not given.alone or given.cache
    return 0.01 if surely and any(source in ("dout", "douts", "cache") for source in pool) else 10.0
