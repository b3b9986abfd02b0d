"""Functions of mixtures component by component, and what is said of columns that were not drawn together."""

from __future__ import annotations

import numpy as np
import pytest

from rxml.errors import DistributionError
from rxml.uncertain import Draws, Mixture, Normal, Worlds

MIXTURES = Mixture(np.log([[0.25, 0.75], [0.5, 0.5]]), [[0.0, 1.0], [-2.0, 3.0]], [[1, 4], [0, 2]])


@pytest.mark.parametrize("row", [0, 1])
def test_the_moments_of_a_mapped_mixture_are_those_of_its_mapped_components(row: int) -> None:
    weights = MIXTURES.weights[row]
    parts = [np.exp(Normal(m[row, k], v[row, k])) for m, v in [MIXTURES.components] for k in (0, 1)]
    means = np.array([float(part.mean()) for part in parts])
    squares = np.array([float(part.var()) for part in parts]) + means**2
    mapped = np.exp(MIXTURES)
    assert mapped.mean()[row] == pytest.approx(weights @ means, rel=1e-12)
    second = mapped.var()[row] + mapped.mean()[row] ** 2
    assert second == pytest.approx(weights @ squares, rel=1e-12)


def test_a_clipped_mixture_is_that_of_its_clipped_components() -> None:
    clipped = MIXTURES.clip(0.0, 1.0)
    first = [float(Normal(m, v).clip(0.0, 1.0).mean()) for m, v in ((0.0, 1.0), (1.0, 4.0))]
    assert clipped.mean()[0] == pytest.approx(0.25 * first[0] + 0.75 * first[1], rel=1e-12)


def test_one_mixture_and_a_column_of_it_are_mapped_alike() -> None:
    one = np.abs(MIXTURES.at(0))
    assert np.abs(MIXTURES).at(0).equals(one)


def test_a_comparison_with_worlds_names_both_kinds() -> None:
    drawn = Normal([0.0], [1.0]).to(Worlds, draws=Draws(1, 4), name="x", ids=[0])
    with pytest.raises(DistributionError, match="Worlds and Normal: draw both"):
        _ = drawn > Normal([0.0], [1.0])
    with pytest.raises(DistributionError, match="Normal and Worlds: draw both"):
        _ = Normal([0.0], [1.0]) < drawn
