"""Operators on rows that may be there or not: what is uncertain is kept with its probability, or decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.batch.batch import Batch
from rxml.batch.schema import require_name
from rxml.errors import SchemaError
from rxml.flow.check import require_function
from rxml.flow.kinds import columns, label
from rxml.flow.node import Cardinality
from rxml.uncertain import Bernoulli

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rxml.batch.row import Row
    from rxml.batch.schema import Schema
    from rxml.flow.operator import Operator

_KINDS: Final = "an event such as `b['x'] > 3`, or booleans such as `prob(b['x'] > 3) >= .95`"


def where(
    predicate: Callable[[Batch], Any],
    schema: Schema | None = None,
    *,
    presence: str = "presence",
) -> Operator[Mapping[str, Any], Row]:
    """Keep rows where something holds: as far as it is uncertain, with the probability that they are there.

    Marble:
        --{t:N(20,4)}--{t:N(31,4)}--{t:N(60,4)}--|
        where(lambda b: b["t"] > 30)
        --{..presence:3e-7}--{..presence:.69}--{..presence:1}--|

    A soft filter is what the mean over all possible worlds of a hard one is: aggregates that take the presence into account
    (`rxml.uncertain.possible`) are those of the rows that really pass. Filtering by "more likely than not" instead counts
    each doubtful row as one or none, and is off by far more (uncertain counts of 100 rows: 9.8 on average, instead of 2.2).

    That holds of their number, and of columns that the event does not look at. Presence is a probability that no longer knows
    what was looked at, and is taken as independent of all values behind it: the highest of readings "above 30" may be told to
    be 29. Of such columns draw worlds, or give the aggregate its own `where=`, which tells what counts or refuses.

    Demand: n elements for n.
    Buffers: nothing.
    Emits: for an event, each row that may be there, with a `Bernoulli` column beside its own; where rows have one already,
        both must hold: world by world if both were found in the same worlds, else as independent. For booleans, the rows
        where they are true, as they are. The context of a row that is left out is dropped.
    Completes: with upstream.
    Fails: with upstream; when rows do not fit the schema, or the predicate raises or gives neither events nor booleans, one
        for each row.
    Cancels: upstream, at once.
    Cost: one call of the predicate a chunk and about 10 microseconds; rows that are no batch are converted, about 1
        microsecond each. Where elements have contexts it is called row by row.

    Args:
        predicate: from a batch of 1 or more rows to events, or booleans of shape (n,); of a row it must not depend on others.
        schema: names, dtypes and shapes that the predicate wants; see `map_batch`.
        presence: the name of the column.

    Raises:
        TypeError: not a function, or a coroutine function.
        SchemaError: the name is none.

    Example:
        >>> import asyncio, rxml
        >>> from rxml import operators as ops
        >>> from rxml.uncertain import Normal, prob
        >>> rows = rxml.of({"t": Normal(31.0, 4.0)}, {"t": Normal(60.0, 4.0)})
        >>> soft = asyncio.run(rows.pipe(ops.where(lambda b: b["t"] > 30)).to_list())
        >>> [round(float(row["presence"].p), 2) for row in soft]
        [0.69, 1.0]
        >>> hard = ops.where(lambda b: prob(b["t"] > 30) >= 0.95)
        >>> len(asyncio.run(rows.pipe(hard).to_list()))
        1
    """
    require_function("where", predicate, "tells of each row of a batch whether it is to be kept")
    require_name(presence)

    def on_chunk(items: Sequence[Any]) -> Sequence[Any]:
        batch = items if isinstance(items, Batch) else Batch.from_rows(items, schema)
        found: object = predicate(batch)
        return (
            _soft(batch, found, presence) if isinstance(found, Bernoulli) else _hard(batch, found)
        )

    return columns(
        label("where", predicate),
        on_chunk,
        cardinality=Cardinality.AT_MOST_ONE,
        depends=schema is None,
        again=True,
    )


def _soft(batch: Batch, event: Bernoulli, name: str) -> Batch:
    if event.shape != (len(batch),):
        raise SchemaError(
            f"an event for each of {len(batch)} rows is wanted; got shape {event.shape}"
        )
    before = batch[name] if name in batch.columns else None
    both = event if before is None else _present(before, name).both(event)
    kept = batch.with_columns({name: both})
    possible = both.bounds[1] > 0
    return kept if bool(possible.all()) else kept[possible]


def _present(column: object, name: str) -> Bernoulli:
    if isinstance(column, Bernoulli):
        return column
    raise SchemaError(f"column {name!r} is no Bernoulli column: give presence= another name")


def _hard(batch: Batch, found: object) -> Batch:
    mask = np.asarray(found)
    if mask.dtype != np.bool_ or mask.shape != (len(batch),):
        text = f"got {type(found).__name__} of shape {mask.shape}"
        raise SchemaError(f"where wants {_KINDS}, one for each of {len(batch)} rows; {text}")
    return batch if bool(mask.all()) else batch[mask]
