"""Supervision trees: children that are started anew when they fail, and elements that outlive them.

>>> from functools import partial
>>> from rxml.supervising import Mailbox, Supervised, SupervisionTree
>>> from rxml.testing.virtual_time import run
>>> written, bad = [], iter([True, False, True, False, False])
>>> async def write(vote):
...     if next(bad):
...         raise OSError("the disk is busy")
...     written.append(vote)
>>> async def main():
...     votes = Mailbox()
...     async with SupervisionTree(Supervised(partial(votes.feed, write), name="writer")):
...         for vote in "abc":
...             await votes.put(vote)
...         await votes.drained()
>>> run(main())
>>> written
['a', 'b', 'c']
"""

from __future__ import annotations

from rxml.flow.supervising.happening import Happening
from rxml.flow.supervising.mailbox import Mailbox
from rxml.flow.supervising.news import News
from rxml.flow.supervising.supervised import Supervised
from rxml.flow.supervising.tree import SupervisionTree

__all__ = ["Happening", "Mailbox", "News", "Supervised", "SupervisionTree"]
