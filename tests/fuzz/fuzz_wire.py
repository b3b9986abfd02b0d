"""Coverage-guided fuzzing of `rxml.wire.loads`: a value or a WireError, whatever the bytes.

    make fuzz
    python tests/fuzz/fuzz_wire.py -max_total_time=60      # PYTHONPATH must name the repository

Needs atheris. Four things are tried with every input: the bytes as they are, a sound message with the bytes
laid over a part of it, a sound message with them put in between, and a message forged of the choices that they
stand for; so the fuzzer gets through the outer layers soon. What is accepted must be usable in every part, must
read the same when written again, and must fit a schema of an endpoint or be refused by it. An input that fails is
kept in the folder for temporary files; the last lines say where.
"""

from __future__ import annotations

import sys
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final, TypedDict

from tests.fuzz.forge import forged

atheris: Any = import_module("atheris")  # it has no types, and no place in the usual environment

with atheris.instrument_imports(include=["rxml.wire", "rxml.batch", "rxml.http.decode"]):
    import numpy as np

    from rxml.batch import Batch
    from rxml.errors import WireError
    from rxml.http.decode import ElementError, Intake, msgpack_items
    from rxml.wire import Limits, dumps, loads, register_extension

LONGEST: Final = 4096
# bytes of memory: see tests/unit/wire/test_wire_mutation.py; the frames of an error 32 levels deep take 70,000
PER_BYTE, AT_LEAST = 100, 150_000
LIMITS: Final = (
    Limits(max_items=10_000),  # a million of what takes no bytes would take a second to touch
    Limits(max_depth=3, max_items=20, max_containers=8, max_str=8, max_bin=8),
)
UNITS: Final = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as")
SPACED: Final = np.dtype(
    {"names": ["a", "b"], "formats": ["<i2", "<f4"], "offsets": [2, 8], "itemsize": 16}
)
STRUCTURE: Final = np.dtype([("a", "<i2"), ("b", "?", (2,)), (("title", "c"), [("d", "<U2")])])


class Pair(tuple[Any, ...]):
    """A registered type, so that payloads of such are fuzzed too."""

    __slots__ = ()


class Reading(TypedDict):
    """What an endpoint may want."""

    sensor: str
    value: float


INTAKES: Final[tuple[Intake[Any], ...]] = (Intake(None), Intake(Reading), Intake(dict[int, float]))

register_extension(100, Pair, list, lambda both: Pair((both[0], both["1"])))

VALUES: Final[list[Any]] = [
    [1, -1, 200, -200, 70_000, 2**40, 1.5, True, None, "grün", b"\x00\xff", [0.5] * 9],
    {"time": [datetime(2024, 1, 1, tzinfo=UTC), timedelta(1, 2, 3)], ("key", 1): {2: {}}},
    [np.float32(1.5), np.bool_(True), np.str_("ab"), np.datetime64(3, "us")],
    [np.arange(6, dtype=">i2").reshape(2, 3), np.zeros(2, STRUCTURE), np.array([], "U0")],
    [np.array(["a", None], object), np.array([b"a"], object), np.array(["a"], "T")],
    Batch({"x": np.arange(3.0), "f": np.array([True, False, True]), "n": ["a", None, "b"]}),
    {"id": 1, "data": Batch({"t": np.array(["2020", "NaT"], "M8[s]"), "w": np.zeros((2, 2))})},
    Pair((1, 2)),
    [np.zeros(2, SPACED), np.ones(1, SPACED)[0], np.datetime64("NaT"), np.void(b"ab")],
    list(np.zeros(1, [(unit, f"<M8[7{unit}]") for unit in UNITS])[0]),
    {np.array(1, f"m8[{unit}]")[()]: np.array([1], f">M8[60{unit}]") for unit in UNITS},
    [np.zeros((3, 0)), np.zeros(2, "S0"), np.empty((2, 0), object), Batch.adopt({}, 3)],
]
SOUND: Final = [dumps(value) for value in VALUES]


def touch(value: Any) -> None:
    """Use every part of a value."""
    kind = value.__class__
    if kind is Batch:
        assert len(value.rows()) == len(value)
        value = dict(value.columns)
    if kind in {dict, Batch}:
        value = [*value, *value.values()]
    if kind in {list, tuple, dict, Batch}:
        for each in value:
            touch(each)
    elif issubclass(kind, (np.ndarray, np.generic)):
        assert kind in {np.str_, np.bytes_} or len(value.tobytes()) == value.nbytes
        assert repr(value.tolist())
        assert repr(value)


def read(message: bytes, limits: Limits) -> Any:
    """The value or the error, within the memory that the message may cost."""
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        result = loads(message, limits=limits)
    except WireError as error:
        result = error
    if isinstance(result, WireError):
        assert result.position is not None, result
        assert 0 <= result.position <= len(message), result
    used = tracemalloc.get_traced_memory()[1] - before
    assert used <= PER_BYTE * len(message) + AT_LEAST, f"{used} bytes for {len(message)}"
    return result


def try_one(message: bytes) -> None:
    """One message, under wide and under narrow limits."""
    for limits in LIMITS:
        value = read(message, limits)
        if not isinstance(value, WireError):
            touch(value)
            written = dumps(value)
            assert dumps(loads(written)) == written
            as_http(message, limits)


def as_http(message: bytes, limits: Limits) -> None:
    """The elements of a body that holds the message, each of which fits a schema or does not."""
    items = msgpack_items(message, limits)
    for each in items[:20]:
        for intake in INTAKES:
            with suppress(ElementError):
                intake.value(each)


def forge(data: bytes) -> bytes:
    """The message that the bytes, as choices, lead to; the first choice of all once they are used up."""
    left = iter(data)
    return forged(lambda n: next(left, 0) % n)


def one_input(data: bytes) -> None:
    """What the fuzzer calls."""
    try_one(data)
    try_one(forge(data))
    if len(data) < 4:
        return
    sound, place, patch = SOUND[data[0] % len(SOUND)], int.from_bytes(data[1:3], "big"), data[3:]
    place %= len(sound)
    try_one(sound[:place] + patch + sound[place + len(patch) :])
    try_one(sound[:place] + patch + sound[place:])


def main() -> None:
    """Run the fuzzer with libFuzzer's options."""
    tracemalloc.start()
    for message in SOUND:
        one_input(message)
    found = Path(gettempdir()) / "rxml-fuzz-wire-"
    options = [f"-max_len={LONGEST}", "-print_final_stats=1", f"-artifact_prefix={found}"]
    atheris.Setup([*sys.argv, *options], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
