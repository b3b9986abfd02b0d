"""Pools: one column of distributions, of several that sensors or models give of the same quantity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rxml.errors import DistributionError
from rxml.uncertain.pooling.forms import form_of, require_pool
from rxml.uncertain.pooling.members import mask, raw
from rxml.uncertain.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


def pool(
    columns: Sequence[Any],
    weights: ArrayLike | None = None,
    rule: str | None = None,
    *,
    awake: ArrayLike | None = None,
) -> Rows:
    """Pool columns of several members to one, row by row.

    | members | rules, the usual one first | the pool |
    |---|---|---|
    | numbers (facts; NaN is absent), `Normal` and others with a mean and a variance | `linear_pool` | `Mixture`, whose `parts()` are the variance within and between members |
    | the same | `log_pool`, `vincent`, `ivw`, `hksj`, `product` | `Normal` |
    | `Quantiles`, and other distributions beside them | `vincent` | `Quantiles` |
    | `Bernoulli` | `linear_pool`, `log_pool`, `product` | `Bernoulli` |
    | `Beta` | the same | `Beta` |
    | `Categorical` | the same | `Categorical` |

    What each rule takes for granted: see `rxml.uncertain.pooling`. `ivw` (inverse variance) and `hksj` (random effects) weigh
    by variances, and by nothing else. Rows in which nobody tells anything are as good as unknown: infinite variance,
    probabilities from 0 to 1, all classes alike; of quantiles there are none such.

    Args:
        columns: of K members, each of n rows, or all of them scalars; the first says of what kind all are.
        weights: (K,) or (n, K), >= 0; all alike if None. 0 is absent.
        rule: see above.
        awake: (n, K) mask of those who count; all, if None.

    Raises:
        DistributionError: no members, columns that do not go together, or as the rule says; names the rows.
        ValueError: there is no such rule for such members.

    Examples:
        >>> from rxml.uncertain import Normal, pool
        >>> both = pool([Normal([10.0], [1.0]), Normal([13.0], [2.0])], weights=[2, 1])
        >>> within, between = both.parts()
        >>> both.mean().round(3).tolist(), within.round(3).tolist(), between.round(3).tolist()
        ([11.0], [1.333], [2.0])
    """
    if not columns:
        raise DistributionError("a pool of no columns: give at least one")
    if all(isinstance(each, Rows) and not each.shape for each in columns):
        return pool([each.as_column() for each in columns], weights, rule, awake=awake).at(0)
    given = [each if isinstance(each, Rows) else np.asarray(each) for each in columns]
    form = form_of(given[0])
    by = require_pool(form, rule)
    told = [form.read(each) for each in given]
    shapes = {each.shape for each in told}
    if len(shapes) > 1 or told[0].ndim != 2:
        raise DistributionError(f"columns have as many rows each: got shapes {sorted(shapes)}")
    parts = np.stack(told, axis=1)
    there = mask(awake, parts.shape[:2]) & ~np.isnan(parts).any(axis=2)
    return form.pool(parts, raw(weights, there), by)
