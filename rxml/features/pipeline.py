"""Features: named transforms in their order, as one thing that is learned, asked, saved and versioned."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from rxml.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.features.transform import Columns, Transform

_FORMAT: Final = 1


class Features:
    """Makes columns of features of columns of data: `Features(scaled=StandardScaler("x"), ...)`.

    A transform of one part gives a feature of its own name; one of several gives `name_part` for each. Transforms are
    applied in their order, and each reads the feature of its column's name if one before it has made that, else the
    column of the data: `Features(filled=Imputer("x"), scaled=StandardScaler("filled_mean"))`. The laws are those of
    `Transform`: emission before learning, and the same to the last bit one row at a time, in a batch, in other batches,
    restored, and for one request.

    Nothing is learned of rows of which a transform refuses a column of the data, by any of the transforms: they can be
    taken out, and the others given again.

    Args:
        transforms: by name; not shared with other pipelines, since each has its state.

    Raises:
        ValueError: there are none, or two features have one name.
    """

    transforms: dict[str, Transform]
    names: tuple[str, ...]

    def __init__(self, **transforms: Transform) -> None:
        self.transforms = transforms
        made = {name: _named(name, transform) for name, transform in transforms.items()}
        self.names = tuple(feature for each in made.values() for feature in each.values())
        if not self.names or len(set(self.names)) != len(self.names):
            raise ValueError(f"features must have distinct names and be some, got {self.names}")
        self._made = made
        self._inputs, self._chained = self._read()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns of data that `transform` reads."""
        return tuple(self._inputs)

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns of targets that `learn` reads."""
        targets = (transform.target for transform in self.transforms.values())
        return tuple(dict.fromkeys(target for target in targets if target is not None))

    @property
    def late(self) -> tuple[str, ...]:
        """The columns of data, and features, that `learn_targets` reads beside targets."""
        read = [(each.column, each.time) for each in self._targeted()]
        return tuple(dict.fromkeys(name for pair in read for name in pair if name is not None))

    @property
    def digest(self) -> str:
        """SHA-256 of `config`, in hexadecimal: the version of this set of features, whatever it has learned."""
        text = json.dumps(self.config(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return sha256(text.encode()).hexdigest()

    def config(self) -> dict[str, Any]:
        """What makes these features what they are, in plain values: kinds and options, in their order."""
        each = [
            {"name": name, "kind": type(transform).__name__, "config": transform.config()}
            for name, transform in self.transforms.items()
        ]
        return {"format": _FORMAT, "features": each}

    def learn(self, data: Mapping[str, Any], slots: Any = None) -> None:
        """Learns from rows, in their order.

        Args:
            data: columns of one length, by name; those that no transform reads do not matter.
            slots: the slot (key) of each row, ints from 0; None is slot 0 for all.

        Raises:
            SchemaError: a column is missing, or columns differ in length, or hold what a transform cannot take.
            ValueError: the slots are not as many, or beyond what `grow` has made room for.
        """
        if self._chained:
            self.learn_transform(data, slots)
            return
        self._check(data, slots)
        for transform in self.transforms.values():
            x, y, time = self._columns(transform, data)
            transform.learn(x, slots, y=y, time=time)

    def transform(self, data: Mapping[str, Any], slots: Any = None) -> Columns:
        """The features of rows, of what is known now: nothing is learned, and no targets are needed.

        Args:
            data: as in `learn`.
            slots: as in `learn`.

        Returns:
            The columns of `names`, in their order.

        Raises:
            SchemaError: as in `learn`.
            ValueError: as in `learn`.
        """
        self._require(data, learning=False)
        made: Columns = {}
        for name, transform in self.transforms.items():
            x, _, time = self._columns(transform, {**data, **made})
            self._add(made, name, transform.transform(x, slots, time=time))
        return made

    def learn_transform(self, data: Mapping[str, Any], slots: Any = None) -> Columns:
        """The features of each row, of what the rows before it have taught; the row is learned after that.

        Args:
            data: as in `learn`.
            slots: as in `learn`.

        Returns:
            The columns of `names`, in their order.

        Raises:
            SchemaError: as in `learn`.
            ValueError: as in `learn`.
        """
        self._check(data, slots)
        made: Columns = {}
        for name, transform in self.transforms.items():
            x, y, time = self._columns(transform, {**data, **made})
            self._add(made, name, transform.learn_transform(x, slots, y=y, time=time))
        return made

    def learn_untargeted(self, data: Mapping[str, Any], slots: Any = None) -> Columns:
        """As `learn_transform` where targets come later: what learns from them only makes its features.

        Args:
            data: as in `learn`, without targets.
            slots: as in `learn`.

        Returns:
            The columns of `names`, in their order. Those of `late` are to be kept until the targets come.

        Raises:
            SchemaError: as in `learn`.
            ValueError: as in `learn`.
        """
        self._check(data, slots, targets=False)
        made: Columns = {}
        for name, transform in self.transforms.items():
            x, _, time = self._columns(transform, {**data, **made})
            work = transform.transform if transform.target else transform.learn_transform
            self._add(made, name, work(x, slots, time=time))
        return made

    def learn_targets(self, data: Mapping[str, Any], slots: Any = None) -> None:
        """Learns, of rows that `learn_untargeted` has had, in the order in which their targets came.

        Args:
            data: the columns of `late` and `targets`.
            slots: as in `learn`.

        Raises:
            SchemaError: a target is no number.
            ValueError: as in `learn`.
        """
        ready = [(transform, self._columns(transform, data)) for transform in self._targeted()]
        for transform, (x, y, time) in ready:
            transform.check(x, slots, y=y, time=time)
        for transform, (x, y, time) in ready:
            transform.learn(x, slots, y=y, time=time)

    def grow(self, keys: int) -> None:
        """Makes room for slots up to `keys` - 1 in every transform."""
        for transform in self.transforms.values():
            transform.grow(keys)

    def forget(self, slots: Any) -> None:
        """Makes slots as they were before anything was learned of them, in every transform.

        Args:
            slots: which, ints from 0.

        Raises:
            ValueError: there are no such slots.
        """
        for transform in self.transforms.values():
            transform.forget(slots)

    def snapshot(self) -> dict[str, Any]:
        """What has been learned, with the digest: arrays and plain values that `rxml.wire` takes."""
        states = {name: transform.snapshot() for name, transform in self.transforms.items()}
        return {"digest": self.digest, "states": states}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Becomes what a snapshot was of.

        Raises:
            SchemaError: it is of other features.
        """
        if state.get("digest") != self.digest:
            text = f"got a snapshot of features {state.get('digest')!r}"
            raise SchemaError(f"{text}: these are {self.digest!r}, of other transforms or options")
        for name, transform in self.transforms.items():
            transform.restore(state["states"][name])

    def _read(self) -> tuple[dict[str, bool], frozenset[str]]:
        """The columns that are read from data, each with whether `transform` needs it; who reads features."""
        inputs: dict[str, bool] = {}
        chained: set[str] = set()
        made: set[str] = set()
        for name, transform in self.transforms.items():
            for column in (transform.column, transform.time, transform.target):
                if column in made:
                    chained.add(name)
                elif column is not None:
                    inputs[column] = inputs.get(column, False) or column != transform.target
            made.update(self._made[name].values())
        return inputs, frozenset(chained)

    def _targeted(self) -> list[Transform]:
        return [each for each in self.transforms.values() if each.target is not None]

    def _check(self, data: Mapping[str, Any], slots: Any, *, targets: bool = True) -> None:
        """What transforms read of the data, before the first of them learns; features are what we have made."""
        self._require(data, learning=targets)
        for name, transform in self.transforms.items():
            if name not in self._chained:
                x, y, time = self._columns(transform, data)
                y = y if targets else np.zeros(len(np.asarray(x)))
                transform.check(x, slots, y=y, time=time)

    def _require(self, data: Mapping[str, Any], *, learning: bool) -> None:
        needed = [column for column, always in self._inputs.items() if always or learning]
        missing = [column for column in needed if column not in data]
        if missing:
            raise SchemaError(f"columns {missing} are missing: there are {sorted(data)}")
        lengths = {column: len(np.asarray(data[column])) for column in needed}
        if len(set(lengths.values())) > 1:
            raise SchemaError(f"columns must have one length, got {lengths}")

    def _columns(self, transform: Transform, data: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        named = (transform.column, transform.target, transform.time)
        x, y, time = (None if name is None else data.get(name) for name in named)
        return x, y, time

    def _add(self, made: Columns, name: str, columns: Columns) -> None:
        for part, feature in self._made[name].items():
            made[feature] = columns[part]


def _named(name: str, transform: Transform) -> dict[str, str]:
    """The feature that each part becomes."""
    if len(transform.parts) == 1:
        return {transform.parts[0]: name}
    return {part: f"{name}_{part}" for part in transform.parts}
