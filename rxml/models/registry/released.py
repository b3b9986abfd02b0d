"""Released: a model that came from a registry, and knows which it is."""

from __future__ import annotations

from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rxml.errors import ArtefactError
from rxml.models.artefacts.artefact import Artefact
from rxml.models.artefacts.limits import Limits
from rxml.models.artefacts.manifest import signature_of
from rxml.models.artefacts.opening import model_of
from rxml.models.artefacts.trust import Trust
from rxml.models.model import Recipe
from rxml.models.registry.blobs import Blobs
from rxml.models.registry.examples import examples_of
from rxml.models.registry.journal import Journal
from rxml.models.registry.references import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.batch import Batch
    from rxml.models.model import Model, Release
    from rxml.models.registry.version import Version
    from rxml.models.signature import Signature


class Released:
    """A model of a registry.

    Attributes:
        model: as its adapter made it.
        version: that it is.
        release: what its predictions carry.
        signature: what it wants and gives.
        digest: of its artefact.
        examples: rows to warm up with, or None.
    """

    def __init__(
        self, model: Model, version: Version, recipe: Recipe, examples: Batch | None = None
    ) -> None:
        self.model: Model = model
        self.version: Version = version
        self.release: Release = version.release
        self.signature: Signature = model.signature
        self.digest: str = version.digest
        self.examples: Batch | None = examples
        self._recipe = recipe

    def predict(self, batch: Batch) -> Batch:
        """What the model gives."""
        return self.model.predict(batch)

    def recipe(self) -> Recipe:
        """How another process on this machine makes it: from the same registry, with the same checks."""
        return self._recipe


def released(folder: Path, version: Version, trust: Trust) -> Released:
    """Load a version.

    Args:
        folder: of the registry.
        version: whose artefact is there.
        trust: what may be loaded.

    Raises:
        ArtefactError: it is refused; says why. Nothing of it has run.
        ModuleNotFoundError: an extra is not installed.
    """
    manifest = version.manifest
    told = (manifest.name, manifest.version, manifest.digest, manifest.size)
    if told != (version.name, version.version, version.digest, version.size):
        raise ArtefactError(f"the manifest of {version} is that of {told}")
    data = blobs_in(folder).get(version.digest, version.size, trust.limits)
    model = model_of(Artefact(manifest.format, data, manifest.recipe), trust)
    promised = signature_of(manifest.signature)
    if model.signature != promised:
        raise ArtefactError(
            f"{version} was published with {promised}, and what was loaded has {model.signature}"
        )
    examples = examples_of(manifest.examples, promised, str(version))
    return Released(model, version, _recipe(folder, version, trust), examples)


def blobs_in(folder: Path) -> Blobs:
    """The blobs of a registry."""
    return Blobs(folder / "blobs")


def load_again(
    folder: str, reference: str, digest: str, modules: Sequence[str], rest: Sequence[Any]
) -> Released:
    """A version in another process.

    Args:
        folder: of the registry.
        reference: `name:version`.
        digest: of its artefact.
        modules: see `Trust`.
        rest: types, whether it is trusted, and the limits; see there.

    Raises:
        RegistryError: it is not there any more, or is refused.
    """
    types, trusted, sizes = rest
    trust = Trust(
        tuple(modules), tuple(types), trusted=bool(trusted), digest=digest, limits=Limits(*sizes)
    )
    meant = Reference.of(reference)
    path = Path(folder)
    journal = Journal(path, lambda version: released(path, version, trust))
    return released(path, journal.read(lambda state: state.find(meant)), trust)


def _recipe(folder: Path, version: Version, trust: Trust) -> Recipe:
    rest = [list(trust.types), trust.trusted, list(astuple(trust.limits))]
    arguments = (str(folder.resolve()), str(version), version.digest, list(trust.modules), rest)
    return Recipe(f"{__name__}:{load_again.__name__}", arguments)
