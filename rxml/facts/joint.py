"""Joint: which run commits facts with its checkpoints."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rxml.errors import CheckpointError, LogLockedError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from rxml.facts.writer import Writer


class Joined(Protocol):
    """A run that keeps its checkpoints in a log.

    Attributes:
        pipeline: its name.
        appends: facts are committed with them.
        lost: why it has the log no more.
    """

    pipeline: str
    appends: bool
    lost: CheckpointError | None


class Joint:
    """The place of at most one run; looked at under the log's mutex.

    Args:
        path: of the log, for errors.

    Attributes:
        holder: the run, or None.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.holder: Joined | None = None

    def end(self, error: CheckpointError | None = None) -> None:
        """Whoever has it, has it no more, and hears why when it comes again."""
        holder, self.holder = self.holder, None
        if holder is not None:
            holder.lost = error

    def require(self, run: Joined) -> None:
        """Raise a CheckpointError if a run has the log no more."""
        if self.holder is not run:
            raise CheckpointError(
                str(run.lost or f"{self._path}: the run has ended; nothing was stored")
            )

    @contextmanager
    def appending(self, writer: Writer, run: Joined | None) -> Generator[None]:
        """Append within the transaction of a run's next checkpoint, or for None in one of its own.

        Raises:
            CheckpointError: the run has the log no more.
            LogLockedError: another run commits facts with its checkpoints.
        """
        if run is None:
            self._require_none()
            yield
            return
        self.require(run)
        try:
            writer.begin()
            yield
        except BaseException as error:
            self.end(
                CheckpointError(
                    f"{self._path}: facts could not be stored ({error}); the checkpoint before stands"
                )
            )
            writer.abandon()
            raise

    def _require_none(self) -> None:
        holder = self.holder
        if holder is not None and holder.appends:
            raise LogLockedError(
                f"{self._path} is appended to by the run of {holder.pipeline!r}, whose facts are committed with its "
                "checkpoints: append in that pipeline itself (not in a flow that a flat_map makes), when it is over, or "
                "to another log"
            )
