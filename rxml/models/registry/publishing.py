"""What may be said of a model when it is published, and the manifest that is made of it."""

from __future__ import annotations

import time
from math import isfinite
from typing import TYPE_CHECKING, TypedDict

import msgspec

from rxml.errors import RegistryError
from rxml.models.artefacts.manifest import (
    FORMAT,
    Coverage,
    FactRange,
    Manifest,
    SignatureForm,
    signature_form,
)
from rxml.models.artefacts.packages import packages_for
from rxml.models.registry.examples import examples_form
from rxml.models.registry.state import Published

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rxml.batch import Batch
    from rxml.models.artefacts.artefact import Artefact
    from rxml.models.registry.state import Event, State
    from rxml.models.registry.version import Version
    from rxml.models.signature import Signature


class About(TypedDict, total=False):
    """What is known of a model.

    Attributes:
        metrics: by name, finite numbers: what it was measured to be.
        features: version of the feature set that it was trained with, `rxml.features.Features.digest`.
        facts: that it was trained on.
        parent: the version that it came from; it must be in the registry.
        coverage: record of how its intervals or distributions hold; whoever promises some must have it.
        notes: what people should know.
        examples: 1 to 32 rows of inputs as they really are, at most 64 KiB. Whoever serves the model warms it up with them, and
            one that fails for them does not take over.
    """

    metrics: Mapping[str, float]
    features: str
    facts: FactRange | None
    parent: Version | str
    coverage: Coverage | None
    notes: str
    examples: Batch | None


def checked(about: About, signature: Signature, *, coverage_required: bool) -> None:
    """See that what is said makes sense.

    Raises:
        RegistryError: it does not, or there is no record of the intervals and there must be one.
    """
    for name, value in about.get("metrics", {}).items():
        if not isfinite(value):
            raise RegistryError(f"metric {name!r} is {value}: a metric is a finite number")
    facts, coverage = about.get("facts"), about.get("coverage")
    if facts is not None and not 0 <= facts.start <= facts.stop:
        raise RegistryError(f"facts are offsets 0 <= start <= stop, got {facts}")
    if coverage is not None and not _sound(coverage):
        raise RegistryError(
            "a record of coverage has 0 < level < 1, 0 <= lower <= covered <= upper <= 1 and rows >= 1, "
            f"got {coverage}"
        )
    examples_form(about.get("examples"), signature)
    if coverage_required and coverage is None and signature.uncertainty != "none":
        raise RegistryError(
            f"the model promises uncertainty {signature.uncertainty!r} and has no record of how that holds: "
            "measure it and say coverage=Coverage(level, covered, rows), or coverage=Coverage.of(coverage.now) of what "
            "ops.calibrate(coverage=...) has seen"
        )


def _sound(coverage: Coverage) -> bool:
    shares = 0 <= coverage.lower <= coverage.covered <= coverage.upper <= 1
    return shares and 0 < coverage.level < 1 and coverage.rows >= 1 and coverage.worlds >= 0


class Draft:
    """A manifest that has no version yet: that is known only when the log is locked.

    Args:
        name: of the model.
        artefact: of it.
        signature: of it.
        about: it, checked.
        parent: `name:version`, or "".

    Attributes:
        version: that it became.
    """

    def __init__(
        self, name: str, artefact: Artefact, signature: Signature, about: About, parent: str
    ) -> None:
        self.version: str = ""
        self._name = name
        self._artefact = artefact
        self._about = about
        self._parent = parent
        self._digest = artefact.digest
        self._signature: SignatureForm = signature_form(signature)
        self._packages = packages_for(artefact.format)
        self._examples = examples_form(about.get("examples"), signature)

    def __call__(self, state: State) -> Event:
        """The fact that it is the next version."""
        named = state.names.get(self._name)
        self.version = str(len(named.versions) + 1 if named else 1)
        raw = msgspec.Raw(msgspec.json.encode(self._manifest(self.version, time.time_ns())))
        return Published(self.version, self._digest, len(self._artefact.data), raw)

    def _manifest(self, version: str, created: int) -> Manifest:
        about = self._about
        return Manifest(
            manifest=FORMAT,
            name=self._name,
            version=version,
            format=self._artefact.format,
            digest=self._digest,
            size=len(self._artefact.data),
            created=created,
            signature=self._signature,
            recipe=self._artefact.recipe,
            metrics={name: float(value) for name, value in about.get("metrics", {}).items()},
            features=about.get("features", ""),
            facts=about.get("facts"),
            parent=self._parent,
            coverage=about.get("coverage"),
            packages=self._packages,
            notes=about.get("notes", ""),
            examples=self._examples,
        )
