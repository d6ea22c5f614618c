"""Measures what the plugin costs a pytest run that has no Case: with and without it, side by side.

    python benchmarks/startup.py [--runs N]

Runs alternate, so that a machine that slows down slows both; the median of the paired differences is the result.
Exits with 1 if it lies above the target.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

TARGET = 20.0  # milliseconds that a run may pay for a plugin that it does not use
CHECKS = Path(__file__).resolve().parent.parent / "checks"
WITHOUT, WITH = ("-p", "no:gradproof.plugin"), ("-p", "gradproof.plugin")


def seconds(folder: Path, plugin: Sequence[str]) -> float:
    """Wall time of one pytest run in ``folder``, interpreter start included."""
    # Only the plugin under test: others that happen to be installed would add their noise to both sides.
    environment = {**os.environ, "PYTHONPATH": str(CHECKS), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin]
    begin = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - begin


def main() -> int:
    """Print the medians and the difference in milliseconds; return 1 if it misses the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40, metavar="N", help="runs of each kind (default: 40)")
    runs = parser.parse_args().runs
    if runs < 4:
        parser.error(f"--runs: expected an integer >= 4, got {runs}: quartiles need that many")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_nothing.py").write_text("def test_nothing():\n    pass\n", encoding="utf-8")
        seconds(folder, WITHOUT), seconds(folder, WITH)  # fill the bytecode caches
        pairs = [(seconds(folder, WITHOUT) * 1e3, seconds(folder, WITH) * 1e3) for _ in range(runs)]
    without, with_plugin = (statistics.median(column) for column in zip(*pairs, strict=True))
    low, cost, high = statistics.quantiles([b - a for a, b in pairs], n=4)
    print(f"without the plugin  {without:7.1f} ms  (median of {runs} runs)")
    print(f"with the plugin     {with_plugin:7.1f} ms  ({with_plugin / without:.3f} times)")
    print(f"paired difference   {cost:7.1f} ms  (quartiles {low:.1f} .. {high:.1f}; target below {TARGET:.0f})")
    return 0 if cost < TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
