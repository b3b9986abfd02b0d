"""Rules of integration: of Gauss, for the weights 1 and -ln t on [0, 1], and panel by panel where need be."""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np

from rxml.uncertain.checks import Floats, read_only
from rxml.uncertain.possible.shapes import places

Rule: TypeAlias = tuple[Floats, Floats]
"""Nodes, and the weight of each."""


@cache
def legendre(nodes: int) -> Rule:
    """Gauss and Legendre's rule on [0, 1]: exact for polynomials of a degree below 2 * nodes.

    Args:
        nodes: from 1 to 128.
    """
    x, w = np.polynomial.legendre.leggauss(nodes)
    return read_only((x + 1.0) / 2.0), read_only(w / 2.0)


@cache
def logarithmic(nodes: int) -> Rule:
    """Gauss's rule on [0, 1] with the weight -ln t: exact for polynomials of a degree below 2 * nodes.

    From the modified moments over shifted Legendre polynomials by the modified Chebyshev algorithm, then as eigenvalues
    (Gautschi, "Orthogonal Polynomials: Computation and Approximation", 2004, sections 2.1.7 and 3.1.1).

    Args:
        nodes: from 1 to 128.
    """
    diagonal, beside = _recurrence(nodes)
    matrix = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    t, vectors = np.linalg.eigh(matrix)
    return read_only(t), read_only(vectors[0] ** 2)


def _recurrence(nodes: int) -> tuple[Floats, Floats]:
    """The Jacobi matrix of the weight: its diagonal, and what stands beside it."""
    k = places(2 * nodes).astype(np.float64)
    factors = np.concatenate([[1.0], k[1:] / (2.0 * (2.0 * k[1:] - 1.0))])
    monic = np.cumprod(factors, dtype=np.float64)
    with np.errstate(under="ignore"):
        moments = (
            np.concatenate([[1.0], (1.0 - 2.0 * (k[1:] % 2)) / (k[1:] * (k[1:] + 1.0))]) * monic
        )
        known = np.concatenate([[1.0], 0.25 / (4.0 - 1.0 / np.maximum(k[1:], 1.0) ** 2)])
        return _chebyshev(nodes, moments, known)


def _chebyshev(nodes: int, moments: Floats, known: Floats) -> tuple[Floats, Floats]:
    a, b = np.zeros(nodes), np.zeros(nodes)
    a[0], b[0] = 0.5 + moments[1] / moments[0], moments[0]
    before, now = np.zeros(2 * nodes), moments.copy()
    for i in range(1, nodes):
        span = slice(i, 2 * nodes - i)
        new = np.zeros(2 * nodes)
        new[span] = now[i + 1 : 2 * nodes - i + 1] - (a[i - 1] - 0.5) * now[span]
        new[span] += known[span] * now[i - 1 : 2 * nodes - i - 1] - b[i - 1] * before[span]
        a[i] = 0.5 + new[i + 1] / new[i] - now[i] / now[i - 1]
        b[i] = new[i] / now[i - 1]
        before, now = now, new
    return a, np.sqrt(b[1:])
