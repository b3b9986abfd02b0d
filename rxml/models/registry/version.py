"""Version: one published model, as the log has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from typing_extensions import override

from rxml.models.artefacts.manifest import manifest_of, signature_of
from rxml.models.model import Release

if TYPE_CHECKING:
    from collections.abc import Callable

    from rxml.models.artefacts.manifest import Manifest
    from rxml.models.model import Model
    from rxml.models.signature import Signature

    Loader: TypeAlias = Callable[["Version"], Model]
    """Loads a version out of the registry that it is from."""


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable version of a model. As text it is the reference that names it: `price:3`.

    Attributes:
        name: of the model.
        version: of that name: "1", "2", …
        digest: of its artefact.
        size: of its artefact in bytes.
        created: when it was published, in nanoseconds since 1970 UTC.
        manifest_text: JSON.
        loader: of the registry that it is from.
    """

    name: str
    version: str
    digest: str
    size: int
    created: int
    manifest_text: bytes = field(repr=False)
    loader: Loader = field(repr=False, compare=False)

    @property
    def manifest(self) -> Manifest:
        """What is known of it.

        Raises:
            ArtefactError: a newer rxml has written it, or it is damaged, or of another version.
        """
        return manifest_of(self.manifest_text, str(self))

    @property
    def signature(self) -> Signature:
        """What the model wants and gives. Raises as `manifest`."""
        return signature_of(self.manifest.signature)

    @property
    def release(self) -> Release:
        """What its predictions carry."""
        return Release(self.name, self.version, self.digest)

    def load(self) -> Model:
        """The model; `Registry.load` without further words. Reads files: on an event loop, call it in a thread.

        Raises:
            ArtefactError: it is refused; says why. Nothing of it has run.
            ModuleNotFoundError: it needs an extra that is not installed.
        """
        return self.loader(self)

    @override
    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to a model's versions and aliases.

    Attributes:
        kind: published, promoted or rolled_back.
        name: of the model.
        version: that was published, or that the alias shows since.
        alias: that was moved; "" for published.
        before: the version that the alias showed before; "" if it showed none.
        at: nanoseconds since 1970 UTC.
    """

    kind: str
    name: str
    version: str
    alias: str
    before: str
    at: int
