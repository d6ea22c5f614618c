"""Trains a small network on the spiral: python -m plainnet; it knows the terminal and no formula."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from plainnet.arrays import number, whole_number
from plainnet.data import spiral
from plainnet.errors import DivergedError
from plainnet.net import TwoLayerNet
from plainnet.optimizers import SGD
from plainnet.plot import MissingExtraError, draw, require_matplotlib
from plainnet.trainer import Progress, Trainer, accuracy

LINES = 10  # of progress in a run
PATIENCE = 2.0  # seconds after which a long run shows a line anyway
INTERRUPTED = 130  # the exit code of a shell command that Ctrl-C ended: 128 + SIGINT


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code: 0 done, 1 diverged, 2 wrong usage, 130 interrupted."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return _train(options, parser)
    except BrokenPipeError:
        # the reader, as in "| head", has gone: Python would complain again when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except DivergedError as error:
        print(f"plainnet: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"plainnet: cannot write the plot: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nplainnet: interrupted", file=sys.stderr)
        return INTERRUPTED


def _train(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if options.plot is not None:
        _check_plot(options.plot, parser)
    rng = np.random.default_rng(options.seed)
    x, t = spiral(options.points, rng=rng)
    model = TwoLayerNet(x.shape[1], options.hidden, output_size=int(t.max()) + 1, rng=rng)
    trainer = Trainer(model, SGD(options.lr), rng)
    printer = _ProgressPrinter(options.epochs)
    try:
        trainer.fit(x, t, options.epochs, options.batch_size, printer)
        print(f"accuracy {accuracy(model, x, t):.1%} on the {len(x)} points of the training data", flush=True)
        if options.plot is not None:
            draw(options.plot, trainer.losses, trainer.interval, model, x, t)
            print(f"plot written to {options.plot}")
    except KeyboardInterrupt:
        reached = accuracy(model, x, t)
        print(f"\ninterrupted in epoch {printer.epoch} of {options.epochs}: accuracy {reached:.1%}", flush=True)
        return INTERRUPTED
    return 0


class _ProgressPrinter:
    """Prints a few lines for a run of any length."""

    def __init__(self, epochs: int) -> None:
        self.epoch = 1
        self._stride = max(1, epochs // LINES)
        self._printed_epoch = 0
        self._printed_at = 0.0

    def __call__(self, progress: Progress) -> None:
        self.epoch = progress.epoch
        due = progress.epoch % self._stride == 0 and progress.epoch > self._printed_epoch
        if due or progress.seconds - self._printed_at > PATIENCE:
            self._printed_epoch, self._printed_at = progress.epoch, progress.seconds
            print(
                f"epoch {progress.epoch} of {progress.epochs}, iteration {progress.iteration} of "
                f"{progress.iterations}, loss {progress.loss:.3f}, {progress.seconds:.1f} s",
                flush=True,
            )


def _check_plot(path: Path, parser: argparse.ArgumentParser) -> None:
    """Ends the program now, and not after the training, where the plot could not be written."""
    if path.suffix.lower() != ".png":
        parser.error(f"argument --plot: expected a file name ending in .png, got {str(path)!r}")
    try:
        require_matplotlib()
    except MissingExtraError as error:
        parser.error(f"argument --plot: {error}")
    existed = path.exists()
    try:
        path.open("ab").close()
        if not existed:
            path.unlink()
    except OSError as error:
        parser.error(f"argument --plot: cannot write {str(path)!r}: {error.strerror}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m plainnet",
        description="Trains a network of two layers on three spiral arms and prints its accuracy.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--epochs", type=_whole(1), default=300, help="passes through the data")
    add("--batch-size", type=_whole(1), default=32, help="samples in a mini-batch")
    add("--hidden", type=_whole(1), default=10, help="hidden units")
    add("--lr", type=_positive, default=2.0, help="learning rate of SGD")
    add("--points", type=_whole(1), default=100, help="points of each arm")
    add("--seed", type=_whole(0), default=0, help="seed of the data, the weights and the shuffling")
    add("--plot", type=Path, metavar="FILE.png", help="draw the loss and the decision regions (needs matplotlib)")
    return parser


def _whole(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        try:
            return whole_number(int(text), "value", least)
        except ValueError:
            message = f"expected a whole number of at least {least}, got {text!r}"
            raise argparse.ArgumentTypeError(message) from None

    return read


def _positive(text: str) -> float:
    try:
        return number(float(text), "value", low=0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a positive number, got {text!r}") from None


if __name__ == "__main__":
    sys.exit(main())
