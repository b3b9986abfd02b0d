"""What one does with a stream: the operators, a family a file.

The code lives here; it is imported as `rxml.operators`, through the link `rxml/operators`:

    from rxml import operators as ops
"""

from __future__ import annotations

if __name__ != "rxml.operators":
    # A second copy of every operator would be loaded, whose classes and errors are not the real ones.
    raise ImportError(
        f"the operators of rxml were imported as {__name__!r}, which would load them a second time; "
        "write `from rxml import operators as ops` instead"
    )

from rxml.operators.aggregation import average, count, reduce, sum  # noqa: A004 - reactivex's names
from rxml.operators.asking import ask
from rxml.operators.buffering import buffer
from rxml.operators.calibration import calibrate, calibrate_probability
from rxml.operators.collecting import to_list
from rxml.operators.columns import map_batch, rows, to_batch
from rxml.operators.combining import amb, concat, merge
from rxml.operators.concurrency import concat_map, flat_map, map_async, switch_map
from rxml.operators.defaults import (
    default_if_empty,
    element_at_or_default,
    first_or_default,
    last_or_default,
)
from rxml.operators.delaying import delay
from rxml.operators.distinctness import distinct
from rxml.operators.effects import do_action, finally_action
from rxml.operators.evaluation import detect_drift, evaluate
from rxml.operators.event_time import key_by, with_event_time
from rxml.operators.expansion import unbatch
from rxml.operators.extremes import max, min  # noqa: A004 - reactivex's names
from rxml.operators.failure import catch, on_error_resume_next, repeat, retry
from rxml.operators.gates import skip_until, skip_until_with_time, take_until, take_until_with_time
from rxml.operators.grouping import group_by, partition
from rxml.operators.hedging import hedge
from rxml.operators.joining import asof_join, interval_join
from rxml.operators.keyed import aggregate, deduplicate, latest
from rxml.operators.learning import delayed_labels, features, learn
from rxml.operators.looking import lookup_join
from rxml.operators.notifications import dematerialize, materialize
from rxml.operators.overflow import conflate, on_overflow
from rxml.operators.picking import element_at, first, last
from rxml.operators.pooling import combine
from rxml.operators.positions import skip, skip_last, take, take_last
from rxml.operators.prefetching import prefetch
from rxml.operators.presence import where
from rxml.operators.quality import estimate_quality
from rxml.operators.questions import all, contains, is_empty, some  # noqa: A004 - reactivex's names
from rxml.operators.rate import keep_alive, throttle
from rxml.operators.releasing import bandit, canary, shadow, split
from rxml.operators.resilience import (
    Answer,
    Bulkhead,
    Guard,
    Quorum,
    Retry,
    Rung,
    deadline,
    fallback,
    quarantine,
    quorum,
    rate_limit,
    shed,
    supervise_models,
    watchdog,
)
from rxml.operators.retraining import promote, retrain
from rxml.operators.routing import abstain, escalate
from rxml.operators.sampling import debounce, sample
from rxml.operators.scoring import score
from rxml.operators.selection import (
    distinct_until_changed,
    filter,  # noqa: A004 - reactivex's name
    ignore_elements,
    skip_while,
    take_while,
)
from rxml.operators.sharing import replay, share
from rxml.operators.starting import start_with
from rxml.operators.supervising import supervise
from rxml.operators.timing import timeout
from rxml.operators.tracking import track
from rxml.operators.transform import map, pairwise, scan, starmap  # noqa: A004 - reactivex's names
from rxml.operators.tuples import (
    combine_latest,
    fork_join,
    with_latest_from,
    zip,  # noqa: A004 - reactivex's name
    zip_latest,
)
from rxml.operators.windowing import window

__all__ = [
    "Answer",
    "Bulkhead",
    "Guard",
    "Quorum",
    "Retry",
    "Rung",
    "abstain",
    "aggregate",
    "all",
    "amb",
    "ask",
    "asof_join",
    "average",
    "bandit",
    "buffer",
    "calibrate",
    "calibrate_probability",
    "canary",
    "catch",
    "combine",
    "combine_latest",
    "concat",
    "concat_map",
    "conflate",
    "contains",
    "count",
    "deadline",
    "debounce",
    "deduplicate",
    "default_if_empty",
    "delay",
    "delayed_labels",
    "dematerialize",
    "detect_drift",
    "distinct",
    "distinct_until_changed",
    "do_action",
    "element_at",
    "element_at_or_default",
    "escalate",
    "estimate_quality",
    "evaluate",
    "fallback",
    "features",
    "filter",
    "finally_action",
    "first",
    "first_or_default",
    "flat_map",
    "fork_join",
    "group_by",
    "hedge",
    "ignore_elements",
    "interval_join",
    "is_empty",
    "keep_alive",
    "key_by",
    "last",
    "last_or_default",
    "latest",
    "learn",
    "lookup_join",
    "map",
    "map_async",
    "map_batch",
    "materialize",
    "max",
    "merge",
    "min",
    "on_error_resume_next",
    "on_overflow",
    "pairwise",
    "partition",
    "prefetch",
    "promote",
    "quarantine",
    "quorum",
    "rate_limit",
    "reduce",
    "repeat",
    "replay",
    "retrain",
    "retry",
    "rows",
    "sample",
    "scan",
    "score",
    "shadow",
    "share",
    "shed",
    "skip",
    "skip_last",
    "skip_until",
    "skip_until_with_time",
    "skip_while",
    "some",
    "split",
    "starmap",
    "start_with",
    "sum",
    "supervise",
    "supervise_models",
    "switch_map",
    "take",
    "take_last",
    "take_until",
    "take_until_with_time",
    "take_while",
    "throttle",
    "timeout",
    "to_batch",
    "to_list",
    "track",
    "unbatch",
    "watchdog",
    "where",
    "window",
    "with_event_time",
    "with_latest_from",
    "zip",
    "zip_latest",
]
