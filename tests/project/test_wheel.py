"""Builds the wheel and looks inside: what is installed must be the two packages and nothing else."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"gradproof": ROOT / "checks" / "gradproof", "plainnet": ROOT / "core" / "plainnet"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of a copy of what the build reads: a build leaves nothing behind in the work tree."""
    copy = tmp_path_factory.mktemp("tree")
    for name in ("core", "checks"):
        shutil.copytree(ROOT / name, copy / name)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, copy / name)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(copy / "out")]
    built = subprocess.run(command, cwd=copy, capture_output=True, encoding="utf-8", check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = (copy / "out").glob("*.whl")
    return zipfile.ZipFile(path)


def member(wheel: zipfile.ZipFile, name: str) -> str:
    (path,) = (path for path in wheel.namelist() if path.endswith(f".dist-info/{name}"))
    return wheel.read(path).decode("utf-8")


def metadata(wheel: zipfile.ZipFile) -> Message:
    return Parser().parsestr(member(wheel, "METADATA"))


def test_the_wheel_holds_the_two_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {path.split("/")[0] for path in wheel.namelist()}
    (info,) = (top for top in tops if top.endswith(".dist-info"))
    assert tops == {*PACKAGES, info}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_and_page_the_schema_and_the_type_marker_are_there(wheel: zipfile.ZipFile, package: str) -> None:
    folder = PACKAGES[package]
    kinds = ("*.py", "*.md", "*.json")  # the pages of the codes, the schema of the report
    files = [path for kind in kinds for path in folder.rglob(kind)]
    expected = {f"{package}/{path.relative_to(folder).as_posix()}" for path in files}
    packed = {path for path in wheel.namelist() if path.startswith(f"{package}/")}
    assert packed == expected | {f"{package}/py.typed"}


def test_the_wheel_announces_the_command_and_the_plugin(wheel: zipfile.ZipFile) -> None:
    entries = configparser.ConfigParser(delimiters=("=",))
    entries.read_string(member(wheel, "entry_points.txt"))
    assert dict(entries["console_scripts"]) == {"gradproof": "gradproof.cli:main"}
    # the plugin bears the name of its module, so that pytest_plugins in a conftest.py names the same plugin
    assert dict(entries["pytest11"]) == {"gradproof.plugin": "gradproof.plugin"}


def test_the_wheel_carries_its_license(wheel: zipfile.ZipFile) -> None:
    assert metadata(wheel)["License-Expression"] == "MIT"
    assert member(wheel, "licenses/LICENSE") == (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_wheel_needs_only_what_runs_it(wheel: zipfile.ZipFile) -> None:
    required = metadata(wheel).get_all("Requires-Dist", [])
    always = {line.split(">=")[0].split(";")[0].strip() for line in required if "extra ==" not in line}
    assert always == {"numpy", "hypothesis", "pytest", "rich"}
