"""Asking: models that are all asked about an element, and what they said put beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.batch.row import Row
from rxml.errors import SchemaError
from rxml.flow.guarding.panel import Panel
from rxml.learning.label import Label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.flow.guarding.standing import Call


class Asking:
    """From an element to one with the answer of each model, None of one that is late or has failed; labels pass.

    Args:
        models: by the names of the columns that their answers come to.
        seconds: that they have.
    """

    __slots__ = ("_names", "_panel")

    def __init__(self, models: Mapping[str, Call], seconds: float) -> None:
        self._names = tuple(models)
        self._panel = Panel(models, 0, seconds, None)

    async def __call__(self, item: Any) -> Any:
        """Ask all about an element.

        Raises:
            SchemaError: it is no mapping, so that there is no place for answers.
        """
        if isinstance(item, Label):
            return item
        if not hasattr(item, "keys"):
            text = f"an element is a {type(item).__name__}"
            raise SchemaError(
                f"{text}: to have answers put beside it, it must be a mapping or a row"
            )
        answers = (await self._panel(item)).answers
        wide = {**item, **{name: answers.get(name) for name in self._names}}
        return Row({name: place for place, name in enumerate(wide)}, tuple(wide.values()))
