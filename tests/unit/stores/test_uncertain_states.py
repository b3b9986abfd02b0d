"""A state that holds distributions comes back from a checkpoint as it was, however it is nested."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import rxml
from rxml import operators as ops
from rxml.facts import Fact
from rxml.stores.packing import decoded, encoded
from rxml.uncertain import Categorical, Normal, Rows, Worlds
from tests.unit.stores.places import each

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml import Flowable

    Beliefs = dict[str, Any]


def believed(beliefs: Beliefs, number: int) -> Beliefs:
    """Sums of normals, as a scalar, in a tuple and in a fact."""
    total = beliefs["sum"] + Normal(float(number), 0.1)
    return {"sum": total, "both": (total, number), "fact": Fact("i", "k", 1, 2, {"x": total})}


def beliefs(seen: list[Beliefs], die_at: int | None = None) -> Flowable[Beliefs]:
    def see(state: Beliefs) -> None:
        if state["both"][1] == die_at:
            raise RuntimeError
        seen.append(state)

    return rxml.range(20).pipe(ops.scan(believed, {"sum": Normal(0.0, 0.0)}), ops.do_action(see))


@pytest.mark.parametrize("any_store", ["sqlite", "log"], indirect=True)
def test_a_run_goes_on_from_its_beliefs(any_store: Callable[[], Any]) -> None:
    store = any_store()
    with pytest.raises(RuntimeError):
        asyncio.run(beliefs([], 13).run(checkpoint=each(store, 5)))
    rest: list[Beliefs] = []
    asyncio.run(beliefs(rest).run(checkpoint=each(store, 5)))
    wanted = asyncio.run(beliefs([]).to_list())
    assert 0 < len(rest) < 20
    for found, want in zip(rest, wanted[-len(rest) :], strict=True):
        assert found["sum"].equals(want["sum"])
        assert found["both"][0].equals(want["sum"])
        assert found["fact"] == want["fact"]


@pytest.mark.parametrize(
    "rows",
    [
        Normal(1.0, 2.0),
        Worlds(np.arange(6.0).reshape(2, 3)),
        Categorical([0.0, 1.0], ["fox", "lion"]),
    ],
    ids=lambda rows: rows.kind,
)
def test_what_comes_back_holds_its_own_arrays(rows: Rows) -> None:
    found = decoded(encoded({"x": [rows]}), "a test")["x"][0]
    assert found.equals(rows)
    for array in found.parameters().values():
        assert array is None or isinstance(owner(array), np.ndarray)
        assert array is None or not array.flags.writeable


def owner(array: Any) -> Any:
    """What the memory of an array belongs to; of a message that is bytes."""
    while getattr(array, "base", None) is not None:
        array = array.base
    return array
