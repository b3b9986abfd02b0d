"""Names of the columns that tell what the variance of a prediction is made of."""

from __future__ import annotations

from typing import Final

MODEL: Final = "variance/model"
RESIDUAL: Final = "variance/residual"
TOGETHER: Final = "variance/together"
INPUT: Final = "variance/input/"
