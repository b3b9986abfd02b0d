"""Batches: columns of numpy arrays (or distribution columns) of one length, read as rows.

    >>> from rxml.batch import Batch
    >>> batch = Batch({"sensor": ["a", "b", "c"], "value": [1.0, 2.0, 4.0]})
    >>> batch[1:]["value"].sum()
    np.float64(6.0)
    >>> [row["sensor"] for row in batch if row["value"] < 3]
    ['a', 'b']

Nothing here knows of streams or event loops: this room is numpy and the standard library.
"""

from __future__ import annotations

from rxml.batch.batch import Batch
from rxml.batch.column import Column
from rxml.batch.row import Row
from rxml.batch.schema import Field, Schema

__all__ = ["Batch", "Column", "Field", "Row", "Schema"]
