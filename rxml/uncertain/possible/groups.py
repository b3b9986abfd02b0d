"""GROUP BY a key that is uncertain itself: a row belongs to at most one group, so counts hang together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain.checks import floats, require_sum
from rxml.uncertain.possible.counts import count
from rxml.uncertain.possible.rows import padded, presence
from rxml.uncertain.possible.shapes import added

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from rxml.uncertain.checks import Floats
    from rxml.uncertain.possible.pmf import Pmf


@dataclass(frozen=True, slots=True, eq=False)
class GroupCounts:
    """How many rows each group has.

    Attributes:
        keys: of the groups, in rising order, (K,).
        pmf: the distribution of each group's count, K windows.
        mean: of the counts, (K,): sum p.
        cov: their covariances, (K, K): on the diagonal sum p (1 - p), beside it -sum p_a p_b.
    """

    keys: NDArray[Any]
    pmf: Pmf
    mean: Floats
    cov: Floats


def group_counts(keys: NDArray[Any], p: ArrayLike) -> GroupCounts:
    """Counts of independent rows by uncertain keys, in one pass over the alternatives.

    Args:
        keys: the keys that each row may have, (n, M), or (n,) if they are known; any type that can be sorted. A key that a row
            names twice has both probabilities.
        p: the probability of each, of the same shape; a row adds up to at most 1, what is missing is "absent".

    Raises:
        DistributionError: probabilities that are none, rows that add up to more than 1, or shapes that differ.
    """
    chances = floats("presence", p)
    if chances.shape != keys.shape or keys.ndim not in {1, 2}:
        text = f"keys have shape {keys.shape} beside presence {chances.shape}"
        raise DistributionError(f"{text}: want (n,) or (n, M) for both")
    presence(chances)
    chances = chances.reshape(len(chances), chances.size // max(len(chances), 1))
    require_sum(chances, below=True)
    different, code = np.unique(keys, return_inverse=True)
    return _counted(different, code.reshape(chances.shape), chances)


def _counted(different: NDArray[Any], code: NDArray[np.intp], p: Floats) -> GroupCounts:
    """Each row's share in each group that it names, as triples, then columns of them."""
    n, groups = len(p), len(different)
    pair, at = np.unique(code + np.arange(n)[:, np.newaxis] * groups, return_inverse=True)
    share = np.minimum(added(at.reshape(-1), p.reshape(-1), len(pair)), 1.0)
    row, group = np.divmod(pair, max(groups, 1))
    mask, (table,) = padded(group, groups, share)
    mean = added(group, share, groups)
    with np.errstate(under="ignore"):
        cov = np.diag(added(group, share * (1.0 - share), groups))
        cov -= _together(row, group, share, groups)
    return GroupCounts(different, count(table, mask=mask), mean, cov)


def _together(row: NDArray[np.intp], group: NDArray[np.intp], share: Floats, groups: int) -> Floats:
    """The sum of p_a p_b over the rows, for each two different groups, (K, K)."""
    first = np.flatnonzero(np.r_[True, row[1:] != row[:-1]]) if len(row) else row
    length = np.diff(np.append(first, len(row)))
    total = np.zeros(groups * groups)
    for apart in range(1, int(length.max(initial=1))):
        left = np.flatnonzero(row[apart:] == row[:-apart])
        right = left + apart
        places = group[left] * groups + group[right]
        total += added(places, share[left] * share[right], groups * groups)
    table = total.reshape(groups, groups)
    return table + table.T
