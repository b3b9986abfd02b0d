"""SqlStore: checkpoints, and the rows of sinks that are committed with them, in a database that speaks SQL.

A row is written as it comes, under the number of the checkpoint that it will belong to, and is seen only once that is
committed. So nothing piles up in memory between two checkpoints, no transaction stays open, and what a run that died
had written since the last checkpoint is thrown away by the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rxml.flow.checkpointing.store import Stored, anything
from rxml.flow.kinds import label, source, stage
from rxml.flow.node import Cardinality, Checkpointing
from rxml.stores.checking import require_table
from rxml.stores.packing import encoded
from rxml.stores.rows import RowsStage
from rxml.stores.session import SqlSession
from rxml.stores.sink import SinkStage

if TYPE_CHECKING:
    from rxml.flow.checkpointing.store import Admit
    from rxml.flow.flowable import Flowable
    from rxml.flow.shapes import Same
    from rxml.stores.database import Database
    from rxml.stores.ledger import Ledger


class SqlStore:
    """What stores in databases have in common.

    Args:
        database: where it is.
        keep: checkpoints of each pipeline that are kept.
    """

    longest: ClassVar[int] = 63
    """Letters that the name of a table has at most."""

    def __init__(self, database: Database, keep: int) -> None:
        self.database: Database = database
        self._keep = keep

    def encode(self, value: Any) -> bytes:
        """See `Store.encode`."""
        return encoded(value)

    async def begin(self, pipeline: str, admit: Admit = anything) -> SqlSession:
        """See `Store.begin`."""
        await self.database.lease()
        session = SqlSession(self.database, pipeline, self._keep)
        try:
            await session.take_over(admit)
        except BaseException:
            await session.close()
            raise
        return session

    async def forget(self, pipeline: str = "main") -> None:
        """Forget the checkpoints of a pipeline and the rows of its sinks: it begins anew, as if it had never run.

        A run of it that goes on meanwhile ends with a CheckpointError.
        """
        self.database.lease_to_look()
        try:
            await self.database.look(lambda ledger: _forget(ledger, pipeline), None)
        finally:
            await self.database.leave()

    def sink(self, table: str) -> Same:
        """An operator that lets elements through and stores each as a row: once, whatever happens in between.

        Rows become visible with the checkpoint behind them; the run must have its checkpoints in this store. In SQL they
        are in a view of that name: `id`, `pipeline`, and `value` as a message of `rxml.wire`.

        Demand: n elements for n.
        Buffers: one chunk, while it is written.
        Emits: each element, once it is written.

        Args:
            table: a word of letters, digits and underscores, which begins with a letter.

        Raises:
            PipelineError: no such word; or, when it runs, checkpoints that are not in this store.
            CheckpointError: when it runs: it cannot be written, or another run has taken the pipeline over.
        """
        require_table("sink", table, self.longest)
        return stage(
            label("sink", table),
            lambda env, node: SinkStage(env, node, self.database, table),
            cardinality=Cardinality.ONE,
            traits=(Stored(self),),
            passes=True,
            checkpointing=Checkpointing.STORES,
        )

    def read(self, table: str) -> Flowable[Any]:
        """The committed rows of a sink, by demand; tuples come back as lists.

        They come in the order of commits, and within one as they were written. So where several pipelines write into the
        table, whoever has read so far misses nothing that is committed later.

        Args:
            table: see `sink`; nothing comes of one that does not exist yet.

        Raises:
            PipelineError: no such word.
            CheckpointError: at the first request: it cannot be read, or the row behind which a run with checkpoints goes
                on is not there any more.
        """
        require_table("read", table, self.longest)
        return source(
            label("read", table),
            lambda env, node: RowsStage(env, node, self.database, table),
            checkpointing=Checkpointing.SAVED,
        )


def _forget(ledger: Ledger, pipeline: str) -> None:
    with ledger.transaction(pipeline):
        ledger.forget(pipeline)
