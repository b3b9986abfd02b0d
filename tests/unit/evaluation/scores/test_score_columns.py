"""Scores of columns of every kind: the CRPS is the integral of its definition, the transform uniform where all is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rxml.errors import DistributionError
from rxml.evaluation import scores
from rxml.uncertain import Alternatives, Beta, Mixture, Normal, Quantiles, Worlds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rxml.uncertain import Distribution

RNG = np.random.default_rng(0)
OBS = np.array([-0.4, 0.0, 0.35, 0.9, 1.7])
TAUS = (np.arange(400) + 0.5) / 400
WEIGHTS = np.log(RNG.dirichlet(np.ones(3), 5))
COLUMNS: dict[str, Distribution] = {
    "normal": Normal(RNG.normal(size=5), RNG.uniform(0.1, 2, 5)),
    "mixture": Mixture(WEIGHTS, RNG.normal(size=(5, 3)), RNG.uniform(0.01, 1, (5, 3))),
    "worlds": Worlds(RNG.normal(size=(6, 5))),
    "weighted worlds": Worlds(RNG.normal(size=(6, 5)), np.log(RNG.dirichlet(np.ones(6)))),
    "alternatives": Alternatives(RNG.normal(size=(5, 3)), np.full((5, 3), [0.5, 0.3, 0.2])),
    "beta": Beta(RNG.uniform(0.2, 9, 5), RNG.uniform(0.2, 9, 5)),
}
every = pytest.mark.parametrize("name", COLUMNS)


@pytest.fixture(autouse=True)
def _nothing_is_off() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


@every
def test_the_crps_is_the_integral_of_the_squared_difference(name: str) -> None:
    column = COLUMNS[name]
    x = np.linspace(-9, 9, 60_001)
    with np.errstate(under="ignore"):
        reached = np.stack([column.take(np.array([row])).cdf(x) for row in range(5)])
        squares = (reached - (x >= OBS[:, None])) ** 2
    assert scores.crps_column(OBS, column) == pytest.approx(
        np.trapezoid(squares, x, axis=1), abs=2e-3
    )


def test_of_many_quantiles_it_is_nearly_that_of_the_distribution() -> None:
    normal = Normal(np.zeros(5), np.ones(5))
    quantiles = Quantiles(TAUS, np.tile(Normal(0.0, 1.0).ppf(TAUS), (5, 1)))
    assert scores.crps_column(OBS, quantiles) == pytest.approx(
        scores.crps_column(OBS, normal), abs=1e-4
    )


def test_alternatives_are_scored_as_if_there_is_a_value() -> None:
    maybe = Alternatives([[1.0, 3.0]], [[0.2, 0.2]])
    assert scores.crps_column([1.0], maybe) == pytest.approx(
        scores.crps_ensemble([1.0], [[1.0], [3.0]])
    )


def test_one_row_is_a_row_of_the_column() -> None:
    for name, column in COLUMNS.items():
        alone = [
            scores.crps_column(OBS[row : row + 1], column.take(np.array([row])))[0]
            for row in range(5)
        ]
        assert scores.crps_column(OBS, column).tolist() == alone, name


@every
def test_the_transform_of_what_was_drawn_is_uniform(name: str) -> None:
    column = COLUMNS[name].take(np.repeat(0, 2000))
    rng = np.random.default_rng(3)
    if isinstance(column, Worlds) and np.ptp(column.weights) == 0:
        column = Worlds(rng.normal(size=(6, 2000)))  # one of seven that are alike
        drawn = rng.normal(size=2000)
    else:
        drawn = np.sort(column.ppf(rng.uniform(size=2000)))
    with np.errstate(under="ignore"):
        places = np.sort(scores.pit_column(drawn, column, u=rng.uniform(size=2000)))
    assert (
        np.abs(places - (np.arange(2000) + 0.5) / 2000).max() < 0.045
    )  # 1 % of the time beyond .036


def test_what_is_missing_has_no_score() -> None:
    for name, column in COLUMNS.items():
        assert np.isnan(scores.pit_column(np.full(5, np.nan), column)).all(), name
        if name != "quantiles":
            assert np.isnan(scores.crps_column(np.full(5, np.nan), column)).all(), name


def test_names_have_no_score() -> None:
    with pytest.raises(DistributionError, match="no CRPS of names"):
        scores.crps_column([1.0], Alternatives(np.array([["a", "b"]]), [[0.5, 0.5]]))
