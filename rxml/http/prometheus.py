"""Families of samples, and the text in which Prometheus reads them. Pure.

The format is version 0.0.4 of https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations
from math import inf, isnan
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One number of a family."""

    labels: Mapping[str, str]
    value: float
    suffix: str = ""
    """Of the name: `_bucket`, `_sum`, `_count`."""


class Family(msgspec.Struct, frozen=True, array_like=True):
    """All samples of one name."""

    name: str
    kind: str
    """`counter`, `gauge` or `histogram`."""
    text: str
    samples: list[Sample]


class Histogram:
    """Counts by size, and their sum.

    Args:
        bounds: upper ends of the buckets, rising; one without an end comes behind them.
    """

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self._counts)

    def samples(self, labels: Mapping[str, str]) -> Iterable[Sample]:
        """Its buckets, sum and count."""
        total = 0
        for bound, count in zip((*self._bounds, inf), self._counts, strict=True):
            total += count
            yield Sample({**labels, "le": number(bound)}, total, "_bucket")
        yield Sample(labels, self._sum, "_sum")
        yield Sample(labels, total, "_count")


def require_name(name: str) -> None:
    """Refuse what is no name of a metric.

    Raises:
        ValueError: it is none.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"a metric is named by letters, digits, _ and :, got {name!r}")


def require_labels(labels: Iterable[str]) -> None:
    """Refuse what are no names of labels.

    Raises:
        ValueError: one is none.
    """
    for name in labels:
        if not _LABEL.fullmatch(name) or name.startswith("__"):
            raise ValueError(f"a label is named by letters, digits and _, got {name!r}")


def number(value: float) -> str:
    """A number as Prometheus reads it."""
    if isnan(value):
        return "NaN"
    if value in (inf, -inf):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(float(value))


def render(families: Iterable[Family]) -> str:
    """The families as text, each once, by name."""
    return "".join(
        line for family in sorted(families, key=lambda each: each.name) for line in _lines(family)
    )


def merged(parts: Mapping[str, Sequence[Family]], label: str) -> list[Family]:
    """The families of several sources as one, each sample with the name of its source as a label.

    Args:
        parts: by the name of the source.
        label: what that name is called.
    """
    found: dict[str, Family] = {}
    for source, families in parts.items():
        for each in families:
            family = found.setdefault(each.name, Family(each.name, each.kind, each.text, []))
            family.samples.extend(
                Sample({**sample.labels, label: source}, sample.value, sample.suffix)
                for sample in each.samples
            )
    return list(found.values())


def _lines(family: Family) -> Iterable[str]:
    text = family.text.replace("\\", "\\\\").replace("\n", "\\n")
    yield f"# HELP {family.name} {text}\n# TYPE {family.name} {family.kind}\n"
    for sample in family.samples:
        yield f"{family.name}{sample.suffix}{_labels(sample.labels)} {number(sample.value)}\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    clean = value.encode(errors="replace").decode()
    return clean.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
