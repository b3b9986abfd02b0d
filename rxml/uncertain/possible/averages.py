"""AVG over rows that may not be there: of the worlds in which some row is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain.possible.logic import none_of
from rxml.uncertain.possible.quadrature import legendre, logarithmic
from rxml.uncertain.possible.shapes import windowed
from rxml.uncertain.possible.sums import over_certain

if TYPE_CHECKING:
    from rxml.uncertain.checks import Floats
    from rxml.uncertain.possible.rows import UncertainRows

Rules: TypeAlias = tuple["Floats", "Floats", "Floats"]
"""Nodes u = 1 - t of [0, 1], their weights for the weight 1, and those for the weight -ln t."""

_EXACT: Final = 128  # rows for which 64 nodes are exact
_NODES: Final = (24, 16)  # in a panel, and in the one that it is compared with
_CELLS: Final = 1 << 22  # numbers at once


@dataclass(frozen=True, slots=True, eq=False)
class Average:
    """What the mean of the rows that are there comes to, given that there are some.

    Attributes:
        mean: its expected value, shape of the windows; NaN where no row can be there.
        var: its variance, but for 1e-15 of the square of what values span; NaN where no row can be there.
        exists: the probability that some row is there.
        error: an estimate of how far `mean` may be off for the sake of the rule of integration, 0 where that is exact.
        var_error: the same for `var`.
    """

    mean: Floats
    var: Floats
    exists: Floats
    error: Floats
    var_error: Floats


@np.errstate(under="ignore", over="ignore")
def average(rows: UncertainRows) -> Average:
    """AVG given that some row is there, exactly: the integral over [0, 1] of sum v_i p_i prod_{j != i} (1 - p_j + p_j t).

    That is E[sum V / N; N > 0], by 1 / N = integral of t^(N - 1) (Jayram, McGregor, Muthukrishnan, Vee, "Estimating
    statistical aggregates on probabilistic data streams", TODS 33, 2008); its square by 1 / N^2 = integral of
    t^(N - 1) (-ln t). The integrands are polynomials of a degree below n, so ceil(n / 2) nodes of Gauss are exact; from 129 rows
    on, panels that halve towards t = 1 have 24 each. The sum divided by the expected count would be biased. Where it is certain
    who is there, the mean is what `numpy.mean` gives for them.

    Args:
        rows: of one window or of many; values must be finite.

    Raises:
        DistributionError: a value is infinite.
    """
    if not np.all(np.isfinite(rows.v)):
        raise DistributionError("an average is of finite values: got an infinite one")
    windows = windowed(np.asarray(rows.presence))
    exists = -np.expm1(none_of(windows))
    unit, scaled = rows.scaled()
    once = unit.reshape(-1)
    got = _moments(scaled, windows, exists).T * once
    got[1::2] *= once  # not of its square, which may be too large for a number
    mean, var, error, var_error = (column.reshape(rows.shape) for column in got)
    return _certain(rows, Average(mean, var, exists.reshape(rows.shape), error, var_error))


def _moments(rows: UncertainRows, there: Floats, exists: Floats) -> Floats:
    """Mean, variance, and how far each may be off, (G, 4); NaN where no row can be there."""
    first, second, centre = _row_moments(rows)
    known = np.where(exists > 0, exists, np.nan)
    windows = zip(there, first, second, known, strict=True)
    parts = [_integrals(p, one, two) / some for p, one, two, some in windows]
    got = np.array(parts).reshape(len(parts), 4)
    apart, square, error, square_error = got.T
    var = np.maximum(square - apart**2, 0.0)
    return np.stack(
        [centre + apart, var, error, square_error + 2.0 * np.abs(apart) * error], axis=1
    )


def _row_moments(rows: UncertainRows) -> tuple[Floats, Floats, Floats]:
    """E[X V] and E[X V^2] of each row, (G, n), about a value near the mean, (G,), and that value."""
    p = windowed(rows.p, 2)
    v = rows.v.reshape(p.shape)
    noise = np.zeros_like(v) if rows.s is None else rows.s.reshape(p.shape) ** 2
    expected = p.sum(axis=(1, 2))
    share = p / np.where(expected > 0, expected, 1.0)[:, np.newaxis, np.newaxis]
    centre = (share * v).sum(axis=(1, 2))
    away = v - centre[:, np.newaxis, np.newaxis]
    first, second = p * away, p * (away**2 + noise)
    return first.sum(axis=-1), second.sum(axis=-1), centre


def _certain(rows: UncertainRows, of_all: Average) -> Average:
    """The same with plain means where it is certain who is there, whose variance is that of the values alone."""
    mean = over_certain(rows, _plain_mean, of_all.mean)
    count = rows.p.sum(axis=(-2, -1))
    noise = np.zeros(rows.shape) if rows.s is None else (rows.p * rows.s**2).sum(axis=(-2, -1))
    plain = np.where(count > 0, noise / np.maximum(count, 1.0) ** 2, np.nan)
    var = np.where(rows.certain, plain, of_all.var)
    error, var_error = (
        np.where(rows.certain, 0.0, each) for each in (of_all.error, of_all.var_error)
    )
    return Average(mean, var, of_all.exists, error, var_error)


def _plain_mean(values: Floats) -> np.floating:
    return np.mean(values) if len(values) else np.float64(np.nan)


def _integrals(p: Floats, first: Floats, second: Floats) -> Floats:
    """Of one window: of the first and the second moment, and how far each may be off."""
    n = len(p)
    if n <= _EXACT:
        return np.append(_integrated(p, first, second, _whole(-(-n // 2) or 1)), [0.0, 0.0])
    panels = max(1, int(np.ceil(np.log2(max(float(p.sum()), 1.0)))))
    fine, coarse = (_integrated(p, first, second, _panels(panels, m)) for m in _NODES)
    return np.append(fine, np.abs(fine - coarse))


def _integrated(p: Floats, first: Floats, second: Floats, rules: Rules) -> Floats:
    total = np.zeros(2)
    at_once = max(1, _CELLS // max(1, len(p)))
    for start in range(0, len(rules[0]), at_once):
        u, plain, log = (rule[start : start + at_once] for rule in rules)
        less = p * -u[:, np.newaxis]
        missing = 1.0 + less
        together = np.exp(np.log1p(less).sum(axis=1))
        each = first / missing
        one = each.sum(axis=1)
        square = (second / missing).sum(axis=1)
        square += (1.0 - u) * (one * one - (each * each).sum(axis=1))
        total += [float((plain * together * one).sum()), float((log * together * square).sum())]
    return total


def _whole(nodes: int) -> Rules:
    """One panel: nodes of the one rule have no weight in the other."""
    (t, plain), (other, log) = legendre(nodes), logarithmic(nodes)
    none = np.zeros(nodes)
    u = np.concatenate([1.0 - t, 1.0 - other])
    return u, np.concatenate([plain, none]), np.concatenate([none, log])


def _panels(panels: int, nodes: int) -> Rules:
    """Panels of u from 1 / 2 to 1, from 1 / 4 to 1 / 2, ..., and last from 0: what is left there is of the width 1 / sum p.

    In the first, -ln t = ln 2 - ln(2 t), and the last term has its own rule; in the others it is smooth.
    """
    x, w = legendre(nodes)
    ends = np.append(0.5 ** np.arange(panels + 1), 0.0)
    low, width = ends[1:, np.newaxis], -np.diff(ends)[:, np.newaxis]
    u, plain = low + width * x, width * w
    log = plain * -np.log1p(-u)
    log[0] = plain[0] * np.log(2.0)
    other, by_log = logarithmic(nodes)
    none = np.zeros(nodes)
    return (
        np.concatenate([u.reshape(-1), 1.0 - other / 2.0]),
        np.concatenate([plain.reshape(-1), none]),
        np.concatenate([log.reshape(-1), by_log / 2.0]),
    )
