"""Label: what an element came to, told later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from typing_extensions import override

from rxml.batch.batch import Batch
from rxml.errors import SchemaError
from rxml.flow.kernel import Chunkwise
from rxml.flow.kinds import fold
from rxml.flow.node import Cardinality
from rxml.flow.supervision import Unusable
from rxml.wire.registry import register_extension

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rxml.flow.flowable import Flowable

_EXTENSION: Final = 18
_PAIR: Final = 2
_END: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class Label:
    """The true value of an element that was predicted.

    Attributes:
        id: of the element: a text or a whole number.
        value: a number, or a class; NaN or None if it will never be known.
        time: when it became known, int64 nanoseconds since 1970, UTC; None if nobody asks.
    """

    id: Any
    value: Any
    time: int | None = None


register_extension(
    _EXTENSION,
    Label,
    lambda label: [label.id, label.value, label.time],
    lambda parts: Label(*parts),
)


def missing(label: Label) -> bool:
    """Whether it says that nobody will ever know."""
    value = label.value
    is_float = isinstance(value, float | np.floating)
    return value is None or (is_float and bool(np.isnan(label.value)))


def with_plain_id(label: Label) -> Label:
    """The same label; of an id that is a scalar of numpy, as those of arrays are, with Python's own."""
    name: Any = label.id
    return Label(name.item(), label.value, label.time) if isinstance(name, np.generic) else label


def without_labels(items: Sequence[Any]) -> Sequence[Any]:
    """The elements alone."""
    if isinstance(items, Batch) or not any(type(item) is Label for item in items):
        return items
    return [item for item in items if type(item) is not Label]


def require_times(labels: Iterable[Label]) -> None:
    """See that labels have times that can be compared.

    Raises:
        SchemaError: one is neither None nor a whole number of 64 bits.
    """
    for label in labels:
        time: Any = label.time
        if time is None:
            continue
        whole = isinstance(time, int | np.integer) and not isinstance(time, bool)
        if not (whole and -_END <= time < _END):
            raise SchemaError(
                f"the time of a label is None, or nanoseconds since 1970 as a whole number of 64 bits; got {time!r}"
            )


def as_label(given: object) -> Label:
    """A label from what flows of labels have: a `Label`, a pair of id and value, or a mapping with "id" and "value".

    Raises:
        SchemaError: it is none of these.
    """
    if isinstance(given, Label):
        return given
    if isinstance(given, Mapping):
        return _of_mapping(cast("Mapping[str, Any]", given))
    pair: tuple[Any, ...] = cast("Any", given) if isinstance(given, tuple) else ()
    if len(pair) == _PAIR:
        return Label(*pair)
    raise SchemaError(
        f"a label is a Label, a pair of id and value, or a row with both; got {given!r}"
    )


def _of_mapping(row: Mapping[str, Any]) -> Label:
    if "id" not in row or "value" not in row:
        raise SchemaError(f"a row that is a label has 'id' and 'value'; got {list(row)}")
    return Label(row["id"], row["value"], row.get("time"))


class _Read(Chunkwise[Any, Label]):
    """Labels of what `as_label` takes. Anything else harms nobody: it is left out, and told of."""

    stateless = True

    @override
    def push_all(self, items: Sequence[Any]) -> Sequence[Label]:
        labels: list[Label] = []
        useless: dict[int, tuple[Any, Exception]] = {}
        for row, item in enumerate(items):
            try:
                labels.append(as_label(item))
            except SchemaError as error:
                useless[row] = item, error
        self.left_out: Sequence[int] = list(useless)
        if useless:
            raise Unusable(list(useless.values()), labels, harmless=True)
        return labels


def labels_of(flow: Flowable[Any]) -> Flowable[Label]:
    """A flow of labels, from a flow of what `as_label` takes; what else it has is left out, and told of."""
    read = fold("label", _Read, cardinality=Cardinality.ONE, aligned=False)  # or none, by mishap
    return flow.pipe(read)
