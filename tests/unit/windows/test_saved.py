"""What a window has saved is gone on with by the same windows only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import rxml
from rxml import aggregates as agg
from rxml import operators as ops
from rxml.errors import CheckpointError
from rxml.eventtime.windows.kernel import WindowKernel
from rxml.flow.node import KernelSpec
from rxml.windows import on_update, tumbling

if TYPE_CHECKING:
    from rxml.aggregates import Aggregate
    from rxml.windows import Windowed

ROWS = [{"t": second, "k": second % 2, "x": float(second)} for second in range(5)]


def kernel_of(windows: Windowed[Any], *, keyed: bool = True, **aggregates: Aggregate) -> Any:
    flow = rxml.from_iterable(ROWS).pipe(ops.with_event_time("t", unit="s"))
    flow = flow.pipe(ops.key_by("k")) if keyed else flow
    spec = flow.pipe(windows.aggregate(**aggregates)).spec
    assert isinstance(spec, KernelSpec)
    return spec.kernel()


def saved() -> Any:
    kernel = kernel_of(ops.window(tumbling(10)), mean=agg.mean("x"))
    kernel.push_all(ROWS)
    return kernel.snapshot()


def test_the_same_windows_go_on() -> None:
    kernel = kernel_of(ops.window(tumbling(10)), mean=agg.mean("x"))
    assert isinstance(kernel, WindowKernel)
    kernel.restore(saved())
    assert [row["mean"] for row in kernel.flush()] == [2.0, 2.0]


@pytest.mark.parametrize(
    ("windows", "keyed", "aggregates", "words"),
    [
        (ops.window(tumbling(10)), True, {"mean": agg.sum("x")}, "sum"),
        (ops.window(tumbling(10)), True, {"average": agg.mean("x")}, "average"),
        (ops.window(tumbling(10)), False, {"mean": agg.mean("x")}, "mean"),
        (ops.window(tumbling(20)), True, {"mean": agg.mean("x")}, "20"),
        (ops.window(tumbling(10, origin=3)), True, {"mean": agg.mean("x")}, "origin=3"),
        (ops.window(tumbling(10), emit=on_update()), True, {"mean": agg.mean("x")}, "Update"),
    ],
    ids=["aggregate", "name", "key", "size", "origin", "emission"],
)
def test_other_windows_are_refused_by_name(
    windows: Windowed[Any], *, keyed: bool, aggregates: dict[str, Aggregate], words: str
) -> None:
    kernel = kernel_of(windows, keyed=keyed, **aggregates)
    with pytest.raises(CheckpointError, match=r"mean=mean\('x'\) over tumbling\(10\) by k") as told:
        kernel.restore(saved())
    assert words in str(told.value)
