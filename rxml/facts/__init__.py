"""Facts: what happened, as it was known, in a log that only grows."""

from __future__ import annotations

from rxml.facts.entities import Entity, entities_of, entity_of
from rxml.facts.fact import Fact, nanoseconds_of
from rxml.facts.ids import derived_id, new_id, new_ids
from rxml.facts.log import FactLog
from rxml.facts.log_statistics import LogStatistics
from rxml.facts.outcome import Outcome, Outcomes
from rxml.facts.parquet import export_parquet, import_parquet
from rxml.facts.partition import partition_of, partitions_of
from rxml.facts.partitioned import PartitionedLog
from rxml.facts.table import facts_batch, facts_of, packed
from rxml.facts.transfer import Imported, Problem, export_ndjson, import_ndjson
from rxml.facts.views import View

__all__ = [
    "Entity",
    "Fact",
    "FactLog",
    "Imported",
    "LogStatistics",
    "Outcome",
    "Outcomes",
    "PartitionedLog",
    "Problem",
    "View",
    "derived_id",
    "entities_of",
    "entity_of",
    "export_ndjson",
    "export_parquet",
    "facts_batch",
    "facts_of",
    "import_ndjson",
    "import_parquet",
    "nanoseconds_of",
    "new_id",
    "new_ids",
    "packed",
    "partition_of",
    "partitions_of",
]
