"""Metrics of the same rows, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.evaluation.metrics.named import named

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from rxml.evaluation.metrics.bounds import Bounds
    from rxml.evaluation.metrics.metric import Metric
    from rxml.evaluation.metrics.rows import Slots
    from rxml.uncertain.checks import Floats


class Metrics:
    """Metrics that are told the same columns, and tell their values together.

    Each leaves out the rows that lack one of its own columns.

    Args:
        names: as `NAMES` has them, as "accuracy", "macro_f1", "log_loss", "crps".
        labels: the classes, for those of labels or their probabilities; of two the second is the positive one.
        fading: by what weights are multiplied when a row comes, in (0, 1].
        window: how many last rows count, at least 1; not with `fading`.
        more: metrics of your own, by their names; they remember as they are set.

    Raises:
        ValueError: there is none, a name is unknown or given twice, or an argument is outside its bounds.

    Examples:
        >>> metrics = Metrics("accuracy", "f1")
        >>> metrics.needs
        ('truth', 'prediction')
        >>> metrics.update({"truth": [True, False, True], "prediction": [True, True, None]})
        >>> {name: value.tolist() for name, value in metrics.values().items()}
        {'accuracy': [0.5], 'f1': [0.6666666666666666]}
    """

    def __init__(
        self,
        *names: str,
        labels: Sequence[Hashable] = (False, True),
        fading: float | None = None,
        window: int | None = None,
        **more: Metric[Any],
    ) -> None:
        remembering = {"fading": fading, "window": window}
        self._metrics = {name: named(name, labels, remembering) for name in names} | more
        if not self._metrics or len(self._metrics) < len(names) + len(more):
            raise ValueError(f"Metrics wants names that differ, got {[*names, *more]}")

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns that they need, together."""
        return tuple(
            dict.fromkeys(each for metric in self._metrics.values() for each in metric.needs)
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Of all of them."""
        return tuple(self._metrics)

    def __getitem__(self, name: str) -> Metric[Any]:
        return self._metrics[name]

    @property
    def slots(self) -> int:
        """How many there are: 1 at first."""
        return next(iter(self._metrics.values())).slots

    def grow(self, slots: int) -> None:
        """Have at least so many slots; new ones without rows."""
        for metric in self._metrics.values():
            metric.grow(slots)

    def forget(self, slots: Slots) -> None:
        """Have no rows in these slots, which are given to others."""
        for metric in self._metrics.values():
            metric.forget(slots)

    def update(self, columns: Mapping[str, Any], slots: Slots | None = None) -> None:
        """Take rows in, in order: by all metrics, or by none if one cannot.

        Args:
            columns: those that are needed, each (n,), probabilities of K classes (n, K), or one for all rows; others
                are not looked at.
            slots: of each row, (n,); they may repeat. All of slot 0 if not given.

        Raises:
            ValueError: a column is missing, they are of different lengths, or there is no such slot.
            DistributionError: a row is none that can be judged.
        """
        missing = [name for name in self.needs if name not in columns]
        if missing:
            raise ValueError(
                f"{', '.join(self.names)} want columns {', '.join(self.needs)}, got none of {', '.join(missing)}"
            )
        ready = [
            (metric, metric.prepared(*(columns[name] for name in metric.needs), slots=slots))
            for metric in self._metrics.values()
        ]
        for metric, rows in ready:
            metric.take(rows)

    def values(self, slots: Slots | None = None) -> dict[str, Floats]:
        """What each is now, for each of the slots or for all, (k,)."""
        return {name: metric.value(slots) for name, metric in self._metrics.items()}

    def intervals(self, level: float = 0.95, slots: Slots | None = None) -> dict[str, Bounds]:
        """Lower and upper bounds of each, (k,); see `Metric.interval`.

        Raises:
            ValueError: the level is not between 0 and 1.
        """
        return {name: metric.interval(level, slots) for name, metric in self._metrics.items()}

    def merge(self, other: Metrics) -> None:
        """Have the rows of the other, which is set alike, too, slot by slot.

        Raises:
            ValueError: it is set otherwise, or one is of the last rows only; none is merged then.
        """
        self._require_alike("the other has", other.names)
        for name, metric in self._metrics.items():
            metric.require_mergeable(other[name])
        for name, metric in self._metrics.items():
            metric.merge(other[name])

    def snapshot(self) -> dict[str, Any]:
        """Their states: plain values and copies of arrays."""
        return {name: metric.snapshot() for name, metric in self._metrics.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Be as when the snapshot was taken.

        Raises:
            ValueError: it is of metrics that are set otherwise.
        """
        self._require_alike("the snapshot has", tuple(state))
        for name, metric in self._metrics.items():
            metric.restore(state[name])

    def _require_alike(self, who: str, names: tuple[str, ...]) -> None:
        if set(names) != set(self.names):
            raise ValueError(f"{who} {', '.join(names)}, these are {', '.join(self.names)}")
