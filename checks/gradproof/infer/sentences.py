"""What is told of a search: what stood in its way, what to declare, what the Case leaves out; it searches nothing."""

from __future__ import annotations

from collections.abc import Mapping

from gradproof.case.case import Case
from gradproof.infer.arguments import Target
from gradproof.infer.attempt import Attempt
from gradproof.infer.dim_names import readable
from gradproof.infer.guesses import Candidate, resolved
from gradproof.infer.roles import Role, role_of
from gradproof.values import LayerError


def limits(found: Candidate, refused: Mapping[str, LayerError]) -> tuple[str, ...]:
    """What was raised below the least sizes, which the Case leaves out; ``refused`` is by dim."""
    bound = readable(found.dims(), dict(found.bound))
    least = ((resolved(dim, bound), found.least[dim], e) for dim, e in refused.items() if dim in found.least)
    return tuple(
        f"below {name} = {size}, {error.stage} raises {error.kind} ({error.message}): not checked there"
        for name, size, error in least
    )


def told(worst: Attempt, case: Case) -> str:
    """What the likeliest candidate met."""
    error = worst.error
    if error is None:
        return f"as {case.declaration()}"
    return f"{error.stage} raises {error.kind} ({error.message}) as {case.declaration()}"


def nothing_for(names: list[str]) -> str:
    """Which arguments nothing can be guessed for, and what to hand them."""
    shown = {Role.LAYER: "First(2, 3)", Role.LAYERS: "[First(2, 3), Second()]"}
    roles = {name: role_of(name, constructor=True) for name in names}
    layers = [f"{name}={shown[role]}" for name, role in roles.items() if role in shown]
    advice = f": hand it layers of yours, as in {', '.join(layers)}" if layers else ""
    return f"nothing can be guessed for {', '.join(names)}{advice}"


def hint_for(target: Target) -> str:
    """The declaration to fill in, on a line of its own, so that it can be copied."""
    functions = ", ".join(f.__name__ for f in (target.subject, target.backward) if f is not None)
    arguments = "".join(f", {name}=..." for name in target.required)
    return f'\nDeclare it, with shapes as in x="n d":\n{target.name.lower()} = Case({functions}{arguments})'
