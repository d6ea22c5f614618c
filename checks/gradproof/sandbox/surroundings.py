"""Puts back what user code may change in the process that it shares with the harness; it runs nothing by itself."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import warnings
from collections.abc import Generator

import numpy as np


@contextlib.contextmanager
def restored() -> Generator[None]:
    """After it, all is as before: folder, streams, recursion limit, environment, warnings, NumPy's state, randomness.

    Figures are drawn on no screen while it lasts.
    """
    folder, depth, streams = os.getcwd(), sys.getrecursionlimit(), (sys.stdout, sys.stderr)
    environment, states = dict(os.environ), (np.random.get_state(), random.getstate())  # noqa: NPY002
    os.environ["MPLBACKEND"] = "Agg"
    with np.errstate(), np.printoptions(), warnings.catch_warnings():
        try:
            yield
        finally:
            os.chdir(folder)
            sys.setrecursionlimit(depth)
            sys.stdout, sys.stderr = streams
            if dict(os.environ) != environment:
                os.environ.clear()
                os.environ.update(environment)
            np.random.set_state(states[0])  # noqa: NPY002
            random.setstate(states[1])
