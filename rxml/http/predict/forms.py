"""Forms: the shapes in which rows are asked for: a row, several, columns, rows that share something, msgpack."""

from __future__ import annotations

import re
from enum import Enum
from types import GenericAlias
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec
import numpy as np

from rxml.batch import Batch
from rxml.errors import PipelineError, SchemaError
from rxml.http.decode import msgpack_items
from rxml.http.encode import is_mapping
from rxml.http.predict.rows import is_told, known, row_type
from rxml.http.replies import Refusal

if TYPE_CHECKING:
    from rxml.batch import Schema
    from rxml.wire.limits import Limits as WireLimits

_NAMED: Final = re.compile(r"required field `([^`]+)`|^(?:row \d+[^']*|input )'([^']+)'")
"""A field in the words of msgspec, or of a schema."""

_BLANK: Final = b" \t\r\n"


class Form(Enum):
    """How an answer is laid out: as the question was."""

    ROW = "row"
    ROWS = "rows"
    COLUMNS = "columns"
    BATCH = "batch"


class Asked(NamedTuple):
    """What one request asks.

    Attributes:
        form: of the answer.
        elements: for the operator, one answer each.
        rows: in all of them.
    """

    form: Form
    elements: list[Any]
    rows: int


class _Columns(msgspec.Struct):
    columns: dict[str, list[Any]]


class _Shared(msgspec.Struct):
    rows: list[dict[str, Any]]
    shared: dict[str, Any]


class Forms:
    """Decodes what is asked.

    Args:
        schema: what a row must be, a type that msgspec can make; None: by the fields.
        fields: the inputs of the model that rows go to first; columns then stay together. None: any JSON object.
        most: rows of a request.
        uncertain: a float of a row may be told as `{"mean": 1.5, "variance": 0.2}`.

    Raises:
        PipelineError: msgspec has no way to make that type.
    """

    def __init__(
        self,
        schema: type[Any] | None,
        fields: Schema | None,
        most: int,
        *,
        uncertain: bool = False,
    ) -> None:
        self._uncertain = uncertain
        self._fields = fields
        self._most = most
        self._row: Any = schema if schema is not None else row_type(fields, uncertain=uncertain)
        self._trusted = (
            schema is None and fields is not None
        )  # the model checks rows, each by itself if need be
        self._packed: Any = schema if schema is not None else row_type(fields, packed=True)
        self._rows: Any = GenericAlias(list, (self._row,))
        try:
            self._one: msgspec.json.Decoder[Any] = msgspec.json.Decoder(self._row)
            self._many: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(self._rows)
        except TypeError as error:
            raise PipelineError(f"schema={schema!r} cannot be decoded to: {error}") from error
        self._columns = msgspec.json.Decoder(_Columns)
        self._shared = msgspec.json.Decoder(_Shared)

    def json(self, body: bytes) -> Asked:
        """What a JSON body asks.

        Raises:
            Refusal: 400, it is not JSON or does not fit, naming the field; 413, too many rows.
        """
        first = body[:64].lstrip(_BLANK)[:1] or body.lstrip(_BLANK)[:1]
        if not first:
            raise Refusal(400, "the body is empty")
        try:
            if first == b"[":
                rows = self._many.decode(body)
                asked = Asked(Form.ROWS, rows, self._counted(len(rows)))
            else:
                asked = self._object(body)
            return _revived(asked) if self._uncertain else asked
        except SchemaError as error:
            raise misfit(str(error)) from None
        except RecursionError:
            raise Refusal(400, "the JSON is nested too deeply") from None
        except UnicodeDecodeError as error:
            raise Refusal(400, f"the body is not UTF-8 (byte {error.start})") from None
        except msgspec.ValidationError as error:
            raise misfit(str(error)) from None
        except (msgspec.MsgspecError, ValueError) as error:
            raise Refusal(400, f"the body is not JSON: {error}") from None

    def _object(self, body: bytes) -> Asked:
        """A row, unless it is none and one of the other two."""
        plain: msgspec.ValidationError | None = None
        if self._row != dict[str, Any]:
            try:
                return Asked(Form.ROW, [self._one.decode(body)], 1)
            except msgspec.ValidationError as error:
                plain = error
        if (columns := _tried(self._columns, body)) is not None:
            return self._of_columns(columns.columns)
        if (shared := _tried(self._shared, body)) is not None:
            rows = [{**shared.shared, **row} for row in shared.rows]
            self._counted(len(rows))
            return Asked(Form.ROWS, msgspec.convert(rows, self._rows), len(rows))
        if plain is not None:
            raise plain
        return Asked(Form.ROW, [self._one.decode(body)], 1)

    def _of_columns(self, columns: dict[str, list[Any]]) -> Asked:
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) != 1:
            raise misfit(f"all columns have one length, got {lengths or 'no column'}")
        count = self._counted(next(iter(lengths.values())))
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        typed = msgspec.convert(rows, self._rows)
        if self._fields is None or (self._uncertain and any(map(is_told, typed))):
            return Asked(Form.COLUMNS, typed, count)
        try:
            return Asked(
                Form.COLUMNS, [Batch.from_rows(typed, self._fields, extra="ignore")], count
            )
        except SchemaError as error:
            raise misfit(str(error)) from error

    def msgpack(self, body: bytes, limits: WireLimits) -> Asked:
        """What a message of `rxml.wire` asks: a batch, a row, or an array of rows.

        Raises:
            Refusal: as for `json`.
        """
        items = msgpack_items(body, limits)
        count = self._counted(len(items))
        if isinstance(items, Batch) and self.columns:
            return Asked(Form.BATCH, [items], count)
        rows = [self.value(item) for item in items]
        if isinstance(items, Batch):
            return Asked(Form.BATCH, rows, count)
        return Asked(Form.ROWS if _is_array(body) else Form.ROW, rows, count)

    @property
    def columns(self) -> bool:
        """Whether rows in columns stay together: a model takes them first."""
        return self._fields is not None

    def line(self, data: bytes | msgspec.Raw) -> Any:
        """One row from JSON.

        Raises:
            Refusal: 400.
        """
        try:
            row = self._one.decode(data)
            return known(row) if self._uncertain else row
        except RecursionError:
            raise Refusal(400, "the JSON is nested too deeply") from None
        except SchemaError as error:
            raise misfit(str(error)) from None
        except UnicodeDecodeError as error:
            raise Refusal(400, f"not UTF-8 (byte {error.start})") from None
        except msgspec.ValidationError as error:
            raise misfit(str(error)) from None
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            raise Refusal(400, f"not JSON: {error}") from None

    def value(self, item: Any) -> Any:
        """One row from a value that came as msgpack.

        Raises:
            Refusal: 400.
        """
        if self._trusted and item.__class__ is dict:
            return item
        try:
            return msgspec.convert(item, self._packed)
        except (msgspec.MsgspecError, ValueError, TypeError, AttributeError, RecursionError):
            pass
        try:
            return msgspec.convert(_plain(item), self._packed)
        except (
            msgspec.MsgspecError,
            ValueError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            raise misfit(str(error)) from None

    def _counted(self, rows: int) -> int:
        if rows > self._most:
            raise Refusal(413, f"the body has {rows} rows, at most {self._most} are taken at once")
        if not rows:
            raise Refusal(400, "the body has no rows")
        return rows


def misfit(message: str) -> Refusal:
    """400: what was sent is not what the model wants; names the field, where msgspec or the schema does."""
    text, _, path = message.partition(" - at `$")
    path = path.rstrip("`").lstrip(".")
    found = _NAMED.search(text)
    inner = "" if found is None else found[1] or found[2]
    field = ".".join(filter(None, (path, inner if not path or found is None or found[1] else "")))
    reason = f"{text} - at {path}" if path else text
    return Refusal(400, reason, details={"field": field} if field else {})


def _tried(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        return None


def _is_array(body: bytes) -> bool:
    return 0x90 <= body[0] <= 0x9F or body[0] in (0xDC, 0xDD)


def _plain(item: Any) -> Any:
    """Rows of batches as dicts, and numpy's numbers as Python's."""
    if not is_mapping(item):
        return item
    values: dict[Any, Any] = dict(item)
    return {
        name: cast("Any", each).item() if isinstance(each, np.generic) else each
        for name, each in values.items()
    }


def _revived(asked: Asked) -> Asked:
    return asked._replace(elements=[known(each) for each in asked.elements])
