"""Operators that follow what drifts, through readings that are not exact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from rxml.batch.schema import require_name
from rxml.eventtime.keying import Keying
from rxml.flow.check import require_count
from rxml.flow.kinds import fold, label, placed
from rxml.flow.node import Cardinality
from rxml.flow.placing import reading
from rxml.learning.pooling.tracking import Seeing, Tracking
from rxml.learning.waiting import key_and_time
from rxml.uncertain.pooling import LocalLevel

if TYPE_CHECKING:
    from rxml.eventtime.reading import Column
    from rxml.flow.flowable import Flowable
    from rxml.flow.operator import Operator


def track(  # noqa: PLR0913 - each is a thing of its own that one may say of a level
    column: Column = "value",
    *,
    q: float,
    r: float | Column | None = None,
    by: Column | None = None,
    per: Literal["second", "element"] = "second",
    smooth: int = 0,
    into: str = "level",
    nis: str = "nis",
    smoothed: str = "smoothed",
) -> Operator[Any, Any]:
    """Follow the level of each key that readings are about: it drifts, and readings are off, each by a variance of its own.

    Marble:
        --{value:N(5,1)}--{value:N(9,4)}--{value:None}--|
        track(q=1, per="element")
        --{..level:N(5,1)}--{..level:N(6.3,1.3)}--{..level:N(6.3,2.3)}--|

    Demand: n elements for n.
    Buffers: for each key about 40 bytes, and 24 for each element of `smooth`.
    Emits: the elements, with a `Normal` column of the level as of then beside their own, and NIS: the squared surprise over its
        variance, 1 on average if q and r are right, NaN where nothing was read or expected. A batch stays one; other
        mappings become rows.
    Completes: with upstream.
    Fails: with upstream; when an element has no key or time, the first one has no such column, what is read is no number or
        distribution, has no variance and none is given, or a reading without error contradicts a level without one.
    Cancels: upstream, at once.
    Cost: for batches about 1 microsecond a row, for rows about 10; with `smooth` about 100 a row, if they are of one key.

    The Kalman filter of a local level (Durbin and Koopman, 2012, chapter 2): readings of sensors that differ are weighed by
    their variances, and time that passes makes older ones count less. Before the first reading nothing is known. None, NaN
    or infinite variance is no reading: the level grows less certain. A reading that comes late is taken as one of now whose
    variance is larger by what the level has drifted since.

    Args:
        column: of readings: numbers, or distributions with variances of their own.
        q: variance that the level gains in a second of event time (or by an element, see `per`), >= 0, in squared units.
        r: variance of the error of readings, beyond their own, or the column of it. None: they have their own.
        by: the key: each has a level of its own. None: that of `key_by`, or one for all.
        per: "second": the level drifts by event time; "element": from element to element of a key.
        smooth: elements of a key that `smoothed` waits for: the level as many elements ago, by what has come since
            (Rauch, Tung and Striebel, 1965); before there are so many nothing is known. 0: there is no such column.
        into: the name of the column of levels.
        nis: of that of NIS.
        smoothed: of that of levels as of `smooth` elements ago.

    Raises:
        ValueError: a number out of its range.
        PipelineError: there is no event time upstream, and levels drift by it.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> rows = rxml.of({"value": 4.0}, {"value": 8.0}, {"value": None})
        >>> found = asyncio.run(rows.pipe(ops.track(q=1, r=1, per="element")).to_list())
        >>> [
        ...     (round(float(row["level"].mean()), 2), round(float(row["level"].var()), 2))
        ...     for row in found
        ... ]
        [(4.0, 1.0), (6.67, 0.67), (6.67, 1.67)]
    """
    lag = require_count("track(smooth)", smooth, 0)
    LocalLevel(q)  # says at once what is wrong
    _require_per(per)
    _require_noise(r)
    names = (into, nis, smoothed)
    for name in names:
        require_name(name)
    by_time = per == "second"
    place = key_and_time("track", by, timed=by_time)

    def behind(source: Flowable[Any]) -> Operator[Any, Any]:
        where = place(source)

        def kernel() -> Tracking:
            level = LocalLevel(q, lag=lag, late="widen")
            return Tracking(where, Seeing(column, r), level, names, by_time=by_time)

        return reading(fold(label("track", column), kernel, cardinality=Cardinality.ONE), Keying)

    return placed(label("track", column), behind)


def _require_per(per: str) -> None:
    if per not in ("second", "element"):
        message = f"track(per) is 'second' or 'element'; got {per!r}"
        raise ValueError(message)


def _require_noise(r: float | Column | None) -> None:
    if isinstance(r, float | int) and not r >= 0:
        message = f"track(r) wants a variance >= 0, got {r!r}"
        raise ValueError(message)
