"""A2: the last label as the prediction of the next one, on Elec2: River publishes .853303 and .827229."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from rxml.batch import Batch
from rxml.learning import LastValue
from tests.acceptance.prequential import judged

FOLDER = Path(os.environ.get("RXML_ACCEPTANCE_DATA", ""))
ROWS = 45_312


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.skipif(
    not (FOLDER / "elec.csv").is_file(),
    reason="RXML_ACCEPTANCE_DATA names no folder with elec.csv: run `make acceptance`",
)
@pytest.mark.parametrize("size", [0, 64])
def test_the_last_class_of_elec2(size: int) -> None:
    table = np.loadtxt(FOLDER / "elec.csv", delimiter=",", skiprows=1)
    assert table.shape == (ROWS, 7)
    moments = np.arange(ROWS)
    batch = Batch({"id": moments, "at": moments, "y": table[:, -1] == 1})
    got = judged(batch, LastValue(), ("accuracy", "f1"), size=size)
    assert (round(got["accuracy"], 6), round(got["f1"], 6)) == (0.853303, 0.827229)
