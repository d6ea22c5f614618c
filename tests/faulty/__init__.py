"""The table of layers that are wrong on purpose, each with its right neighbour; it knows no check."""

from __future__ import annotations

from faulty import (
    activations,
    affine,
    book,
    calls,
    chains,
    conventions,
    field,
    form,
    losses,
    nets,
    nodes,
    norms,
    pairs,
    sequences,
    slopes,
    structures,
    words,
)
from faulty.base import Fault

MODULES = (
    field,
    sequences,
    affine,
    form,
    nodes,
    activations,
    losses,
    norms,
    structures,
    nets,
    slopes,
    pairs,
    calls,
    chains,
    book,
    words,
    conventions,
)
FAULTS: tuple[Fault, ...] = tuple(fault for module in MODULES for fault in module.FAULTS)
