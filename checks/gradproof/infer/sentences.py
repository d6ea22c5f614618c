"""What is told of a search: what stood in its way, what to declare, what the Case leaves out; it searches nothing."""

from __future__ import annotations

import keyword
from collections.abc import Mapping

from gradproof.case.case import Case
from gradproof.infer.arguments import Undeclared
from gradproof.infer.attempt import Attempt
from gradproof.infer.declare import Declaring
from gradproof.infer.search import SECONDS
from gradproof.trace.candidate import Candidate
from gradproof.values import LayerError

LATE = f"the search for a Case was cut off after {SECONDS:g} s: other declarations were not tried"


def limits(refused: Mapping[str, Attempt], found: Candidate, declaring: Declaring) -> tuple[str, ...]:
    """What was raised below the least sizes, which the Case leaves out; ``refused`` is by dim."""
    names = declaring.names(found)
    errors = [(name, seen.error) for name, seen in refused.items() if seen.error is not None]
    return tuple(
        f"below {names[name]} = {found.least[name]}, {error.stage} raises {error.kind} ({error.message}): "
        "not checked there"
        for name, error in errors
    )


def told(error: LayerError, case: Case) -> str:
    """What the likeliest candidate met."""
    return f"{error.stage} raises {error.kind} ({error.message}) as {case.declaration()}"


def hint_for(target: Undeclared) -> str:
    """The declaration to fill in, on a line of its own, so that it can be copied."""
    functions = [function for function in (target.subject, target.backward) if function is not None]
    shown = ", ".join(getattr(function, "__name__", target.name) for function in functions)
    arguments = "".join(f", {name}=..." for name in target.required)
    variable = target.name.lower()
    variable = f"{variable}_case" if keyword.iskeyword(variable) else variable
    return f'\nDeclare it in a check_*.py, with shapes as in x="n d":\n{variable} = Case({shown}{arguments})'


def keep(location: str, case: Case | None) -> str:
    """What to do where the inferred Case is what the author means: it is then judged without a doubt."""
    if "::" in location:
        return f"Where its shapes are right, keep it in a check_*.py: gradproof --infer {location} prints it"
    return f"Where its shapes are right, declare it: {'' if case is None else case.declaration()}"
