"""Makes the spiral, a small classification task that no straight line solves; it knows no network."""

from __future__ import annotations

import numpy as np

from plainnet.arrays import FloatArray, IntArray, generator, number, whole_number

TURN = 4.0  # radians that an arm turns from the centre to its end


def spiral(
    points_per_class: int = 100, classes: int = 3, noise: float = 0.15, rng: np.random.Generator | None = None
) -> tuple[FloatArray, IntArray]:
    """Points along interleaved spiral arms, one arm a class, in the unit disc.

    ``noise`` is the standard deviation of the angle, in radians; ``rng`` draws it; None is a Generator seeded with 0.
    Returns x: (n, 2), coordinates, and t: (n,), integer labels, with n = classes * points_per_class.
    """
    points = whole_number(points_per_class, "spiral: points_per_class", least=1)
    arms = whole_number(classes, "spiral: classes", least=1)
    noise = number(noise, "spiral: noise", low=0, low_is_valid=True)
    rng = generator(rng, "spiral: rng")
    t = np.repeat(np.arange(arms), points)
    radius = np.tile(np.linspace(0, 1, points), arms)
    angle = 2 * np.pi * t / arms + TURN * radius + noise * rng.standard_normal(t.size)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), t
