"""Categorical: one of K classes a row, by their probabilities, with the evidence for them where it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, Self

import numpy as np
from typing_extensions import override

from rxml.errors import DistributionError
from rxml.uncertain.bernoulli import Bernoulli
from rxml.uncertain.checks import (
    QUIET,
    Floats,
    floats,
    read_only,
    require,
    require_probabilities,
    require_sum,
    rows_text,
    shares,
    summed,
)
from rxml.uncertain.rows import Rows
from rxml.uncertain.special import log_softmax

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray


_ROUNDING: Final = 1e-12


class Categorical(Rows):  # noqa: PLW1641 - == gives a probability, so no table can hold it
    """One of K classes a row. Log probabilities are held, so that no class is lost to rounding.

    Args:
        p: probabilities, shape (N, K), or (K,) for a scalar; each row adds up to 1.
        classes: the K classes, numbers or text; 0 to K - 1 if none are given.

    Raises:
        DistributionError: naming the rows with a value outside [0, 1] or another sum, or classes of another number.
    """

    __slots__ = ("_classes", "_evidence", "_logp")

    kind: str = "categorical"
    axes: ClassVar[Mapping[str, int | None]] = {"logp": 0, "evidence": 0, "classes": None}

    _logp: Floats
    _evidence: Floats | None
    _classes: NDArray[Any]

    def __init__(self, p: ArrayLike, classes: Sequence[Any] | NDArray[Any] | None = None) -> None:
        probabilities = _events(floats("p", p))
        require_probabilities(probabilities)
        require_sum(probabilities)
        with np.errstate(divide="ignore"):
            self._logp = read_only(np.log(probabilities))
        self._evidence = None
        self._classes = _named(classes, probabilities.shape[-1])

    @classmethod
    def of_logits(
        cls, logits: ArrayLike, classes: Sequence[Any] | NDArray[Any] | None = None
    ) -> Self:
        """Probabilities in proportion to exp(logits), shape (N, K) or (K,).

        Raises:
            DistributionError: naming the rows where one is NaN or +inf, or all are -inf.
        """
        values = _events(floats("logits", logits))
        fine = (values < np.inf).all(axis=-1) & (values > -np.inf).any(axis=-1)
        require(fine, "logits are below inf, and one is above -inf", values)
        named = _named(classes, values.shape[-1])
        return cls.adopt(logp=log_softmax(values, axis=-1), evidence=None, classes=named)

    @classmethod
    def of_counts(
        cls, alpha: ArrayLike, classes: Sequence[Any] | NDArray[Any] | None = None
    ) -> Self:
        """The mean of a Dirichlet distribution, its sum kept as evidence; alpha above 0, shape (N, K) or (K,).

        Raises:
            DistributionError: naming the rows where one is not above 0 and finite.
        """
        counts = _events(floats("alpha", alpha))
        require(
            ((counts > 0) & np.isfinite(counts)).all(axis=-1), "alpha is above 0 and finite", counts
        )
        total = summed(counts)
        logp = np.log(counts) - np.log(total)[..., None]
        return cls.adopt(logp=logp, evidence=total, classes=_named(classes, counts.shape[-1]))

    @classmethod
    @override
    def checked(cls, **parameters: Any) -> Self:
        logp, evidence, classes = (parameters[name] for name in cls.axes)
        built = cls.of_logits(logp, classes)
        if evidence is None:
            return built
        fine = evidence.shape == built.shape and bool(
            (evidence > 0).all() and np.isfinite(evidence).all()
        )
        if not fine:
            raise DistributionError(
                f"evidence is above 0 and finite, one a row; got shape {evidence.shape}"
            )
        return cls.adopt(
            logp=built.logp, evidence=floats("evidence", evidence), classes=built.classes
        )

    @property
    @override
    def shape(self) -> tuple[int, ...]:
        return self._logp.shape[:-1]

    @property
    def classes(self) -> NDArray[Any]:
        """The K classes, in the order of the probabilities."""
        return self._classes

    @property
    def logp(self) -> Floats:
        """Log probabilities, shape (N, K)."""
        return self._logp

    @property
    def p(self) -> Floats:
        """Probabilities, shape (N, K)."""
        return shares(self._logp)

    @property
    def evidence(self) -> Floats | None:
        """The sum of the Dirichlet's counts, shape (N,); None where only probabilities are known."""
        return self._evidence

    @override
    def readings(self) -> dict[str, NDArray[Any]]:
        return {"mode": self.mode(), "certainty": self.certainty()}

    def mode(self) -> NDArray[Any]:
        """The likeliest class of each row, shape (N,); the first of several."""
        chosen: NDArray[Any] = self._classes[np.argmax(self._logp, axis=-1)]
        return chosen

    def certainty(self) -> Floats:
        """The probability of the likeliest class, shape (N,)."""
        best: Floats = np.max(self._logp, axis=-1)
        return shares(best)

    def margin(self) -> Floats:
        """How much likelier the first class is than the second, shape (N,)."""
        top = np.sort(self.p, axis=-1)[..., -2:]
        second: Floats | float = top[..., 0] if top.shape[-1] > 1 else 0.0
        gap: Floats = top[..., -1] - second
        return gap

    @QUIET
    def entropy(self) -> Floats:
        """-sum p log p of each row, in nats, shape (N,)."""
        return 0.0 - summed(np.where(np.isneginf(self._logp), 0.0, self.p * self._finite))

    @property
    def _finite(self) -> Floats:
        return np.where(np.isneginf(self._logp), 0.0, self._logp)

    def prob(self, label: object) -> Floats:
        """The probability of one class for each row, shape (N,).

        Args:
            label: one class for all rows, or an array of one a row.

        Raises:
            DistributionError: there is no such class.
        """
        labels = np.asarray(label)
        if not labels.ndim:
            return shares(self._logp[..., self._place(label)])
        if labels.shape != self.shape:
            raise DistributionError(
                f"one class a row, shape {self.shape}, or one for all; got {labels.shape}"
            )
        found = self._classes == labels[:, None]
        missing = np.flatnonzero(~found.any(axis=-1))
        if len(missing):
            known = f"there are {self._classes.tolist()}"
            raise DistributionError(
                f"no class {labels[missing[0]].item()!r} in {rows_text(missing)}: {known}"
            )
        place = np.argmax(found, axis=-1)[:, None]
        return shares(np.take_along_axis(self._logp, place, axis=-1)[:, 0])

    def credible(self, level: float) -> NDArray[np.bool_]:
        """The smallest sets of classes of at least this probability, shape (N, K): true where a class is in it.

        Args:
            level: within (0, 1].

        Raises:
            DistributionError: the level is none.
        """
        if not 0 < level <= 1:
            raise DistributionError(f"the level of a set is within (0, 1]; got {level}")
        order = np.argsort(-self._logp, axis=-1, kind="stable")
        ranked = np.take_along_axis(self.p, order, axis=-1)
        # what rounds must not let one more in, nor what has no probability
        before = np.concatenate([np.zeros((*self.shape, 1)), np.cumsum(ranked, axis=-1)], axis=-1)
        wanted = (before[..., :-1] < level - _ROUNDING) & (ranked > 0)
        inside = np.zeros(self._logp.shape, bool)
        np.put_along_axis(inside, order, wanted, axis=-1)
        return inside

    def _place(self, label: object) -> int:
        found = np.flatnonzero(self._classes == label)
        if not len(found):
            raise DistributionError(f"no class {label!r}: there are {self._classes.tolist()}")
        return int(found[0])

    @override
    def __eq__(self, other: object) -> Any:
        return self._same(other) if isinstance(other, Categorical) else Bernoulli(self.prob(other))

    @override
    def __ne__(self, other: object) -> Any:
        return ~(self == other)

    @QUIET
    def _same(self, other: Categorical) -> Bernoulli:
        if not np.array_equal(self._classes, other._classes):
            raise DistributionError("categoricals of different classes cannot be compared")
        return Bernoulli(
            np.minimum(summed(self.p * other.p), 1.0) if other is not self else np.ones(self.shape)
        )

    def __array_ufunc__(self, ufunc: np.ufunc, *_inputs: Any, **_options: Any) -> NoReturn:
        raise DistributionError(
            f"np.{ufunc.__name__} of a Categorical: its classes are names; use `.p` or `.prob(...)`"
        )


def _events(array: Floats) -> Floats:
    if array.ndim not in {1, 2} or array.shape[-1] < 1:
        raise DistributionError(f"one number a class: want shape (N, K) or (K,), got {array.shape}")
    return array


def _named(classes: Sequence[Any] | NDArray[Any] | None, count: int) -> NDArray[Any]:
    named = np.arange(count) if classes is None else np.asarray(classes)
    if named.shape != (count,) or len(set(named.tolist())) < count:
        raise DistributionError(f"{count} different classes are wanted; got {named.tolist()}")
    return read_only(named)
