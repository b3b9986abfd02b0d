"""A1: what River publishes for its data, to all printed digits, in batches of any size.

https://riverml.xyz/latest/benchmarks/: each row is predicted, judged and learned from, in this order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from rxml.learning import RiverOnline, RunningMean
from tests.acceptance.prequential import features, judged, labelled

if TYPE_CHECKING:
    from collections.abc import Callable

river: Any = pytest.importorskip("river", reason="the extra river is not installed")
datasets: Any = pytest.importorskip("river.datasets")
linear: Any = pytest.importorskip("river.linear_model")
tree: Any = pytest.importorskip("river.tree")
bayes: Any = pytest.importorskip("river.naive_bayes")
optim: Any = pytest.importorskip("river.optim")
preprocessing: Any = pytest.importorskip("river.preprocessing")

Digits = tuple[float, float]


def scaled(model: Any) -> Any:
    return preprocessing.StandardScaler() | model


PHISHING: dict[str, tuple[Callable[[], Any], Digits]] = {
    "logistic regression": (
        lambda: scaled(linear.LogisticRegression(optimizer=optim.SGD(0.005))),
        (0.8872, 0.871233),
    ),
    "naive Bayes": (bayes.GaussianNB, (0.884708, 0.871429)),
    "Hoeffding tree": (tree.HoeffdingTreeClassifier, (0.879904, 0.860595)),
    "Hoeffding adaptive tree": (
        lambda: tree.HoeffdingAdaptiveTreeClassifier(seed=42),
        (0.874299, 0.856095),
    ),
}
TRUMP: dict[str, tuple[Callable[[], Any], Digits]] = {
    "linear regression": (lambda: scaled(linear.LinearRegression()), (1.31455, 3.91198)),
    "l2": (lambda: scaled(linear.LinearRegression(l2=1.0)), (1.87151, 4.13052)),
    "passive aggressive": (lambda: scaled(linear.PARegressor(mode=1)), (4.98403, 6.97667)),
    "Hoeffding tree": (lambda: scaled(tree.HoeffdingTreeRegressor()), (0.956103, 2.24987)),
    "Hoeffding adaptive tree": (
        lambda: scaled(tree.HoeffdingAdaptiveTreeRegressor(seed=42)),
        (0.921313, 2.23942),
    ),
}
MEAN = (1.56755, 2.20286)


def printed(value: float) -> float:
    """As River prints it: six digits."""
    return float(f"{value:.6g}")


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("size", [0, 1, 7, 64])
@pytest.mark.parametrize("name", PHISHING)
def test_phishing(name: str, size: int) -> None:
    make, digits = PHISHING[name]
    batch = labelled(datasets.Phishing())
    got = judged(batch, RiverOnline(make(), features(batch)), ("accuracy", "f1"), size=size)
    assert (printed(got["accuracy"]), printed(got["f1"])) == digits


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("size", [0, 1, 7, 64])
@pytest.mark.parametrize("name", TRUMP)
def test_trump_approval(name: str, size: int) -> None:
    make, digits = TRUMP[name]
    batch = labelled(datasets.TrumpApproval())
    got = judged(batch, RiverOnline(make(), features(batch)), ("mae", "rmse"), size=size)
    assert (printed(got["mae"]), printed(got["rmse"])) == digits


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("sizes", [range(1, 17), range(17, 33), range(33, 49), range(49, 65)])
def test_every_size_of_batch_gives_the_same(sizes: range) -> None:
    batch = labelled(datasets.TrumpApproval())
    make, digits = TRUMP["linear regression"]
    model = RiverOnline(make(), features(batch))
    for size in sizes:
        got = judged(batch, model, ("mae", "rmse"), size=size)
        assert (printed(got["mae"]), printed(got["rmse"])) == digits, size


@pytest.mark.parametrize("size", [0, 64])
def test_the_mean_of_labels_is_that_of_river(size: int) -> None:
    batch = labelled(datasets.TrumpApproval())
    got = judged(batch, RunningMean(0.0), ("mae", "rmse"), size=size)
    assert (printed(got["mae"]), printed(got["rmse"])) == MEAN


def test_late_labels_are_as_late_as_those_of_river() -> None:
    """A delay of a week; an answer that is due at a question comes before it there and here."""
    evaluate: Any = pytest.importorskip("river.evaluate")
    metrics: Any = pytest.importorskip("river.metrics")
    theirs = metrics.MAE()
    evaluate.progressive_val_score(
        datasets.TrumpApproval(),
        scaled(linear.LinearRegression()),
        theirs,
        moment="ordinal_date",
        delay=7,
    )
    batch = labelled(datasets.TrumpApproval())
    model = RiverOnline(scaled(linear.LinearRegression()), features(batch))
    ours = judged(batch, model, ("mae",), delay=7, at="ordinal_date", size=50)
    assert ours["mae"] == pytest.approx(theirs.get(), rel=1e-12)
    assert ours["mae"] > 1.5 * TRUMP["linear regression"][1][0]
