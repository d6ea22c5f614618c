"""Tests of the command line, python -m plainnet."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from plainnet.__main__ import main

CORE = Path(__file__).parents[2] / "core"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_command_reaches_95_percent_on_the_spiral(seed, capsys):
    assert main(["--seed", str(seed)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("epoch 30 of 300, iteration 10 of 10, loss ")
    assert len(lines) == 11
    assert float(lines[-1].split()[1].rstrip("%")) >= 95


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--epochs", "-3"], "--epochs: expected a whole number of at least 1, got '-3'", id="epochs"),
        pytest.param(["--epochs", "0"], "--epochs: expected a whole number of at least 1, got '0'", id="no epoch"),
        pytest.param(["--hidden", "2.5"], "--hidden: expected a whole number of at least 1, got '2.5'", id="hidden"),
        pytest.param(["--batch-size", "many"], "--batch-size: expected a whole number", id="batch size"),
        pytest.param(["--seed", "-1"], "--seed: expected a whole number of at least 0, got '-1'", id="seed"),
        pytest.param(["--lr", "nan"], "--lr: expected a positive number, got 'nan'", id="nan"),
        pytest.param(["--lr", "0"], "--lr: expected a positive number, got '0'", id="no learning"),
        pytest.param(["--plot", "curve.pdf"], "--plot: expected a file name ending in .png, got 'curve.pdf'", id="pdf"),
        pytest.param(["--colour"], "unrecognized arguments: --colour", id="unknown option"),
    ],
)
def test_a_bad_option_is_named_and_exits_with_2(arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_the_command_says_that_training_diverged_and_exits_with_1(capsys):
    assert main(["--lr", "1e308"]) == 1
    assert capsys.readouterr().err.startswith("plainnet: the loss is ")


def test_a_plot_that_cannot_be_written_is_refused_before_the_training(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    with pytest.raises(SystemExit) as caught:
        main(["--plot", str(tmp_path / "nowhere" / "plot.png")])
    assert caught.value.code == 2
    captured = capsys.readouterr()
    assert "plot.png': No such file or directory" in captured.err
    assert captured.out == ""


def test_a_run_that_fails_leaves_no_file_and_no_file_changed(tmp_path):
    pytest.importorskip("matplotlib")
    new, old = tmp_path / "new.png", tmp_path / "old.png"
    old.write_bytes(b"an earlier plot")
    assert [main(["--lr", "1e308", "--plot", str(path)]) for path in (new, old)] == [1, 1]
    assert not new.exists()
    assert old.read_bytes() == b"an earlier plot"


def test_a_plot_without_matplotlib_says_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(SystemExit) as caught:
        main(["--plot", str(tmp_path / "plot.png")])
    assert caught.value.code == 2
    assert "needs matplotlib, which is not installed: pip install 'gradproof[plot]'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_plot_is_a_png(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    path = tmp_path / "plot.png"
    assert main(["--epochs", "2", "--plot", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert path.stat().st_size > 10_000
    assert f"plot written to {path}" in capsys.readouterr().out


def command(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(CORE)}
    return [sys.executable, "-m", "plainnet", *arguments], environment


@pytest.mark.skipif(signal.getsignal(signal.SIGINT) is signal.SIG_IGN, reason="a shell's background job ignores Ctrl-C")
def test_ctrl_c_prints_what_was_reached_and_exits_with_130():
    arguments, environment = command("--epochs", "100000000")
    with subprocess.Popen(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert first.startswith("epoch ")
    assert "of 100000000: accuracy " in out
    assert out.splitlines()[1].startswith("interrupted in epoch ")
    assert (err, process.returncode) == ("", 130)


def test_a_reader_that_goes_away_causes_no_traceback():
    arguments, environment = command("--epochs", "30")
    with subprocess.Popen(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
    assert err == ""
    assert process.returncode in (0, 1)


def test_plainnet_needs_numpy_alone():
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['matplotlib', 'hypothesis', 'rich', 'pytest', 'gradproof']));"
        "from plainnet.__main__ import main; sys.exit(main(['--epochs', '1']))"
    )
    _, environment = command()
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
