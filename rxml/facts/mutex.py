"""Mutex: one thread at a time, and who waits comes before who was just there."""

from __future__ import annotations

from threading import Lock


class Mutex:
    """A lock for which a thread that lets go of it and wants it again has to queue behind one that waits.

    `threading.Lock` gives no such promise: long work in small steps would keep all others out. Not reentrant.
    """

    __slots__ = ("_inside", "_turn")

    def __init__(self) -> None:
        self._turn = Lock()
        self._inside = Lock()

    def __enter__(self) -> None:
        with self._turn:  # who waits inside holds this one, so that nobody passes by
            self._inside.acquire()

    def __exit__(self, *_: object) -> None:
        self._inside.release()
