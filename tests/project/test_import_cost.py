"""What importing gradproof costs everybody who has it installed, and what its names mean in any order of imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOTS = [str(Path(__file__).parents[2] / "checks"), str(Path(__file__).parents[2] / "core")]


def run(code: str) -> str:
    """What a fresh interpreter prints."""
    program = f"import sys; sys.path[:0] = {ROOTS!r}\n{code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


HEAVY = "print(sorted({'numpy', 'hypothesis', 'rich'} & set(sys.modules)))"


@pytest.mark.parametrize("module", ["gradproof", "gradproof.plugin"])
def test_importing_the_package_or_its_plugin_loads_nothing_heavy(module):
    assert run(f"import {module}\n{HEAVY}") == "[]"


def test_the_probe_sees_what_using_a_name_loads():
    assert "numpy" in run(f"import gradproof; gradproof.Case\n{HEAVY}")


def test_declaring_a_case_does_not_load_hypothesis():
    assert "hypothesis" not in run(f"from gradproof import Case, floats, labels\n{HEAVY}")


ORDERS = {
    "function first": "from gradproof import check",
    "its module first": "from gradproof.checking import check_case\nfrom gradproof import check",
    "attribute": "import gradproof\ncheck = gradproof.check",
    "module after function": "from gradproof import check\nimport gradproof.checking\ncheck = gradproof.check",
}


@pytest.mark.parametrize("imports", ORDERS.values(), ids=ORDERS)
def test_check_is_the_function_in_any_order_of_imports(imports):
    assert run(f"{imports}\nprint(type(check).__name__, check.__name__)") == "function check"


def test_every_public_name_can_be_imported():
    assert run("from gradproof import *\nfrom gradproof import __all__\nprint(len(__all__) > 10)") == "True"
