"""Types that are taught to the wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import pytest

from rxml.batch import Batch
from rxml.errors import SchemaError, WireError
from rxml.wire import Limits, dumps, loads, register_extension, registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rxml.batch.column import AnyArray


@dataclass(frozen=True)
class Money:
    pence: int
    parts: tuple[Any, ...] = ()


def decoded(value: Any) -> Money:
    pence = value["pence"]
    if pence == 666:
        raise SchemaError("not that")
    return Money(1 // (pence != 13) and pence.real, tuple(value["parts"]))  # 13 and no numbers fail


@pytest.fixture(autouse=True)
def table() -> Iterator[None]:
    tables: list[dict[Any, Any]] = [registry.BY_CODE, registry.BY_TYPE, registry.READ]
    saved = [(each, dict(each)) for each in tables]
    register_extension(
        100, Money, lambda money: {"pence": money.pence, "parts": money.parts}, decoded
    )
    yield
    for live, before in saved:
        live.clear()
        live.update(before)


def test_a_registered_type_travels_anywhere_in_a_message() -> None:
    value = [Money(1), {"m": Money(2, (Money(3), Money(4)))}, {Money(5): 6}]
    assert loads(dumps(value)) == value


@dataclass(frozen=True, eq=False)
class Beta:
    """A column of one's own: a beta distribution per row."""

    a: AnyArray
    b: AnyArray
    kind: str = "beta"

    @property
    def nbytes(self) -> int:
        return self.a.nbytes + self.b.nbytes

    def __len__(self) -> int:
        return len(self.a)

    def slice(self, where: slice[Any, Any, Any]) -> Self:
        return type(self)(self.a[where], self.b[where])

    def take(self, where: AnyArray) -> Self:
        return type(self)(self.a[where], self.b[where])

    def at(self, index: int) -> object:
        return (self.a.item(index), self.b.item(index))

    def concat(self, others: Sequence[Any]) -> Self:
        every = [self, *others]
        return type(self)(
            np.concatenate([c.a for c in every]), np.concatenate([c.b for c in every])
        )

    def equals(self, other: object) -> bool:
        if not isinstance(other, Beta):
            return False
        return np.array_equal(self.a, other.a) and np.array_equal(self.b, other.b)


def test_a_column_of_ones_own_travels_in_a_batch() -> None:
    beta = Beta(np.arange(3.0), np.ones(3))
    batch = Batch({"x": [1, 2, 3], "p": beta})
    with pytest.raises(WireError, match=r"column 'p': cannot encode a .*Beta"):
        dumps(batch)
    register_extension(104, Beta, lambda beta: [beta.a, beta.b], lambda both: Beta(*both))
    message = dumps({"data": batch})
    back = loads(message)["data"]
    assert back == batch
    assert np.shares_memory(back["p"].a, np.frombuffer(message, np.uint8))
    with pytest.raises(WireError, match="column 'x' has 3 rows, those before have 2"):
        loads(dumps(Batch.adopt({"p": beta.slice(slice(2)), "x": batch["x"]}, 2)))
    with pytest.raises(WireError, match="column 'p' has 2 rows, those before have 3"):
        loads(dumps(Batch.adopt({"x": batch["x"], "p": beta.slice(slice(2))}, 3)))


def test_arrays_in_a_registered_type_are_read_where_they_lie() -> None:
    message = dumps({"abc": Money(1, (np.arange(4.0),))})
    (array,) = loads(message)["abc"].parts
    assert np.shares_memory(array, np.frombuffer(message, np.uint8))
    assert array.flags.aligned


@pytest.mark.parametrize("pence", [13, 666, None, "x"])
def test_an_error_of_the_decoder_is_a_wire_error_at_the_payload(pence: Any) -> None:
    with pytest.raises(WireError, match="no Money") as caught:
        loads(dumps([1, Money(pence)]))
    assert caught.value.position == 2 + 6
    assert caught.value.__cause__ is not None


def test_a_mistake_of_the_decoder_that_is_no_refusal_is_not_hidden() -> None:
    class Broken:
        pass

    def fail(_: Any) -> Broken:
        raise RuntimeError("a bug")

    register_extension(101, Broken, lambda _: None, fail)
    with pytest.raises(RuntimeError, match="a bug"):
        loads(dumps(Broken()))


def test_a_code_or_type_that_is_taken_is_refused() -> None:
    class New:
        pass

    for code, type_, reason in (
        (100, New, "taken by Money"),
        (3, New, "must be 16 to 127"),
        (128, New, "must be 16 to 127"),
        (-5, New, "must be 16 to 127"),
        (102, Money, "Money has the extension code 100"),
        (102, Batch, "Batch has the extension code 3"),
        (102, np.float64, "float64 has the extension code 4"),
    ):
        with pytest.raises(ValueError, match=reason):
            register_extension(code, cast("type[Any]", type_), str, str)
    assert 102 not in registry.BY_CODE
    register_extension(102, New, lambda _: None, lambda _: New())


def test_depth_and_items_are_counted_in_registered_types_too() -> None:
    deep = Money(1)
    for _ in range(9):
        deep = Money(1, (deep,))
    assert loads(dumps(deep)) == deep
    with pytest.raises(WireError, match="levels"):
        loads(dumps(deep), limits=Limits(max_depth=20))
    with pytest.raises(WireError, match="values"):
        loads(dumps(deep), limits=Limits(max_items=20))


def test_what_encodes_to_itself_is_refused() -> None:
    class Loop:
        pass

    register_extension(103, Loop, lambda loop: loop, lambda _: Loop())
    with pytest.raises(WireError, match="recursion"):
        dumps(Loop())
