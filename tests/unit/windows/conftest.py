"""Late elements are common here: the log does not tell of them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logger = logging.getLogger("rxml")
    before = logger.level
    logger.setLevel(logging.ERROR)
    yield
    logger.setLevel(before)
