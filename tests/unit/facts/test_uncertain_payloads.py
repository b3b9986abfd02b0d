"""Distributions in payloads, and as columns of payloads, are stored and read as any value."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rxml import operators as ops
from rxml import wire
from rxml.batch import Batch
from rxml.errors import FactError
from rxml.facts import (
    Fact,
    FactLog,
    View,
    export_ndjson,
    export_parquet,
    facts_of,
    import_ndjson,
    import_parquet,
)
from rxml.facts.lines import fact_of, line_of
from rxml.facts.replay import replayed
from rxml.uncertain import (
    Alternatives,
    Bernoulli,
    Beta,
    Categorical,
    Interval,
    Mixture,
    Normal,
    Quantiles,
    Rows,
    Worlds,
)

if TYPE_CHECKING:
    from pathlib import Path

LINE = '{"key":"k","event_time":1,"payload":{"x":{"$distribution":%s}}}'
DRAWS = np.array([[1.0, 2.0], [0.1 + 0.2, 1e-300], [-7.5, 3.0]])
SCALARS: dict[str, Rows] = {
    "normal": Normal(0.1 + 0.2, 1e-300),
    "beta": Beta(2.0, 1 / 3),
    "bernoulli": Bernoulli(0.7),
    "event": Worlds(DRAWS[:, 0]) > 0.5,
    "categorical": Categorical([0.0, 0.3, 0.7], ["", "fox", "lion"]),
    "numbered": Categorical.of_counts([1.0, 2.5]),
    "classes": Categorical([0.5, 0.5], np.array(["Löwe", "fox"], object)),
    "variable": Categorical([0.5, 0.5], np.array(["Löwe", "fox"], np.dtypes.StringDType())),
    "interval": Interval(1.0, np.inf, level=0.9),
    "quantiles": Quantiles([0.1, 0.5, 0.9], [1.0, 2.0, 3.5]),
    "alternatives": Alternatives(["a", "longer"], [0.5, 0.25]),
    "mixture": Mixture([np.log(0.25), np.log(0.75)], [0.0, 1.0], [1.0, 0.0]),
    "worlds": Worlds(DRAWS[:, 1], np.log([0.5, 0.25, 0.25])),
}


def fact(number: int, **payload: Any) -> Fact:
    return Fact(f"{number:032x}", f"k{number % 2}", number * 10, number * 10 + 5, payload)


def other_than(value: Rows) -> Rows:
    return Normal(1.0, 1.0) if not isinstance(value, Normal) else Normal(0.3, 1e-300)


@pytest.mark.parametrize("value", SCALARS.values(), ids=SCALARS)
def test_facts_are_equal_where_the_parameters_are(value: Rows) -> None:
    again = type(value).rebuilt(**value.parameters())
    one, same = fact(1, x=value, y=[1, value]), fact(1, x=again, y=(1, again))
    assert one == same
    assert hash(one) == hash(same)
    other = other_than(value)
    for payload in ({"x": other, "y": [1, value]}, {"x": value, "y": [1, other]}, {"x": 0.5}):
        assert one != fact(1, **payload)
        assert fact(1, **payload) != one
    assert one.payload == {"y": (1, again), "x": again}
    differ = one.payload != {"y": (1, again), "x": again}
    assert not differ
    assert one.payload != object()


def test_what_is_equal_has_one_hash() -> None:
    assert fact(1, x=Normal(0.0, 1.0)) == fact(1, x=Normal(-0.0, 1.0))
    assert hash(fact(1, x=Normal(0.0, 1.0))) == hash(fact(1, x=Normal(-0.0, 1.0)))
    assert len({hash(fact(1, x=Normal(float(mean), 1.0))) for mean in range(9)}) == 9


def test_a_payload_holds_the_distribution_of_its_fact_alone() -> None:
    column = Normal(np.arange(3.0), np.ones(3))
    with pytest.raises(FactError, match=r"\['x'\] is a column of 3 distributions.*column\[0\]"):
        fact(1, x=column)
    assert fact(1, x=column[1]) == fact(1, x=Normal(1.0, 1.0))


def test_classes_that_no_message_has_spoil_their_own_fact_alone(tmp_path: Path) -> None:
    odd = Categorical([0.5, 0.5], np.array(["fox", 1], object))
    for each in (odd, Categorical([0.5, 0.5], ["fox", "\ud800"])):
        with pytest.raises(FactError, match=r"\['x'\] is a Categorical that cannot be stored"):
            fact(1, x=each)
    some = Alternatives(np.array([[1], ["a"], ["b"]], object), np.ones((3, 1)))
    with FactLog(tmp_path / "facts.db") as log:
        given = [{"key": "k", "event_time": 1, "payload": {"x": x}} for x in (odd, 1)]
        assert [each.status for each in log.append_facts(given)] == ["rejected", "stored"]
        outcomes = log.append_batch(columns(0, x=some))
        assert [each.status for each in outcomes] == ["rejected", "stored", "stored"]


@pytest.fixture
def facts() -> list[Fact]:
    return [
        fact(number, deep={"of": [value, {"x": value}]}, x=value, n=number)
        for number, value in enumerate(SCALARS.values())
    ]


def filled(path: Path, facts: list[Fact]) -> FactLog:
    """A log of facts, closed and opened again."""
    with FactLog(path) as log:
        assert log.append_facts(facts).stored == len(facts)
    return FactLog(path)


def test_a_log_gives_back_what_it_was_given(tmp_path: Path, facts: list[Fact]) -> None:
    with filled(tmp_path / "facts.db", facts) as log:
        found = list(log.scan())
        assert [one for batch in found for one in facts_of(batch)] == facts
        assert Batch.concat(found).equals(Batch.concat(list(log.scan())))
        assert asyncio.run(log.read(batches=False).to_list()) == facts
        assert asyncio.run(replayed(log, ops.map(payload_in)).to_list()) == [
            each.payload for each in facts
        ]
        assert log.append_facts(facts).duplicates == len(facts)


def payload_in(row: Any) -> Any:
    return row["payload"]


def test_views_pick_by_distributions_and_among_facts_that_have_some(
    tmp_path: Path, facts: list[Fact]
) -> None:
    with filled(tmp_path / "facts.db", facts) as log:
        assert View(log).where(x=Beta(2.0, 1 / 3)).facts() == [facts[1]]
        assert View(log).where(x=0.7).facts() == []
        assert View(log).where(n=2).facts() == [facts[2]]
        assert View(log).as_of(55, known_at=46).facts() == [facts[4], facts[3]]
        assert View(log).last(2).facts() == facts[:-3:-1]


def test_what_is_appended_is_seen_in_the_tail(tmp_path: Path, facts: list[Fact]) -> None:
    with filled(tmp_path / "facts.db", facts[:1]) as log:

        async def main() -> list[Any]:
            async with log.tail(batches=False).open() as subscription:
                first = await subscription.request(9)
                await asyncio.to_thread(log.append_facts, facts[1:3])
                return [*first.elements, *(await subscription.request(9)).elements]

        assert asyncio.run(main()) == facts[:3]


def test_facts_go_over_the_wire(facts: list[Fact]) -> None:
    assert wire.loads(wire.dumps(facts)) == facts


def test_exports_come_back_to_the_last_byte(tmp_path: Path, facts: list[Fact]) -> None:
    out, again, parquet = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with filled(tmp_path / "facts.db", facts) as log, FactLog(tmp_path / "other.db") as other:
        export_ndjson(log, out)
        assert import_ndjson(other, io.BytesIO(out.getvalue())).stored == len(facts)
        assert View(other).facts() == facts
        export_ndjson(other, again)
        assert again.getvalue() == out.getvalue()
        export_parquet(log, parquet)
        assert import_parquet(other, io.BytesIO(parquet.getvalue())).duplicates == len(facts)


def test_a_line_is_readable() -> None:
    text = LINE % '{"kind":"categorical","logp":[0.0,{"$float":"-inf"}],"classes":{"U":["a","b"]}}'
    found = fact_of(text.encode())
    assert found.payload == {"x": Categorical([1.0, 0.0], ["a", "b"])}
    assert text[text.index('"payload"') :].encode() in line_of(found)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ("{}", "kind"),
        ('{"kind":"odd"}', "of kind 'odd'"),
        ('{"kind":["normal"]}', "unhashable"),
        ('{"kind":"normal","mean":0.0,"var":-1.0}', "a variance is >= 0"),
        ('{"kind":"normal","mean":[0.0],"var":[1.0]}', "a column of 1 distributions"),
        ('{"kind":"normal","mean":{"U":"a"},"var":1.0}', "mean"),
        ('{"kind":"normal","mean":{"U99999999":"a"},"var":1.0}', "dtype 'U99999999'"),
        ('{"kind":"normal","mean":{"f8":0.0,"i8":1},"var":1.0}', "too many values"),
        ('{"kind":"normal","mean":{"i1":999},"var":1.0}', "999"),
        ("3", "attribute"),
    ],
)
def test_a_line_with_no_distribution_is_told(parts: str, message: str) -> None:
    with pytest.raises(FactError, match=message):
        fact_of((LINE % parts).encode())


def columns(start: int, **payload: Any) -> Batch:
    return Batch(
        {
            "id": np.array([f"{n:032x}" for n in range(start, start + 3)], object),
            "key": np.array(["a", "b", "a"], object),
            "event_time": np.arange(start, start + 3),
            **{f"payload.{name}": column for name, column in payload.items()},
        }
    )


COLUMNS: dict[str, Any] = {
    "normal": Normal([1.0, 2.0, 3.0], [0.0, 1.0, 2.0]),
    "worlds": Worlds(np.arange(6.0).reshape(2, 3), [0.0, -1.0]),
    "event": Normal([1.0, 2.0, 3.0], [1.0, 1.0, 2.0]) > 2,
    "categorical": Categorical(np.full((3, 2), 0.5), ["a", "b"]),
}


def test_columns_of_distributions_come_back_as_columns(tmp_path: Path) -> None:
    given = columns(0, **COLUMNS)
    with FactLog(tmp_path / "facts.db") as log:
        assert log.append_batch(given).stored == 3
    with FactLog(tmp_path / "facts.db") as log:
        (found,) = log.scan()
        assert found.select(*given.names).equals(given)
        assert facts_of(found)[1].payload == {name: each[1] for name, each in COLUMNS.items()}
        (latest,) = View(log).where(normal=Normal(2.0, 1.0)).facts()
        assert latest.payload["worlds"].equals(COLUMNS["worlds"][1])


def test_columns_beside_objects_become_mappings(tmp_path: Path) -> None:
    odd = np.array([1, "a", Beta(1.0, 2.0)], object)
    with FactLog(tmp_path / "facts.db") as log:
        log.append_batch(columns(0, x=COLUMNS["normal"], odd=odd))
        assert [each.payload for each in View(log).facts()] == [
            {"x": COLUMNS["normal"][row], "odd": odd[row]} for row in range(3)
        ]


def test_chunks_whose_classes_differ_are_read_together_and_never_made_one(tmp_path: Path) -> None:
    kinds = [Categorical(np.full((3, 2), 0.5), list(names)) for names in ("ab", "ab", "bc")]
    with FactLog(tmp_path / "facts.db") as log:
        for number, column in enumerate(kinds):
            log.append_batch(columns(3 * number, x=column))
        before = View(log).facts()
        assert log.compact() == 1
        assert View(log).facts() == before
        assert [one.payload["x"].classes.tolist() for one in View(log).last(9).facts()[::4]] == [
            ["b", "c"],
            ["a", "b"],
            ["a", "b"],
        ]
