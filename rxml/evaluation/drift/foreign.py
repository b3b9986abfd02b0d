"""RiverDetector: a drift detector of River, in the place of one of ours."""

from __future__ import annotations

from collections import deque
from importlib import import_module
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.evaluation.drift.detector import DriftDetector, require

if TYPE_CHECKING:
    from collections.abc import Mapping


class RiverDetector(DriftDetector):
    """Any drift detector of River (`pip install rxml[river]`): EDDM, FHDDM, HDDMA, HDDMW, ...

    What River's objects know cannot be saved as plain data. So the numbers since the last change are kept, the
    newest `memory` of them, and `restore` makes a new detector and gives it these again. That is exactly the
    state, if it is deterministic (give a seed) and there were no more numbers than that since the change;
    otherwise it is the state of a detector that began `memory` numbers ago.

    Args:
        name: of the class in `river.drift` or `river.drift.binary`.
        memory: numbers that are kept, >= 1.
        params: arguments of the class.

    Raises:
        ImportError: River is not installed.
        ValueError: it has no such detector, or memory is below 1.
    """

    name: str
    memory: int

    def __init__(self, name: str, *, memory: int = 10_000, **params: Any) -> None:
        require("memory", memory, good=memory >= 1, wanted="at least 1")
        self.name = name
        self.memory = memory
        self._class = _river_class(name)
        self._params = params
        self._numbers: deque[float] = deque(maxlen=memory)
        super().__init__()

    @property
    def inner(self) -> Any:
        """The detector of River, for what it has besides."""
        return self._inner

    @override
    def _begin(self) -> None:
        self._numbers.clear()
        self._inner = self._class(**self._params)

    @override
    def _take(self, x: float) -> bool:
        self._numbers.append(x)
        self._inner.update(x)
        return bool(self._inner.drift_detected)

    @override
    def snapshot(self) -> dict[str, Any]:
        return {**super().snapshot(), "numbers": list(self._numbers)}

    @override
    def restore(self, state: Mapping[str, Any]) -> None:
        if "numbers" not in state:
            raise ValueError(f"the state has no 'numbers'; it has: {sorted(map(str, state))}")
        super().restore(state)
        self._begin()
        for each in state["numbers"]:
            self._take(each)


def _river_class(name: str) -> Any:
    try:
        drift = import_module("river.drift")
    except ImportError as error:
        raise ImportError("RiverDetector wants River: pip install rxml[river]") from error
    found = getattr(drift, name, None) or getattr(drift.binary, name, None)
    if found is None or not hasattr(found, "update"):
        every = {*drift.__all__, *drift.binary.__all__}
        names = sorted(name for name in every if name[0].isupper())
        raise ValueError(f"name is {name!r}: give a detector of river.drift, one of {names}")
    return found
