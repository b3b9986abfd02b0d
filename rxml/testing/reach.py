"""Reach: how many elements results depend on, as far as the model shows; the bound on what may be taken from upstream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rxml.testing.comparing import same

if TYPE_CHECKING:
    from rxml.testing.subject import Subject

_FAR: Final = 9
"""Elements up to which it is asked whether their number alone settles the result."""


def needed(subject: Subject, elements: list[Any]) -> list[int]:
    """For each k, how many elements the first k results take to be known, whatever follows; at least k of them count."""
    final = subject.expected(elements).results
    images = [_images(subject, elements, count) for count in range(len(elements) + 1)]
    needs: list[int] = []
    for k in range(len(final) + 1):
        known = (
            count
            for count, ways in enumerate(images)
            if all(same(way[:k], final[:k]) for way in ways)
        )
        needs.append(max(next(known, len(elements)), min(k, len(elements))))
    return needs


def _images(subject: Subject, elements: list[Any], count: int) -> list[list[Any]]:
    """What becomes of the first elements, when these follow, or others, or nothing."""
    pool = subject.samples()
    further = [elements[count:], [], pool[:6], pool[6:18], *([other] for other in pool[18:22])]
    return [subject.expected(elements[:count] + more).results for more in further]


def enough(subject: Subject, elements: list[Any]) -> int | None:
    """After how many of these elements no other can change the result; None if one might."""
    if subject.model is None or subject.expected(elements).error is not None:
        return None
    final = subject.expected(elements).results
    for count in range(len(elements)):
        further = [[], elements[count:], *_others(subject)]
        if _settled(subject, elements[:count], final, further):
            return count
    return None


def suffices(subject: Subject) -> int | None:
    """After how many elements, whichever they are, nothing changes the result any more, as for `take`; None if never."""
    if subject.model is None:
        return None
    if not subject.sufficient:
        subject.sufficient.append(_suffices(subject))
    return subject.sufficient[0]


def _suffices(subject: Subject) -> int | None:
    pool = subject.samples()
    others = _others(subject)
    for count in range(1, _FAR):
        starts = [pool[at : at + count] for at in range(0, len(pool) - count, count)]
        starts += [[element] * count for element in pool[::5]]
        finals = [subject.expected(start) for start in starts]
        if any(final.error is not None or not final.results for final in finals):
            continue
        pairs = zip(starts, finals, strict=True)
        if all(_settled(subject, start, final.results, others) for start, final in pairs):
            return count
    return None


def _others(subject: Subject) -> list[list[Any]]:
    """What might come: all samples at once, and each by itself."""
    pool = subject.samples()
    return [pool, *([element] for element in pool)]


def _settled(
    subject: Subject, known: list[Any], final: list[Any], further: list[list[Any]]
) -> bool:
    return all(same(subject.expected(known + more).results, final) for more in further)
