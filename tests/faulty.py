"""The table of layers that are wrong on purpose, each with its right neighbour; it knows no check."""

from __future__ import annotations

import faulty_activations
import faulty_affine
import faulty_book
import faulty_calls
import faulty_chains
import faulty_conventions
import faulty_field
import faulty_form
import faulty_losses
import faulty_nets
import faulty_nodes
import faulty_norms
import faulty_pairs
import faulty_sequences
import faulty_slopes
import faulty_structures
import faulty_words
from faulty_base import Fault

MODULES = (
    faulty_field,
    faulty_sequences,
    faulty_affine,
    faulty_form,
    faulty_nodes,
    faulty_activations,
    faulty_losses,
    faulty_norms,
    faulty_structures,
    faulty_nets,
    faulty_slopes,
    faulty_pairs,
    faulty_calls,
    faulty_chains,
    faulty_book,
    faulty_words,
    faulty_conventions,
)
FAULTS: tuple[Fault, ...] = tuple(fault for module in MODULES for fault in module.FAULTS)
