"""The zoo: every kind of correct layer on which the numeric engine is measured; it knows no checker."""

from __future__ import annotations

from zoo_elementwise import ELEMENTWISE
from zoo_kind import Kind
from zoo_layers import LAYERS
from zoo_losses import LOSSES
from zoo_nets import NETS
from zoo_norms import NORMS

ZOO: dict[str, Kind] = {kind.name: kind for kind in (*ELEMENTWISE, *LAYERS, *NORMS, *LOSSES, *NETS)}
