"""Named transforms as one thing: chained, learned together, saved, and told apart by their digest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rxml import wire
from rxml.errors import SchemaError
from rxml.features import (
    Calendar,
    DecayedStatistics,
    FeatureHasher,
    Features,
    Imputer,
    Lags,
    OneHot,
    StandardScaler,
    TargetEncoder,
)
from tests.unit.features.streams import HOUR, KEYS, Stream, bits, cuts, joined, streams


def made() -> Features:
    return Features(
        filled=Imputer("x", keys=KEYS),
        scaled=StandardScaler("filled_mean", keys=KEYS),
        x=Lags("x", (1,), keys=KEYS),
        recent=DecayedStatistics("scaled", "t", half_life=HOUR, keys=KEYS),
        when=Calendar("t", keys=KEYS),
        word=OneHot("c", 3, keys=KEYS),
        hashed=FeatureHasher("c", 4, keys=KEYS),
        worth=TargetEncoder("c", "y", size=3, keys=KEYS),
    )


def test_features_are_named_after_their_transform_and_part() -> None:
    features = made()
    assert features.names == (
        *("filled_mean", "filled_var", "filled_missing", "scaled", "x"),
        *("recent_mean", "recent_var", "recent_weight"),
        *("when_day_sin", "when_day_cos", "when_week_sin", "when_week_cos"),
        *("word", "hashed", "worth_mean", "worth_var"),
    )
    assert features.inputs == ("x", "t", "c", "y")


@settings(max_examples=10)
@given(stream=streams(60), data=st.data())
def test_one_pipeline_gives_the_same_bits_everywhere(stream: Stream, data: st.DataObject) -> None:
    whole, single, cut, taught = made(), made(), made(), made()
    wanted = whole.learn_transform(stream.data, stream.slots)
    assert tuple(wanted) == whole.names
    ones: list[Any] = [single.transform(stream.part(slice(0, 0)).data, stream.slots[:0])]
    for row in range(len(stream)):
        one = stream.part(slice(row, row + 1))
        asked = {name: column for name, column in one.data.items() if name != "y"}
        ones.append(single.transform(asked, one.slots))
        single.learn(one.data, one.slots)
    parts: list[Any] = []
    for rows in data.draw(cuts(len(stream))):
        batch = stream.part(rows)
        parts.append(cut.learn_transform(batch.data, batch.slots))
        state, cut = wire.loads(wire.dumps(cut.snapshot())), made()
        cut.restore(state)
    taught.learn(stream.data, stream.slots)
    assert bits(joined(ones)) == bits(wanted)
    assert bits(joined(parts)) == bits(wanted)
    states = [bits(each.snapshot()) for each in (whole, single, cut, taught)]
    assert states[1:] == states[:1] * 3


def test_a_later_transform_reads_what_an_earlier_one_has_made() -> None:
    chained = Features(lag=Lags("x", (1,)), twice=Lags("lag", (1,)))
    got = chained.learn_transform({"x": [1.0, 2.0, 3.0, 4.0]})
    assert got["twice"].tolist()[2:] == [1.0, 2.0]
    named = Features(x=StandardScaler("x"), y=Lags("x", (1,)))
    assert named.inputs == ("x",)
    got = named.learn_transform({"x": [1.0, 5.0, 3.0]})
    assert got["y"].tolist()[1:] == got["x"].tolist()[:2]


def test_independent_transforms_learn_without_being_asked() -> None:
    plain, asked = (Features(s=StandardScaler("x"), t=TargetEncoder("c", "y")) for _ in range(2))
    data = {"x": [1.0, 2.0], "c": ["a", "b"], "y": [0.0, 1.0]}
    plain.learn(data)
    asked.learn_transform(data)
    assert bits(plain.snapshot()) == bits(asked.snapshot())


def test_a_digest_is_that_of_what_was_configured_and_not_of_what_was_learned() -> None:
    digests = {
        features.digest
        for features in (
            Features(s=StandardScaler("x")),
            Features(t=StandardScaler("x")),
            Features(s=StandardScaler("y")),
            Features(s=StandardScaler("x", width=2)),
            Features(s=Imputer("x")),
            Features(s=StandardScaler("x"), t=Lags("x", (1,))),
            Features(t=Lags("x", (1,)), s=StandardScaler("x")),
            Features(s=StandardScaler("x"), t=Lags("x", (2,))),
        )
    }
    assert len(digests) == 8
    features = Features(s=StandardScaler("x", keys=3))
    features.learn({"x": [1.0]}, np.array([2]))
    assert features.digest == Features(s=StandardScaler("x")).digest
    assert len(features.digest) == 64
    assert wire.loads(wire.dumps(features.config())) == features.config()


def test_a_digest_stays_what_it_was() -> None:
    """Manifests of models name it: a change of this number must be a change of what features mean."""
    digest = Features(s=StandardScaler("x")).digest
    assert digest == "34fa2f23162bdd92bd24314e33f5aa3c9b1b96173b6c9fa9a43e9e389ea1c722"


def test_a_snapshot_of_other_features_is_refused() -> None:
    one, other = Features(s=Lags("x", (1,))), Features(s=Lags("x", (2,)))
    with pytest.raises(SchemaError, match="got a snapshot of features"):
        other.restore(one.snapshot())
    wider = StandardScaler("x", keys=2)
    broken = {**wider.snapshot(), "keys": 3}
    with pytest.raises(SchemaError, match="this transform's is of"):
        wider.restore(broken)
    with pytest.raises(SchemaError, match="this transform's is of"):
        wider.restore(Lags("x", (1,), keys=2).snapshot())


def test_what_is_missing_is_named_before_anything_is_learned() -> None:
    features = Features(s=StandardScaler("x"), t=TargetEncoder("c", "y"))
    before = bits(features.snapshot())
    with pytest.raises(SchemaError, match=r"columns \['y'\] are missing: there are \['c', 'x'\]"):
        features.learn({"x": [1.0], "c": ["a"]})
    with pytest.raises(SchemaError, match="columns must have one length"):
        features.learn({"x": [1.0, 2.0], "c": ["a"], "y": [1.0]})
    assert bits(features.snapshot()) == before
    assert features.transform({"x": [1.0], "c": ["a"]})["s"].tolist() == [0.0]


@pytest.mark.parametrize(
    ("column", "bad"),
    [
        ("x", np.array(["no", "numbers"])),
        ("t", np.array([0.5, 1.5])),
        ("c", np.array(["a", object()], object)),
        ("y", np.array([None, 1.0], object)),
    ],
)
@pytest.mark.parametrize("learn", ["learn", "learn_transform"])
def test_of_rows_that_one_transform_refuses_none_learns(column: str, bad: Any, learn: str) -> None:
    features = made()
    before = bits(features.snapshot())
    good: dict[str, Any] = {"x": [1.0, 2.0], "t": [0, 1], "c": ["a", "b"], "y": [1.0, 2.0]}
    with pytest.raises(SchemaError, match=f"column '{column}'"):
        getattr(features, learn)({**good, column: bad})
    with pytest.raises(ValueError, match="grow"):
        getattr(features, learn)(good, np.array([0, KEYS]))
    assert bits(features.snapshot()) == before
    hashed = Features(s=StandardScaler("x"), h=FeatureHasher("c", 4))
    with pytest.raises(SchemaError, match="cannot be hashed"):
        getattr(hashed, learn)({"x": [1.0], "c": np.array([object()])})
    assert bits(hashed.snapshot()) == bits(Features(**_fresh()).snapshot())


def _fresh() -> dict[str, Any]:
    return {"s": StandardScaler("x"), "h": FeatureHasher("c", 4)}


def test_all_transforms_grow() -> None:
    features = made()
    features.grow(KEYS + 2)
    features.learn({"x": [1.0], "t": [0], "c": ["a"], "y": [1.0]}, np.array([KEYS + 1]))
    with pytest.raises(ValueError, match="grow"):
        features.grow(KEYS)


def test_all_transforms_forget() -> None:
    features = Features(s=StandardScaler("x", keys=2), l=Lags("x", (1,), keys=2))
    features.learn({"x": [1.0, 5.0]}, np.array([1, 1]))
    features.forget([1])
    fresh = Features(s=StandardScaler("x", keys=2), l=Lags("x", (1,), keys=2))
    assert bits(features.snapshot()) == bits(fresh.snapshot())


def test_features_must_have_distinct_names() -> None:
    with pytest.raises(ValueError, match="distinct names"):
        Features(a_b=StandardScaler("x"), a=Lags("x", (1, 2)), a_lag_1=Lags("x", (1,)))
    with pytest.raises(ValueError, match="be some"):
        Features()
