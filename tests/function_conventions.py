"""Pairs of functions as people write them: a source of a right pair, and of the same with one slip."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Written:
    """One way to write a function and its derivative: its source, and the slip as (right text, wrong text)."""

    name: str  # of the subject
    source: str
    right: str
    wrong: str

    @property
    def faulty(self) -> str:
        """The source with the slip."""
        assert self.source.count(self.right) == 1
        return self.source.replace(self.right, self.wrong)


def tanh_pair(forward: str, backward: str) -> str:
    """A tanh without a cache, and its derivative without dout."""
    return f"def {forward}(x):\n    return np.tanh(x)\n\n\ndef {backward}(x):\n    return 1 - np.tanh(x) ** 2\n"


WAYS = {
    "residuals first": Written(
        "scale",
        "def scale_fwd(x, s):\n    return x * s, (x, s)\n\n\n"
        "def scale_bwd(res, g):\n    x, s = res\n    return g * s, g * x\n",
        "return g * s, g * x",
        "return g * s, 2 * g * x",
    ),
    "residuals first, under names that say nothing": Written(
        "cube",
        "def cube_fwd(x):\n    return x**3, (x, 3.0)\n\n\ndef cube_bwd(a, b):\n    return a[1] * a[0] ** 2 * b\n",
        "a[0] ** 2",
        "a[0]",
    ),
    "a vjp of forward's argument": Written(
        "square",
        "def square(x):\n    return x**2\n\n\ndef square_vjp(g, x):\n    return 2 * g * x\n",
        "2 * g * x",
        "g * x",
    ),
    "forward's arguments instead of a cache": Written(
        "product",
        "def product_forward(a, w):\n    return a @ w\n\n\n"
        "def product_backward(dout, a, w):\n    return dout @ w.T, a.T @ dout\n",
        "a.T @ dout",
        "2 * a.T @ dout",
    ),
    "a derivative of x": Written("tanh", tanh_pair("tanh", "tanh_derivative"), "1 - np.tanh(x) ** 2", "1 - np.tanh(x)"),
    "a derivative of the output": Written(
        "logistic",
        "def logistic(z):\n    return 1 / (1 + np.exp(-z))\n\n\ndef d_logistic(a):\n    return a * (1 - a)\n",
        "a * (1 - a)",
        "a * (1 + a)",
    ),
    "a derivative that is a Jacobian": Written(
        "softmax",
        "def softmax(z):\n    e = np.exp(z - z.max(axis=1, keepdims=True))\n"
        "    return e / e.sum(axis=1, keepdims=True)\n\n\n"
        "def softmax_grad(z):\n    return np.stack([np.diag(s) - np.outer(s, s) for s in softmax(z)])\n",
        "np.diag(s) - ",
        "np.diag(s) + ",
    ),
    "a closure": Written(
        "square",
        "def square(x):\n    def vjp(dy):\n        return 2 * x * dy\n\n    return x**2, vjp\n",
        "2 * x * dy",
        "x * dy",
    ),
    "a loss and the gradient of its second argument": Written(
        "mse",
        "def mse(y_true, y_pred):\n    return np.mean((y_true - y_pred) ** 2)\n\n\n"
        "def mse_prime(y_true, y_pred):\n    return 2 * (y_pred - y_true) / y_true.size\n",
        "(y_pred - y_true)",
        "(y_true - y_pred)",
    ),
}

# functions that are no derivatives of the others, though their names may sound so
HELPERS = """
def clip(x, low, high):
    return np.clip(x, low, high)


def clip_grad(g, low, high):
    return np.clip(g, low, high)


def norm(x):
    return np.sqrt(np.sum(x**2))


def grad_norm(grads):
    return sum(np.sum(g**2) for g in grads)


def loss(model, x):
    return np.mean(x)


def d_loss(real, fake):
    return np.mean(real) - np.mean(fake)


def numerical(f, x):
    return f(x)


def numerical_gradient(f, x):
    return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5


def next(n):
    return n + 1


def next_prime(n):
    while any(n % d == 0 for d in range(2, n)):
        n += 1


def net(sizes):
    params = [np.zeros(size) for size in sizes]

    def predict(x):
        return x

    return params, predict
"""
