"""Losses: how far what members said was from what came, each by itself, and by what share it made the pool worse."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rxml.errors import SchemaError
from rxml.evaluation.scores import (
    brier_score,
    crps_normal,
    crps_quantile,
    log_loss,
    logs_normal,
    squared_error,
)
from rxml.learning.parts import classes_of, finite
from rxml.uncertain.pooling.forms import Choices, Events, Levels, Normals
from rxml.uncertain.pooling.stacking import crps_gradient, log_gradient, squared_gradient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.uncertain.pooling.forms import Form

Floats: TypeAlias = NDArray[np.float64]
Loss: TypeAlias = Literal["crps", "log", "squared", "pinball"] | Callable[[Floats, Any], Any]
Losses: TypeAlias = Callable[[Floats, Floats], Floats]
Gradient: TypeAlias = Callable[[Floats, Floats, Floats], Floats]

NAMES: Final = ("crps", "log", "squared", "pinball")

_LEAST: Final = log(1e-15)


def truths_of(form: Form, values: Sequence[Any]) -> Floats:
    """Labels as numbers; classes as their places.

    Raises:
        SchemaError: a label is none that such predictions can have.
    """
    if isinstance(form, Choices):
        return classes_of(values, form.classes.tolist(), form.width)
    found = finite(values)
    if isinstance(form, Events) and not np.isin(found, (0.0, 1.0)).all():
        raise SchemaError("a label of an event is to be true or false, 1 or 0")
    return found


def losses_of(form: Form, loss: Loss) -> Losses:
    """From what members said, (n, K, width), and what came, (n,), to losses, (n, K), NaN for who slept.

    Raises:
        SchemaError: there is no such loss of such predictions.
    """
    if callable(loss):
        return lambda told, truths: _called(form, loss, told, truths)
    found = _LOSSES.get((type(form), loss))
    if found is None:
        known = [name for kind, name in _LOSSES if kind is type(form)]
        text = f"predictions are {type(form).__name__.lower()}, whose loss is one of {', '.join(known)}"
        raise SchemaError(f"{text}, or a function; got {loss!r}")
    return lambda told, truths: found(form, told, truths)


def gradient_of(form: Form, loss: Loss) -> Gradient:
    """From what members said, the weights in use and what came to the gradient of the pool's loss, (n, K).

    Raises:
        SchemaError: there is none for such a loss of such predictions.
    """
    if loss == "log":
        each = losses_of(form, loss)
        return lambda told, weights, truths: log_gradient(-each(told, truths), weights)
    if isinstance(form, Normals | Events) and loss == "squared":
        return lambda told, weights, truths: squared_gradient(told[:, :, 0], weights, truths)
    if isinstance(form, Normals) and loss == "crps":
        return lambda told, weights, truths: crps_gradient(
            told[:, :, 0], told[:, :, 1], weights, truths
        )
    text = f"predictions are {type(form).__name__.lower()}"
    raise SchemaError(f"{text}, and there is no stacking of these by the loss {loss!r}")


def usual_loss(form: Form, *, bounded: bool) -> Loss:
    """The loss that suits such predictions.

    Args:
        form: of the predictions.
        bounded: whether it is to have an end.
    """
    if isinstance(form, Normals | Levels):
        return "crps"
    return "squared" if bounded else "log"


def require_scorable(form: Form, loss: Loss, told: Floats) -> None:
    """Refuse what has no such loss.

    Raises:
        SchemaError: the log loss of a number, which is no density.
    """
    if loss == "log" and isinstance(form, Normals):
        sure = np.equal(told[:, :, 1], 0.0) & ~np.isnan(told[:, :, 0])
        facts: list[int] = np.unique(np.nonzero(sure)[0]).tolist()
        if facts:
            text = f"rows {facts[:5]} have a prediction without variance"
            raise SchemaError(f"{text}, which has no density: use the loss 'crps' or 'squared'")


def _called(form: Form, loss: Callable[[Floats, Any], Any], told: Floats, truths: Floats) -> Floats:
    lost = np.full(told.shape[:2], np.nan)
    for member in range(told.shape[1]):
        rows = np.flatnonzero(~np.isnan(told[:, member]).any(axis=1))
        if len(rows):
            lost[rows, member] = loss(truths[rows], form.column(told[rows, member]))
    return lost


def _crps(_form: Form, told: Floats, y: Floats) -> Floats:
    return crps_normal(y[:, None], told[:, :, 0], np.sqrt(told[:, :, 1]))


def _density(_form: Form, told: Floats, y: Floats) -> Floats:
    var = np.where(np.isnan(told[:, :, 0]), 1.0, told[:, :, 1])
    return logs_normal(y[:, None], told[:, :, 0], np.sqrt(var))


def _squared(_form: Form, told: Floats, y: Floats) -> Floats:
    return squared_error(y[:, None], told[:, :, 0])


def _quantiles(form: Any, told: Floats, y: Floats) -> Floats:
    return crps_quantile(y[:, None], told, form.taus)


def _pinball(form: Any, told: Floats, y: Floats) -> Floats:
    return _quantiles(form, told, y) / 2


def _middle(told: Floats) -> Floats:
    return (told[:, :, 0] + told[:, :, 1]) / 2


def _event_log(_form: Form, told: Floats, y: Floats) -> Floats:
    return log_loss(y[:, None], _middle(told))


def _event_squared(_form: Form, told: Floats, y: Floats) -> Floats:
    return brier_score(y[:, None], _middle(told))


def _choice_log(_form: Form, told: Floats, y: Floats) -> Floats:
    place = np.broadcast_to(y.astype(np.intp)[:, None, None], (*told.shape[:2], 1))
    return -np.maximum(np.take_along_axis(told, place, axis=2)[:, :, 0], _LEAST)


def _choice_squared(_form: Form, told: Floats, y: Floats) -> Floats:
    places = np.arange(told.shape[2], dtype=np.float64)
    came: NDArray[np.bool_] = np.equal(y[:, None], places)
    with np.errstate(under="ignore"):
        away: Floats = np.square(np.exp(told) - came[:, None, :]).sum(axis=2)
    return away


_LOSSES: Final[dict[tuple[type[Form], str], Callable[[Form, Floats, Floats], Floats]]] = {
    (Normals, "crps"): _crps,
    (Normals, "log"): _density,
    (Normals, "squared"): _squared,
    (Levels, "crps"): _quantiles,
    (Levels, "pinball"): _pinball,
    (Events, "log"): _event_log,
    (Events, "squared"): _event_squared,
    (Events, "crps"): _event_squared,
    (Choices, "log"): _choice_log,
    (Choices, "squared"): _choice_squared,
}
