"""The gamma and beta functions in logarithms, the digamma function, and what Stirling's formula leaves."""

from __future__ import annotations

from math import log, pi
from typing import TYPE_CHECKING, Final

import numpy as np

from rxml.uncertain.special.elementwise import Floats, elementwise, horner

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_LARGE: Final = 10.0
"""From here Stirling's series has all digits."""
_HALF_LOG_2PI: Final = 0.5 * log(2.0 * pi)

# (zeta(k) - 1) / k with alternating signs, from k = 28 down to 2, and 1 - Euler's constant: the Taylor series
# of gammaln about 2, which is 0 there (Abramowitz and Stegun 6.1.33).
_ABOUT_2: Final = (
    1.330476437424449e-10,
    -2.7595228851242334e-10,
    5.731367241678862e-10,
    -1.1921401405860912e-09,
    2.4836745438024785e-09,
    -5.183475041970047e-09,
    1.0838659214896955e-08,
    -2.2711094608943164e-08,
    4.7698101693639804e-08,
    -1.0043224823968099e-07,
    2.1207184805554665e-07,
    -4.492469198764566e-07,
    9.55141213040742e-07,
    -2.039215753801366e-06,
    4.374866789907488e-06,
    -9.439488275268397e-06,
    2.050721277567069e-05,
    -4.492623673813314e-05,
    9.945751278180853e-05,
    -0.00022315475845357939,
    0.0005096695247430425,
    -0.001192753911703261,
    0.0028905103307415234,
    -0.007385551028673986,
    0.020580808427784546,
    -0.0673523010531981,
    0.3224670334241132,
    0.42278433509846713,
    0.0,
)

# Bernoulli numbers over 2k(2k-1), and over 2k: the asymptotic series of gammaln and of digamma.
_STIRLING: Final = (
    1.0 / 156.0,
    -691.0 / 360360.0,
    1.0 / 1188.0,
    -1.0 / 1680.0,
    1.0 / 1260.0,
    -1.0 / 360.0,
    1.0 / 12.0,
)
_DIGAMMA: Final = (
    1.0 / 12.0,
    -691.0 / 32760.0,
    1.0 / 132.0,
    -1.0 / 240.0,
    1.0 / 252.0,
    -1.0 / 120.0,
    1.0 / 12.0,
    0.0,
)

# The positive zero of digamma in three parts, and a rational form of what is left on [1, 2] (Boost.Math, Maddock).
_ZERO: Final = (1569415565.0 / 2.0**30, 381566830.0 / 2.0**60, 0.9016312093258695918615e-19)
_ZERO_SLOPE: Final = 0.99558162689208984
_ZERO_P: Final = (
    -0.00289268368333918761452,
    -0.0541156266153505273939,
    -0.314767657147375752913,
    -0.665836341559876230295,
    -0.314628554532916496608,
    0.254798510611315515235,
)
_ZERO_Q: Final = (
    0.317940243105952177571e-7,
    -0.165079794012604905639e-5,
    0.00298999662592323990972,
    0.0660481487173569812846,
    0.486986018231042975162,
    1.54350554664961128724,
    2.1195759927055347547,
    1.0,
)


def gammaln(x: ArrayLike) -> Floats:
    """The logarithm of Gamma(x) for x >= 0, with full relative accuracy about its zeros at 1 and 2; inf at 0, nan below."""
    return elementwise(log_gamma, x)


def betaln(a: ArrayLike, b: ArrayLike) -> Floats:
    """The logarithm of the beta function, for a, b >= 0; no digits are lost where one of them is far larger than the other."""
    return elementwise(log_beta, a, b)


def digamma(x: ArrayLike) -> Floats:
    """The derivative of `gammaln`, for x >= 0; -inf at 0, nan below."""
    return elementwise(_digamma, x)


def log_gamma(x: Floats) -> Floats:
    """`gammaln` of a 1-d array, without its guard against warnings."""
    out = np.full_like(x, np.nan)
    large = x >= _LARGE
    big = x[large]
    out[large] = (big - 0.5) * (np.log(big) - 1.0) + (_HALF_LOG_2PI - 0.5) + _stirling(big)
    small = (x >= 0.0) & (x < 0.5)
    low = x[small]
    out[small] = horner(_ABOUT_2, low) - np.log(low) - np.log1p(low)
    unit = (x >= 0.5) & (x < 1.5)
    t = x[unit] - 1.0
    out[unit] = horner(_ABOUT_2, t) - np.log1p(t)
    middle = (x >= 1.5) & ~large
    out[middle] = _by_steps(x[middle])
    return out


def _by_steps(x: Floats) -> Floats:
    steps = np.rint(x - 2.0)
    product = np.ones_like(x)
    for step in range(1, int(steps.max(initial=0.0)) + 1):
        product = np.where(step <= steps, product * (x - step), product)
    return np.log(product) + horner(_ABOUT_2, x - 2.0 - steps)


def _stirling(x: Floats) -> Floats:
    inverse = 1.0 / x
    return inverse * horner(_STIRLING, inverse * inverse)


def stirling_rest(x: Floats) -> Floats:
    """The rest log Gamma(x) - (x - 1/2) log x + x - log(2 pi) / 2 of a 1-d array: near 1 / (12 x) for large x."""
    return np.where(
        x >= _LARGE,
        _stirling(np.maximum(x, _LARGE)),
        log_gamma(x) - (x - 0.5) * np.log(x) + x - _HALF_LOG_2PI,
    )


def excess(t: Floats, ratio: Floats) -> Floats:
    """``t - log(ratio)`` where ratio = 1 + t: accurate about t = 0 (by the series of atanh), and about ratio = 0."""
    near = np.abs(t) < 0.3
    small = np.where(near, t, 0.0)
    r = small / (2.0 + small)
    square = r * r
    series = np.zeros_like(t)
    for k in range(27, 1, -2):
        series = (series + 1.0 / k) * square
    # log(1 + t) = 2 (r + r^3/3 + ...), and t - 2 r = r t
    return np.where(near, r * small - 2.0 * r * series, t - np.log(ratio))


def log_beta(a: Floats, b: Floats) -> Floats:
    """`betaln` of 1-d arrays, without its guard against warnings."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    out = np.empty_like(a)
    direct = ~(high >= _LARGE)
    p, q = low[direct], high[direct]
    out[direct] = log_gamma(p) + log_gamma(q) - log_gamma(p + q)
    p, q = low[~direct], high[~direct]
    # log Gamma(q) - log Gamma(p + q), the large terms of which cancel by hand
    ratio = (
        stirling_rest(q)
        - stirling_rest(p + q)
        - (q - 0.5) * np.log1p(p / q)
        - p * (np.log(p + q) - 1.0)
    )
    out[~direct] = np.where(p == 0.0, np.inf, np.where(np.isinf(q), -np.inf, log_gamma(p) + ratio))
    return out


def _digamma(x: Floats) -> Floats:
    out = np.full_like(x, np.nan)
    known = x >= 0.0
    out[known] = _digamma_known(x[known])
    return out


def _digamma_known(x: Floats) -> Floats:
    extra = np.where(x < 1.0, -1.0 / x, 0.0)
    z = np.where(x < 1.0, x + 1.0, x)
    for _ in range(int(_LARGE) - 2):
        high = (z > 2.0) & (z < _LARGE)
        z = np.where(high, z - 1.0, z)
        extra = np.where(high, extra + 1.0 / z, extra)
    inverse = 1.0 / z
    far = np.log(z) - 0.5 * inverse - horner(_DIGAMMA, inverse * inverse)
    return extra + np.where(z > 2.0, far, _about_zero(np.minimum(z, 2.0)))


def _about_zero(x: Floats) -> Floats:
    away = x - _ZERO[0] - _ZERO[1] - _ZERO[2]
    return away * (_ZERO_SLOPE + horner(_ZERO_P, x - 1.0) / horner(_ZERO_Q, x - 1.0))
