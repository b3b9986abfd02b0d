"""Intake: which rows of what is given are facts, as columns; and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from rxml.batch import Batch
from rxml.batch.column import is_array, sealed
from rxml.errors import FactError
from rxml.facts.blob import hex_bytes, numbered, numbered_form, plain_form
from rxml.facts.fact import (
    LONGEST_ID,
    LONGEST_KEY,
    Fact,
    check_bounds,
    check_text,
    seconds_hint,
)
from rxml.facts.ids import new_ids
from rxml.facts.payloads import noted, payload_columns
from rxml.facts.plain import is_mapping, plain_text
from rxml.facts.table import NAMES, PREFIX, facts_batch, objects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.batch.column import AnyArray

_TEXT: Final = frozenset((str,))
_FIELDS: Final = frozenset({*NAMES, "payload", "offset", "sequence"})
_OF_ITEMS: Final = (TypeError, ValueError, ArithmeticError, AttributeError, LookupError)
_REACH: Final = "int64 nanoseconds reach from 1677 to 2262, and no further"
_YEAR: Final = 366 * 86_400 * 10**9


@dataclass(frozen=True, slots=True)
class Intake:
    """What is to be stored.

    Attributes:
        batch: the rows that are facts, with all columns and dtypes as `rxml.facts.table` has them.
        rows: the number that each of them had in what was given; None: all of them are facts.
        reasons: why each of the others is none, by its number.
        given: how many rows were given.
        raw_ids: `hex_bytes` of the ids, if they are all of that sort and none was left out.
        forms: of columns of the blob, if none was left out.
    """

    batch: Batch
    rows: AnyArray | None
    reasons: Mapping[int, str]
    given: int
    raw_ids: bytes | None = None
    forms: Mapping[str, list[Any]] = field(default_factory=dict[str, list[Any]])


def taken_facts(items: Sequence[Any], now: int) -> Intake:
    """What is to be stored of a list of facts and mappings.

    Args:
        items: facts, or mappings with `key` and `event_time` and any of the other fields of a fact; `payload.NAME` is
            a part of the payload.
        now: the arrival time of those without one, in nanoseconds.
    """
    facts: list[Fact] = []
    rows: list[int] = []
    reasons: dict[int, str] = {}
    for row, item in enumerate(items):
        try:
            facts.append(item if item.__class__ is Fact else _fact(item, now))
            rows.append(row)
        except FactError as error:
            reasons[row] = str(error)
        except (
            _OF_ITEMS
        ) as error:  # of methods of what was given; the others are not to suffer for it
            reasons[row] = f"a {type(item).__name__} is no fact: {type(error).__name__} {error}"
    where = np.array(rows, np.intp) if reasons else None
    return Intake(facts_batch(facts), where, reasons, len(items))


def _fact(item: object, now: int) -> Fact:
    if isinstance(item, Fact):
        return item
    if not is_mapping(item):
        raise FactError(f"a {type(item).__name__} is no fact: give a Fact, or a mapping")
    fields = _named(item)
    fields.pop("offset", None)
    fields.pop("sequence", None)
    payload = dict(_payload(fields.pop("payload", None)))
    for name in [name for name in fields if name.startswith(PREFIX)]:
        payload[name.removeprefix(PREFIX)] = fields.pop(name)
    unknown = fields.keys() - _FIELDS
    if unknown:
        text = f"a fact has no {min(unknown)!r}: it has {', '.join(NAMES)} and payload"
        raise FactError(f"{text}; put the rest into the payload")
    missing = [name for name in ("key", "event_time") if fields.get(name) is None]
    if missing:
        raise FactError(f"{missing[0]} is missing: a fact has a key and an event_time at least")
    if fields.get("arrival_time") is None:
        fields["arrival_time"] = now
    for name in ("lower", "upper"):
        fields[name] = _absent(fields.get(name))
    return Fact.of(payload=payload, **fields)


def _named(item: Mapping[Any, Any]) -> dict[str, Any]:
    fields = dict(item)
    for name in fields:
        if name.__class__ is not str:
            text = f"a fact has no {name!r}: names are str"
            raise FactError(f"{text}; put the rest into the payload")
    return fields


def _payload(given: object) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise FactError(f"payload is {given!r}, a {type(given).__name__}: give a mapping")
    return cast("Mapping[str, Any]", given)


def _absent(bound: Any) -> Any:
    return None if isinstance(bound, float) and bound != bound else bound  # noqa: PLR0124 - NaN


def taken_batch(batch: Batch, now: int) -> Intake:
    """What is to be stored of a batch, by columns; no fact is made.

    Args:
        batch: with `key` and `event_time` and any of the other columns of `rxml.facts.table`.
        now: the arrival time of those without one, in nanoseconds.

    Raises:
        FactError: a column is missing, unknown or of another dtype; so no row is a fact.
    """
    columns = _known(batch)
    n = len(batch)
    reasons: dict[int, str] = {}
    ids, raw_ids = _ids(columns, reasons, n)
    keys, forms = _keys(columns, reasons)
    taken: dict[str, Any] = {
        "id": ids,
        "key": keys,
        "event_time": _times(columns, "event_time", reasons),
        "arrival_time": _times(columns, "arrival_time", reasons)
        if "arrival_time" in columns
        else np.full(n, now),
        "lower": _floats(columns, "lower", n),
        "upper": _floats(columns, "upper", n),
    }
    _look_for_seconds(taken["event_time"], taken["arrival_time"], reasons)
    _look_at_bounds(taken["lower"], taken["upper"], reasons)
    if "sequence" in columns:  # the order among the partitions of a PartitionedLog
        taken["sequence"] = _times(columns, "sequence", reasons)
    taken.update(payload_columns(batch, reasons))
    whole = Batch.adopt({name: _sealed(column) for name, column in taken.items()}, n)
    if not reasons:
        return Intake(whole, None, reasons, n, raw_ids, forms)
    rows = np.array([row for row in range(n) if row not in reasons], np.intp)
    return Intake(whole.take(rows), rows, reasons, n)


def refused(rows: int, reason: str) -> Intake:
    """Nothing is to be stored of that many rows, all for one reason."""
    reasons = dict.fromkeys(range(rows), reason)
    return Intake(facts_batch([]), np.empty(0, np.intp), reasons, rows)


def _sealed(column: Any) -> Any:
    return sealed(column) if is_array(column) and column.flags.writeable else column


def _known(batch: Batch) -> dict[str, Any]:
    columns: dict[str, Any] = dict(batch.columns)
    for name in ("key", "event_time"):
        if name not in columns:
            raise FactError(
                f"there is no column {name!r}: facts have a key and an event_time at least"
            )
    parts = [name for name in columns if name.startswith(PREFIX)]
    unknown = columns.keys() - _FIELDS - set(parts)
    if unknown:
        text = f"the column {min(unknown)!r} is none of a fact's"
        raise FactError(f"{text}: call it {PREFIX + min(unknown)!r} if it belongs to the payload")
    if parts and "payload" in columns:
        raise FactError(f"there are a column payload and columns {parts}: give one or the other")
    return columns


def _ids(columns: dict[str, Any], reasons: dict[int, str], n: int) -> tuple[AnyArray, bytes | None]:
    """The column of ids as objects, and their bytes; those that will not do are noted."""
    if "id" not in columns:
        return objects(new_ids(n)), None
    column, values, texts = _texts(columns, "id")
    raw = hex_bytes(values) if texts else None
    if raw is None and not (texts and _are_fine(values, LONGEST_ID)):
        noted(values, reasons, lambda value: check_text("id", value, LONGEST_ID))
    return column, raw


def _keys(
    columns: dict[str, Any], reasons: dict[int, str]
) -> tuple[AnyArray, dict[str, list[Any]]]:
    """The column of keys as objects, and its form if that is known; those that will not do are noted."""
    column, values, texts = _texts(columns, "key")
    form = numbered(values) if texts else None
    if not (texts and _are_fine(values if form is None else form[0], LONGEST_KEY)):
        noted(values, reasons, lambda value: check_text("key", value, LONGEST_KEY))
    if texts and form is None:
        return column, {"key": plain_form(column)}
    return column, numbered_form("key", form)


def _texts(columns: dict[str, Any], name: str) -> tuple[AnyArray, list[Any], bool]:
    """A column as objects, and as a list, and whether all of it are texts."""
    column = columns[name]
    if not is_array(column) or column.dtype.kind not in "OUT" or column.ndim != 1:
        raise FactError(f"the column {name!r} is {_form(column)}: give one str a row")
    values = cast("list[Any]", column.tolist())
    if column.dtype.kind == "O" and _TEXT.issuperset(map(type, values)):
        return column, values, True
    values = [plain_text(value) if isinstance(value, str) else value for value in values]
    return objects(values), values, _TEXT.issuperset(map(type, values))


def _are_fine(values: list[str], longest: int) -> bool:
    """Whether every text is as `check_text` wants it, found out at once for all."""
    if not values:
        return True
    lengths = set(map(len, values))
    joined = "".join(values)
    return min(lengths) > 0 and max(lengths) <= longest and joined.isascii() and "\0" not in joined


def _times(columns: dict[str, Any], name: str, reasons: dict[int, str]) -> AnyArray:
    """A column of times in nanoseconds as int64."""
    column = columns[name]
    if not is_array(column) or column.ndim != 1 or column.dtype.kind not in "iuM":
        text = f"the column {name!r} is {_form(column)}"
        raise FactError(f"{text}: give int64 nanoseconds since 1970 UTC, or datetime64")
    if column.dtype.kind == "M":
        for row in np.flatnonzero(np.isnat(column)).tolist():
            reasons.setdefault(row, f"{name} is missing (NaT): give one, or leave the fact out")
        exact = column.astype("M8[ns]")
        wrong = (exact.astype(column.dtype) != column) & ~np.isnat(column)
        for row in np.flatnonzero(wrong).tolist():
            reasons.setdefault(row, f"{name} is {column[row]}: {_REACH}")
        column = exact.view(np.int64)
    elif column.dtype == np.uint64:
        for row in np.flatnonzero(column > np.uint64(2**63 - 1)).tolist():
            reasons.setdefault(row, f"{name} is {column[row]}: nanoseconds must fit 64 bits")
    times: AnyArray = column.astype(np.int64, copy=False)
    return times


def _floats(columns: dict[str, Any], name: str, n: int) -> AnyArray:
    if name not in columns:
        return np.full(n, np.nan)
    column = columns[name]
    if not is_array(column) or column.ndim != 1 or column.dtype.kind not in "iuf":
        raise FactError(f"the column {name!r} is {_form(column)}: give one number a row")
    floats: AnyArray = column.astype(np.float64, copy=False)
    return floats


def _form(column: Any) -> str:
    return f"{column.dtype} of shape {column.shape}" if is_array(column) else column.kind


def _look_for_seconds(happened: AnyArray, arrived: AnyArray, reasons: dict[int, str]) -> None:
    # what is within a year of its arrival as seconds, milli- or microseconds is at least a hundred times less
    if not len(happened) or int(happened.min()) > int(arrived.max()) // 100:
        return
    suspect = (happened > 0) & (happened < arrived // 100) & (arrived > _YEAR)
    for row in np.flatnonzero(suspect).tolist():
        hint = seconds_hint(int(happened[row]), int(arrived[row]))
        if hint is not None:
            reasons.setdefault(row, hint)


def _look_at_bounds(lower: AnyArray, upper: AnyArray, reasons: dict[int, str]) -> None:
    fine = (np.isnan(lower) & np.isnan(upper)) | (
        (lower <= upper) & np.isfinite(lower) & np.isfinite(upper)
    )
    if fine.all():
        return
    for row in np.flatnonzero(~fine).tolist():
        try:
            check_bounds(_absent(float(lower[row])), _absent(float(upper[row])))
        except FactError as error:
            reasons.setdefault(row, str(error))
