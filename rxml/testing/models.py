"""check_model: what every model must hold to, whoever adapted it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml import wire
from rxml.batch import Batch
from rxml.batch.column import is_array
from rxml.errors import RxmlError
from rxml.models.model import Portable
from rxml.testing.comparing import copied, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.models.model import Model

_THREADS: Final = 4


class ModelBroken(RxmlError, AssertionError):  # noqa: N818 - the name of what happened
    """A model does not hold to what every model must; the message says to what, and what was seen."""


def check_model(model: Model, batch: Batch, *, tolerance: float | None = None) -> None:
    """Hold a model to what every model must, whatever library it comes from.

    Row i of what it gives belongs to row i of what went in (L61) and does not depend on the rows beside it (L60), on how
    the columns lie in memory, on their order, or on columns that it does not want; the same rows give the same answer,
    from several threads too; no rows give no rows; narrower numbers are taken; a hole in one row harms no other; what its
    recipe makes gives the same.

    Args:
        model: under test.
        batch: rows that it answers, 3 at least, all different.
        tolerance: how much of the largest number in an output the rows beside a row may change in its own; 0 for not a bit.
            None: the model's own `tolerance`, or 0.

    Raises:
        ModelBroken: it does not hold to one of them.
        ValueError: there are fewer than 3 rows.
    """
    if len(batch) < 3:
        raise ValueError(f"check_model wants 3 rows at least, got {len(batch)}")
    allowed = getattr(model, "tolerance", 0.0) if tolerance is None else tolerance
    subject = _Subject(model, batch.select(*model.signature.inputs), allowed)
    for check in _CHECKS:
        check(subject)


class _Subject:
    def __init__(self, model: Model, batch: Batch, tolerance: float) -> None:
        reason = model.signature.refusal(batch.schema)
        _require(reason is None, "signature", f"it refuses the rows: {reason}")
        self.model: Model = model
        self.batch: Batch = batch
        self.tolerance: float = tolerance
        before = copied(dict(batch.columns))
        self.answer: Batch = self.ask(batch, "answer")
        _require(
            same(dict(batch.columns), before), "inputs", "it wrote to the columns it was given"
        )

    def ask(self, batch: Batch, what: str) -> Batch:
        try:
            return self.model.signature.conformed(self.model.predict(batch), len(batch))
        except Exception as error:
            raise ModelBroken(f"{what}: {type(error).__name__}: {error}") from error

    def expect(self, rows: Batch, got: Batch, what: str) -> None:
        """Compare with what the answer says of the rows."""
        for name, wanted in rows.columns.items():
            found, whole = got.columns[name], self.answer.columns[name]
            if not _near(wanted, found, self.tolerance * _largest(whole)):
                raise ModelBroken(
                    f"{what}: output {name!r} is {_shown(found)}, it was {_shown(wanted)} (tolerance {self.tolerance})"
                )


def _repeats(subject: _Subject) -> None:
    again = subject.ask(subject.batch, "again")
    subject.expect(subject.answer, again, "the same rows again")


def _rows_stand_alone(subject: _Subject) -> None:
    batch, answer = subject.batch, subject.answer
    count = len(batch)
    for size in {1, 2, 3, count // 2}:
        for start in range(0, count, max(size, count // 8)):
            cut = slice(start, start + size)
            got = subject.ask(batch[cut], "L60")
            subject.expect(answer[cut], got, f"L60: rows {start} to {start + size - 1} alone")
    twice = np.arange(2 * count) % count
    subject.expect(answer.take(twice), subject.ask(batch.take(twice), "L60"), "L60: rows twice")


def _rows_are_aligned(subject: _Subject) -> None:
    for what, order in (
        ("in reverse", np.arange(len(subject.batch))[::-1]),
        ("in another order", np.random.default_rng(0).permutation(len(subject.batch))),
    ):
        got = subject.ask(subject.batch.take(order), "L61")
        subject.expect(subject.answer.take(order), got, f"L61: rows {what}")


def _memory_does_not_matter(subject: _Subject) -> None:
    columns = subject.batch.columns
    spread: dict[str, Any] = {}
    for name, column in columns.items():
        wide = np.repeat(np.asarray(column), 3, axis=0)
        spread[name] = wide[1::3]
    got = subject.ask(Batch(spread), "layout")
    subject.expect(subject.answer, got, "columns that lie otherwise in memory")


def _other_columns_do_not_matter(subject: _Subject) -> None:
    backwards = dict(reversed(list(subject.batch.columns.items())))
    more = Batch({"unwanted": np.zeros(len(subject.batch)), **backwards})
    got = subject.ask(more, "columns")
    subject.expect(subject.answer, got, "columns in another order, with one more")


def _nothing_gives_nothing(subject: _Subject) -> None:
    subject.ask(subject.batch[:0], "no rows")


def _narrower_numbers_are_taken(subject: _Subject) -> None:
    narrow: dict[str, Any] = dict(subject.batch.columns)
    for name, field in subject.model.signature.inputs.items():
        if field.dtype == np.float64:
            narrow[name] = np.asarray(narrow[name]).astype(np.float32)
    wide = {name: np.asarray(column, column.dtype) for name, column in narrow.items()}
    for name, field in subject.model.signature.inputs.items():
        wide[name] = wide[name].astype(field.dtype)
    wanted = subject.ask(Batch(wide), "narrow")
    got = subject.ask(Batch(narrow), "narrow")
    subject.expect(wanted, got, "inputs of float32 where float64 is wanted")


def _holes_harm_no_other(subject: _Subject) -> None:
    for name, field in subject.model.signature.inputs.items():
        if field.dtype.kind != "f":
            continue
        column = np.array(subject.batch[name])
        column[1] = np.nan
        got = _attempt(subject.model, subject.batch.with_columns({name: column}))
        if got is not None:
            others = np.delete(np.arange(len(subject.batch)), 1)
            what = f"NaN as {name!r} of row 1 changed another row"
            subject.expect(subject.answer.take(others), got.take(others), what)


def _attempt(model: Model, batch: Batch) -> Batch | None:
    try:
        return model.predict(batch)
    except Exception:  # noqa: BLE001 - it may refuse, and then rows are asked for one by one
        return None


def _threads_do_not_matter(subject: _Subject) -> None:
    with ThreadPoolExecutor(_THREADS) as pool:
        asked = [pool.submit(subject.ask, subject.batch, "threads") for _ in range(4 * _THREADS)]
        for each in asked:
            subject.expect(subject.answer, each.result(), "asked by several threads")


def _digest_is_one(subject: _Subject) -> None:
    digest = subject.model.digest
    algorithm, _, number = digest.partition(":")
    fits = algorithm == "sha256" and len(number) == 64 and set(number) <= set("0123456789abcdef")
    _require(not digest or fits, "digest", f"{digest!r} is neither sha256:<64 digits> nor empty")
    _require(subject.model.digest == digest, "digest", "it changes")


def _recipes_make_it_again(subject: _Subject) -> None:
    model = subject.model
    if not isinstance(model, Portable):
        return
    try:
        recipe = model.recipe()
    except RxmlError:
        return
    module, _, name = recipe.loader.partition(":")
    loader: Callable[..., Model] = getattr(import_module(module), name)
    made = loader(*wire.loads(wire.dumps(list(recipe.arguments))))
    _require(made.signature == model.signature, "recipe", f"it makes one of {made.signature}")
    _require(made.digest == model.digest, "recipe", f"it makes one of digest {made.digest!r}")
    subject.expect(subject.answer, made.predict(subject.batch), "what its recipe makes")


_CHECKS: Final[tuple[Callable[[_Subject], None], ...]] = (
    _repeats,
    _rows_stand_alone,
    _rows_are_aligned,
    _memory_does_not_matter,
    _other_columns_do_not_matter,
    _nothing_gives_nothing,
    _narrower_numbers_are_taken,
    _holes_harm_no_other,
    _threads_do_not_matter,
    _digest_is_one,
    _recipes_make_it_again,
)


def _require(holds: bool, what: str, otherwise: str) -> None:  # noqa: FBT001 - it reads as a sentence
    if not holds:
        raise ModelBroken(f"{what}: {otherwise}")


def _largest(column: Any) -> float:
    if not is_array(column) or column.dtype.kind not in "fc":
        return 0.0
    finite = np.abs(column[np.isfinite(column)])
    return float(finite.max()) if finite.size else 0.0


def _near(wanted: Any, found: Any, reach: float) -> bool:
    if not is_array(wanted):
        return bool(wanted.equals(found))
    if reach and wanted.dtype.kind in "fc":
        return bool(np.allclose(wanted, found, rtol=0.0, atol=reach, equal_nan=True))
    return bool(np.array_equal(wanted, found, equal_nan=wanted.dtype.kind in "fcmM"))


def _shown(column: Any) -> str:
    return np.array2string(np.asarray(column), threshold=6, precision=17)
