"""Strict: any floating point error that is not meant is an error, in the folders whose `conftest` takes this in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", autouse=True)
def strict() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield
