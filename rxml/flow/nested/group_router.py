"""GroupRouter: a branch for each key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from rxml.errors import BufferOverflowError
from rxml.flow.nested.routing import Router

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from rxml.flow.nested.branch import Branch
    from rxml.flow.nested.routing import Forks, Limits


class GroupRouter(Router):
    """Opens a branch for each key that comes for the first time, for so many keys at most.

    Keys are remembered until the end, also those of groups that nobody reads any more.
    """

    def __init__(
        self,
        key_mapper: Callable[[Any], Hashable],
        element_mapper: Callable[[Any], Any] | None,
        limits: Limits,
    ) -> None:
        self._key = key_mapper
        self._element = element_mapper
        self._limits = limits
        self._groups: dict[Hashable, Branch] = {}

    @override
    async def route(self, splitter: Forks, element: Any) -> list[tuple[Branch, Any]]:
        key = self._key(element)
        group = self._groups.get(key)
        if group is None:
            most = self._limits.announced
            if len(self._groups) >= most:
                raise BufferOverflowError(
                    f"group_by: {key!r} would be group number {most + 1}, and max_groups is {most} (of "
                    f"{self._limits.capacity} elements each); raise it, or use fewer keys"
                )
            group = self._groups[key] = await splitter.fork(key)
        return [(group, element if self._element is None else self._element(element))]
