"""Law cases of `rxml.operators.releasing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml import compose, models
from rxml import operators as ops
from rxml.batch import Batch, Schema
from rxml.models.live import Rewards, Routed
from rxml.models.live.rendezvous import Rendezvous
from rxml.models.prediction import Prediction
from tests.laws.case import Case

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from rxml.flow.operator import Operator

CAPACITY = 64
X = Schema.of(x="float64")
AHEAD = {"ahead": CAPACITY}


def share(rows: Batch) -> NDArray[Any]:
    """Fails for a batch that has a 0 in it."""
    if not rows["x"].all():
        raise ZeroDivisionError("division by zero")
    shares: NDArray[Any] = 12 / rows["x"]
    return shares


def negative(rows: Batch) -> NDArray[Any]:
    return -share(rows)


def broken(rows: Batch) -> NDArray[Any]:
    raise OSError("always")


ARMS = {"a": models.from_function(share, inputs=X), "b": models.from_function(negative, inputs=X)}
BROKEN = models.from_function(broken, inputs=X)


def itself(x: Any) -> Any:
    return x


def drawn(xs: list[Any], shares: Sequence[float], names: Sequence[str]) -> Iterator[Routed]:
    """The arm that each id goes to, one id at a time."""
    rendezvous = Rendezvous(names)
    for x in xs:
        at = rendezvous.pick(rendezvous.hashes([x])[0], shares)
        release = models.Release(("share", "negative")[at])
        value = (1, -1)[at] * 12 / x
        yield Routed({"value": value}, release, "primary", "", arm=names[at], propensity=shares[at])


def parted(xs: list[Any]) -> Iterator[Routed]:
    return drawn(xs, (0.5, 0.5), ("a", "b"))


def stable(xs: list[Any]) -> Iterator[Prediction]:
    release = models.Release("share")
    return (Prediction({"value": 12 / x}, release) for x in xs)


def outputs(answer: Any) -> dict[str, Any]:
    """An answer apart from who gave it: how soon a candidate is there is a matter of threads."""
    return {"value": answer.value}


def values(xs: list[Any]) -> Iterator[dict[str, Any]]:
    return ({"value": 12 / x} for x in xs)


def split(**how: Any) -> Operator[Any, Any]:
    on = models.on_loop()
    return ops.split(ARMS, weights={"a": 1, "b": 1}, key=itself, on=on, capacity=CAPACITY, **how)


def canary(candidate: Any) -> Operator[Any, Any]:
    on = models.on_loop()
    tried = ops.canary(ARMS["a"], candidate, key=itself, share=0.5, on=on, capacity=CAPACITY)
    return compose(tried, ops.map(outputs))


def shadow(other: Any, **how: Any) -> Operator[Any, Any]:
    return ops.shadow(ARMS["a"], other, on=models.on_loop(), capacity=CAPACITY, **how)


def bandit(**how: Any) -> Operator[Any, Any]:
    on = models.on_loop()
    return ops.bandit(ARMS, reward=Rewards(), key=itself, on=on, capacity=CAPACITY, **how)


CASES = {
    "split": Case(split, parted, options=AHEAD),
    "split:unordered": Case(
        lambda: split(ordered=False), parted, options={**AHEAD, "order": "any"}
    ),
    "canary": Case(lambda: canary(ARMS["a"]), values, options=AHEAD),
    "canary:broken": Case(lambda: canary(BROKEN), values, options=AHEAD),
    "shadow": Case(lambda: shadow(ARMS["b"]), stable, options=AHEAD),
    "shadow:broken": Case(lambda: shadow(BROKEN), stable, options=AHEAD),
    "bandit": Case(bandit, parted, options=AHEAD),
}
