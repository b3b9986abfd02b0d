"""The normal distribution: its cumulative function, the logarithm of that, the error function, and the quantiles."""

from __future__ import annotations

from math import pi, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.special.elementwise import Floats, elementwise, horner

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_ROOT_2PI: Final = sqrt(2.0 * pi)
_ROOT_2: Final = sqrt(2.0)
_CENTRE: Final = 0.67448975
_FAR: Final = sqrt(32.0)

# Cody 1969, "Rational Chebyshev approximations for the error function", in terms of the normal distribution:
# within _CENTRE, from there to _FAR, and beyond.
_A: Final = (
    0.065682337918207449113,
    2.2352520354606839287,
    161.02823106855587881,
    1067.6894854603709582,
    18154.981253343561249,
)
_B: Final = (
    1.0,
    47.20258190468824187,
    976.09855173777669322,
    10260.932208618978205,
    45507.789335026729956,
)
_C: Final = (
    1.0765576773720192317e-8,
    0.39894151208813466764,
    8.8831497943883759412,
    93.506656132177855979,
    597.27027639480026226,
    2494.5375852903726711,
    6848.1904505362823326,
    11602.651437647350124,
    9842.7148383839780218,
)
_D: Final = (
    1.0,
    22.266688044328115691,
    235.38790178262499861,
    1519.377599407554805,
    6485.558298266760755,
    18615.571640885098091,
    34900.952721145977266,
    38912.003286093271411,
    19685.429676859990727,
)
_P: Final = (
    0.02307344176494017303,
    0.21589853405795699,
    0.1274011611602473639,
    0.022235277870649807,
    0.001421619193227893466,
    2.9112874951168792e-5,
)
_Q: Final = (
    1.0,
    1.28426009614491121,
    0.468238212480865118,
    0.0659881378689285515,
    0.00378239633202758244,
    7.29751555083966205e-5,
)


def ndtr(x: ArrayLike) -> Floats:
    """Pr(X <= x) of a standard normal X, with full relative accuracy down to the smallest numbers (Cody 1969)."""
    return elementwise(_ndtr, x)


def log_ndtr(x: ArrayLike) -> Floats:
    """The logarithm of Pr(X <= x) of a standard normal X; also where the probability itself is too small for a number."""
    return elementwise(_log_ndtr, x)


def erf(x: ArrayLike) -> Floats:
    """The error function, 2 ndtr(x sqrt 2) - 1, accurate about 0 too."""
    return elementwise(_erf, x)


def erfc(x: ArrayLike) -> Floats:
    """1 - erf(x), accurate where it is small."""
    return elementwise(_erfc, x)


def normal_pdf(z: ArrayLike) -> Floats:
    """The density of the standard normal distribution."""
    return elementwise(_density, z)


def _ndtr(x: Floats) -> Floats:
    size = np.abs(x)
    out = np.empty_like(x)
    centre = size <= _CENTRE
    out[centre] = 0.5 + _half(x[centre])
    outside = ~centre
    there = x[outside]
    tail = _tail(np.abs(there))
    out[outside] = np.where(there > 0.0, 1.0 - tail, tail)
    return out


def _log_ndtr(x: Floats) -> Floats:
    out = np.empty_like(x)
    low = x <= -_CENTRE
    size = -x[low]
    out[low] = np.log(_mills(size)) - 0.5 * size * size
    high = ~low
    out[high] = np.log1p(-_ndtr(-x[high]))
    return out


def _erf(x: Floats) -> Floats:
    z = x * _ROOT_2
    out = np.empty_like(x)
    centre = np.abs(z) <= _CENTRE
    out[centre] = 2.0 * _half(z[centre])
    outside = ~centre
    out[outside] = np.copysign(1.0 - _far_erfc(np.abs(x[outside])), x[outside])
    return out


def _erfc(x: Floats) -> Floats:
    out = np.empty_like(x)
    centre = np.abs(x) * _ROOT_2 <= _CENTRE
    out[centre] = 1.0 - 2.0 * _half(x[centre] * _ROOT_2)
    outside = ~centre
    there = x[outside]
    tail = _far_erfc(np.abs(there))
    out[outside] = np.where(there > 0.0, tail, 2.0 - tail)
    return out


def _far_erfc(x: Floats) -> Floats:
    # not 2 tail(x sqrt 2): the rounding of x sqrt 2 would be squared in the exponent
    return 2.0 * _mills(x * _ROOT_2) * _exp_of_minus_square(x)


def _density(z: Floats) -> Floats:
    return _exp_of_minus_half_square(np.abs(z)) / _ROOT_2PI


def _half(x: Floats) -> Floats:
    """Ndtr(x) - 1/2 within the centre."""
    square = x * x
    return x * horner(_A, square) / horner(_B, square)


def _tail(size: Floats) -> Floats:
    """Pr(X > size) outside the centre."""
    return _mills(size) * _exp_of_minus_half_square(size)


def _mills(size: Floats) -> Floats:
    """Pr(X > size) exp(size^2 / 2) outside the centre."""
    out = np.empty_like(size)
    far = size > _FAR
    near = ~far
    out[near] = horner(_C, size[near]) / horner(_D, size[near])
    x = size[far]
    inverse = 1.0 / (x * x)
    ratio = inverse * horner(_P, inverse) / horner(_Q, inverse)
    out[far] = (1.0 / _ROOT_2PI - ratio) / x
    return out


def _exp_of_minus_half_square(size: Floats) -> Floats:
    """exp(-x^2 / 2): x^2 is taken in two parts, the first without rounding, since its error would be multiplied."""
    bounded = np.minimum(size, 40.0)
    coarse = np.trunc(bounded * 16.0) / 16.0
    rest = (bounded - coarse) * (bounded + coarse)
    return np.exp(-0.5 * coarse * coarse) * np.exp(-0.5 * rest)


def _exp_of_minus_square(size: Floats) -> Floats:
    bounded = np.minimum(size, 30.0)
    coarse = np.trunc(bounded * 16.0) / 16.0
    rest = (bounded - coarse) * (bounded + coarse)
    return np.exp(-coarse * coarse) * np.exp(-rest)
