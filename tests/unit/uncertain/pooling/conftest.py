"""What every test here gets: see `tests.strict`."""

from tests.strict import strict

__all__ = ["strict"]
