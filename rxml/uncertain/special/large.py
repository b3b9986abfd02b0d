"""Gamma and beta distributions of large parameters: nearly normal, where series and fractions would not come to an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.special.gammas import excess
from rxml.uncertain.special.normal import ndtr, normal_pdf

if TYPE_CHECKING:
    from rxml.uncertain.special.elementwise import Bools, Floats

LARGE: Final = 1e8
"""From here the first terms of the expansions have all digits that the distance from the mean leaves."""
_NEAR: Final = 1.0  # standard deviations within which two inverse distances would cancel


def gamma_tails(a: Floats, x: Floats) -> Floats:
    """Pr(X <= x) and Pr(X > x) of X ~ Gamma(a), (2, n): Temme's uniform expansion (1979; DLMF 8.12.3).

    Args:
        a: at least `LARGE`, finite.
        x: above 0, finite.
    """
    away = (x - a) / a
    z = np.sign(away) * np.sqrt(2.0 * a * excess(away, x / a))
    return _nearly_normal(z, away * np.sqrt(a), 1.0 / (3.0 * np.sqrt(a)), 0.25 / a)


def beta_tails(a: Floats, b: Floats, x: Floats, y: Floats) -> Floats:
    """Pr(X <= x) and Pr(X > x) of X ~ Beta(a, b), (2, n): Temme's uniform expansion (1982; DLMF 8.18.9).

    Args:
        a: at least `LARGE`, finite.
        b: likewise.
        x: between 0 and 1.
        y: 1 - x.
    """
    gap = a * y - b * x
    low, high = -gap / a, gap / b
    q = a / b
    powers = a * excess(low, x * (1.0 + 1.0 / q)) / a + b * excess(high, y * (1.0 + q)) / a
    z = np.sign(low) * np.sqrt(2.0 * a * powers)
    w = low * np.sqrt(a * (1.0 + q))
    third = (1.0 - q) / (3.0 * np.sqrt(a * (1.0 + q)))
    fourth = (1.0 - q + q * q) / (4.0 * a * (1.0 + q))
    return _nearly_normal(z, w, third, fourth)


def _nearly_normal(z: Floats, w: Floats, third: Floats, fourth: Floats) -> Floats:
    """Both tails of Phi(z) + phi(z) (1 / z - 1 / w), the form that both expansions have (Lugannani and Rice 1980).

    Args:
        z: the signed root of twice the exponent at x.
        w: the distance from the mean in standard deviations.
        third: of z^2 = w^2 (1 - 2 third w + 2 fourth w^2 ...).
        fourth: likewise.
    """
    near: Bools = np.abs(w) < _NEAR
    apart = 1.0 / np.where(near, 1.0, z) - 1.0 / np.where(near, 1.0, w)
    about = third + (1.5 * third * third - fourth) * w
    rest = normal_pdf(z) * np.where(near, about, apart)
    tails = np.stack([ndtr(z) + rest, ndtr(-z) - rest])
    return np.clip(tails, 0.0, 1.0)
