"""Special functions in numpy alone, with the names and the order of arguments of scipy.special.

Why not scipy: see `rxml.uncertain.special.elementwise`.
"""

from __future__ import annotations

from rxml.uncertain.special.beta_quantile import betaincinv
from rxml.uncertain.special.gammas import betaln, digamma, gammaln
from rxml.uncertain.special.incomplete_beta import betainc, betaincc, log_betainc, log_betaincc
from rxml.uncertain.special.incomplete_gamma import chdtr, chdtrc, gammainc, gammaincc
from rxml.uncertain.special.logs import (
    expit,
    log1mexp,
    log_softmax,
    logit,
    logsumexp,
    softmax,
    xlogy,
)
from rxml.uncertain.special.normal import erf, erfc, log_ndtr, ndtr, normal_pdf
from rxml.uncertain.special.normal_quantile import ndtri
from rxml.uncertain.special.student import stdtr, stdtrit

__all__ = [
    "betainc",
    "betaincc",
    "betaincinv",
    "betaln",
    "chdtr",
    "chdtrc",
    "digamma",
    "erf",
    "erfc",
    "expit",
    "gammainc",
    "gammaincc",
    "gammaln",
    "log1mexp",
    "log_betainc",
    "log_betaincc",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "ndtr",
    "ndtri",
    "normal_pdf",
    "softmax",
    "stdtr",
    "stdtrit",
    "xlogy",
]
