"""State and contexts: what an operator remembers can be saved, and what travels beside an element stays with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st

from rxml import wire
from rxml.flow.chunk import Chunk
from rxml.flow.kernel import Chunkwise, Columns
from rxml.flow.node import Cardinality, KernelSpec, MarkSpec
from rxml.testing.comparing import beyond, same
from rxml.testing.law import law
from rxml.testing.script import Barrier, End, Watermark
from rxml.testing.strategies import LONG_AGO
from rxml.testing.timeline import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.flow.kernel import Kernel
    from rxml.testing.plan import Play
    from rxml.testing.script import Step
    from rxml.testing.subject import Subject
    from rxml.testing.trial import Trial


def _synchronous(subject: Subject) -> bool:
    return not subject.columns and bool(_fed_kernels(subject, []))


def _fed_kernels(subject: Subject, elements: list[Any]) -> list[tuple[KernelSpec, list[Any]]]:
    """The kernels that the operator begins with, each with what it is given when these elements come."""
    found: list[tuple[KernelSpec, list[Any]]] = []
    for node in subject.nodes():
        if isinstance(node.spec, MarkSpec):
            continue
        if not isinstance(node.spec, KernelSpec) or node.spec.columns or len(node.sources) != 1:
            break
        kernel: Kernel[Any, Any] = node.spec.kernel()
        if isinstance(kernel, Columns):
            break
        found.append((node.spec, elements))
        elements, _ = _fed(kernel, elements, last=True)
    return found


def _timeless(subject: Subject) -> bool:
    return not subject.rate


def _aligned(subject: Subject) -> bool:
    return subject.cardinality in {Cardinality.ONE, Cardinality.AT_MOST_ONE}


@law("L58", when=_synchronous, effort=0.8)
def snapshot(trial: Trial) -> None:
    """A kernel restored from a snapshot goes on as the one that was saved would have."""
    _gone_on(trial, lambda state: state)


@law("L59", when=_synchronous, effort=0.8)
def portable_state(trial: Trial) -> None:
    """A snapshot is plain values and arrays: it survives the wire, which is msgpack."""
    _gone_on(trial, _through_the_wire)


def _through_the_wire(value: Any) -> Any:
    return wire.loads(wire.dumps(value))


def _gone_on(trial: Trial, carried: Callable[[Any], Any]) -> None:
    """Cut a run of each kernel in two, carry the state over, and compare with a run in one."""
    for spec, elements in _fed_kernels(trial.subject, trial.elements()):
        _one_gone_on(trial, spec, elements, carried)


def _one_gone_on(
    trial: Trial, spec: KernelSpec, elements: list[Any], carried: Callable[[Any], Any]
) -> None:
    at = trial.draw(st.integers(0, len(elements)))
    one: Kernel[Any, Any] = spec.kernel()
    begun, error = _fed(one, elements[:at], last=False)
    if error is not None:
        return
    try:
        state = carried(one.snapshot())
    except (TypeError, ValueError, OverflowError) as refused:
        if _packs(elements):
            message = (
                f"{spec.name}: after {elements[:at]} its snapshot is {one.snapshot()!r}: {refused}"
            )
            raise trial.broken(message) from None
        return
    rest, error = _fed(one, elements[at:], last=True)
    other: Kernel[Any, Any] = spec.kernel()
    if state is not None:
        other.restore(state)
    again, error_again = _fed(other, elements[at:], last=True)
    if not same(rest, again) or not same(error, error_again):
        raise trial.broken(
            f"{spec.name}: after {elements[:at]} came {begun}; then {elements[at:]} made {rest} ({error!r}),"
            f" but {again} ({error_again!r}) when restored from {state!r}"
        )


def _packs(elements: list[Any]) -> bool:
    try:
        return same(_through_the_wire(elements), elements)
    except (TypeError, ValueError, OverflowError):
        return False


def _fed(
    kernel: Kernel[Any, Any], elements: list[Any], *, last: bool
) -> tuple[list[Any], Exception | None]:
    """What a kernel makes of elements, and of the end if they are the last."""
    out: list[Any] = []
    try:
        if not kernel.finished and elements:
            _push(kernel, elements, out)
        if last:
            out.extend(kernel.flush())
    except Exception as error:  # noqa: BLE001 - compared
        return out, error
    return out, None


def _push(kernel: Kernel[Any, Any], elements: list[Any], out: list[Any]) -> None:
    if isinstance(kernel, Chunkwise):
        out.extend(kernel.push_all(elements))
    else:
        kernel.push(iter(elements), out)


@law("L61", when=_aligned, effort=0.7)
def alignment(trial: Trial) -> None:
    """The context of an element stays with what it becomes, and as many come out as are declared."""
    plan = trial.plan(ending=trial.ending(), late=True).but(contexts=True)
    play = trial.play(plan)
    if trial.subject.rate:
        return
    if None in play.contexts:
        raise trial.broken(f"results came without contexts: {play.contexts}")
    numbers = [int(context.fact_id or 0) for context in play.contexts if context is not None]
    if trial.subject.cardinality is Cardinality.ONE:
        _one_each(trial, play, numbers)
    else:
        _one_at_most(trial, play, numbers)


def _one_each(trial: Trial, play: Play, numbers: list[int]) -> None:
    wanted = list(range(len(numbers)))
    if play.ended and len(play.results) != len(play.plan.elements):
        raise trial.broken(
            f"declared 1:1, it made {len(play.results)} results of {len(play.plan.elements)} elements",
            play,
        )
    if trial.subject.order == "same":
        if numbers != wanted:
            raise trial.broken(f"the results carry the contexts of elements {numbers}", play)
        return
    if play.ended and sorted(numbers) != wanted:
        raise trial.broken(f"the results carry the contexts of elements {numbers}", play)
    images = [_image(trial.subject, play.plan.elements[number]) for number in numbers]
    pairs = zip(images, play.results, strict=True)
    if wrong := [(image, result) for image, result in pairs if image and not same(image, [result])]:
        image, result = wrong[0]
        raise trial.broken(f"{result!r} carries the context of an element that makes {image}", play)


def _image(subject: Subject, element: Any) -> list[Any]:
    return [] if subject.model is None else subject.expected([element]).results


def _one_at_most(trial: Trial, play: Play, numbers: list[int]) -> None:
    if trial.subject.order == "same" and numbers != sorted(set(numbers)):
        raise trial.broken(f"the results carry the contexts of elements {numbers}", play)
    own = [play.plan.elements[number] for number in numbers]
    if _passes_on(trial.subject, play) and not same(own, play.results):
        raise trial.broken(
            f"the results {play.results} carry the contexts of {own} (elements {numbers})", play
        )


def _passes_on(subject: Subject, play: Play) -> bool:
    """Whether the operator hands elements on as they are, so that result and context can be compared."""
    elements = play.plan.elements
    return not beyond(play.results, elements) and all(
        same(_image(subject, element), [element][: len(_image(subject, element))])
        for element in elements
    )


# For each of the first elements, whether a barrier or a watermark follows it.
_BARRIERS = st.lists(st.booleans(), max_size=8)


@law("L52", when=_timeless, effort=0.7)
def signals(trial: Trial) -> None:
    """Watermarks never go back, barriers come through in order and none is lost, and neither overtakes an element."""
    elements = trial.elements()
    barriers = trial.draw(_BARRIERS)[: len(elements)]
    steps: list[Step] = []
    for number, element in enumerate(elements):
        steps.append(Chunk([element]))
        if number < len(barriers):
            at = LONG_AGO + number
            steps.append(Barrier(at) if barriers[number] else Watermark(at))
    plan = trial.plan(elements, late=True).but(steps=(*steps, End()), contexts=False)
    play = trial.play(plan)
    seen = [(len(chunk), chunk.watermark, chunk.barrier) for _, chunk in play.answers]
    for barrier, came in ((False, [w for _, w, _ in seen]), (True, [b for _, _, b in seen])):
        sent = [LONG_AGO + number for number, each in enumerate(barriers) if each is barrier]
        name = "barrier" if barrier else "watermark"
        _in_order(trial, play, name, sent, [signal for signal in came if signal is not None])
    if trial.subject.cardinality is Cardinality.ONE:
        _not_overtaken(trial, play, seen)


def _in_order(trial: Trial, play: Play, name: str, sent: list[int], came: list[int]) -> None:
    whole = play.ended and play.timeline.count("source", Kind.END) > 0
    if name == "barrier":
        right = came == sent if whole else came == sent[: len(came)]
    else:
        right = came == sorted(came) and set(came) <= set(sent)
        right = right and (not whole or came[-1:] == sent[-1:])
    if not right:
        raise trial.broken(f"of each {name}, {sent} were sent and {came} came", play)


def _not_overtaken(
    trial: Trial, play: Play, seen: list[tuple[int, int | None, int | None]]
) -> None:
    given = 0
    for count, watermark, barrier in seen:
        given += count
        for signal in (watermark, barrier):
            if signal is not None and given <= signal - LONG_AGO:
                raise trial.broken(
                    f"the signal behind element {signal - LONG_AGO} came after {given} results",
                    play,
                )
