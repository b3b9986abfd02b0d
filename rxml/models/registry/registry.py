"""Registry: models by name, in a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from rxml.errors import RegistryError, UnknownModelError
from rxml.flow.timing.duration import seconds_of
from rxml.models.artefacts.digests import require_digest
from rxml.models.artefacts.intake import artefact_in
from rxml.models.artefacts.limits import LIMITS
from rxml.models.artefacts.trust import Trust
from rxml.models.registry.differing import difference
from rxml.models.registry.disk import explained
from rxml.models.registry.journal import Journal
from rxml.models.registry.moving import ANYWHERE, Promotion, Rollback
from rxml.models.registry.publishing import About, Draft, checked
from rxml.models.registry.references import Reference, require_name, require_version
from rxml.models.registry.released import Released, blobs_in, released
from rxml.models.registry.version import Version
from rxml.models.registry.watching import watching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rxml.batch import Schema
    from rxml.flow.flowable import Flowable
    from rxml.flow.timing.duration import Duration
    from rxml.models.artefacts.artefact import Artefact
    from rxml.models.artefacts.limits import Limits
    from rxml.models.model import Model
    from rxml.models.registry.moving import Expected
    from rxml.models.registry.state import State
    from rxml.models.registry.version import Change


class Registry:
    """Models by name: immutable versions, and aliases that are moved between them.

    Everything is in one folder, which any number of processes read and write at once; nothing is to be started. What a
    call has told is there after a crash, and what a crash interrupts has not happened. All methods but `watch` read or
    write files and return when that is done: on an event loop, call them in a thread.

    Args:
        folder: made when something is first published.
        modules: modules, with all below them, that models which are functions may be imported from.
        types: types in skops files that are harmless, beside those that skops knows: `shop.features.Rounder`.
        limits: how large a model may be.
        require_coverage: whether a model that tells how sure it is must be published with a record of how that holds:
            what nobody has measured is no promise.

    Attributes:
        folder: as given.
        trust: what is loaded from it without further words.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        modules: Sequence[str] = (),
        types: Sequence[str] = (),
        limits: Limits = LIMITS,
        require_coverage: bool = True,
    ) -> None:
        self.folder: Path = Path(folder)
        self.trust: Trust = Trust(tuple(modules), tuple(types), limits=limits)
        self._require_coverage = require_coverage
        self._journal = Journal(self.folder, self.load)

    def publish(
        self,
        name: str,
        model: Model | Artefact | str | Path,
        *,
        inputs: Schema | None = None,
        trust: bool = False,
        digest: str = "",
        **about: Unpack[About],
    ) -> Version:
        """Keep a model as the next version of a name. No alias shows it until it is promoted.

        Args:
            name: 1 to 128 letters, digits, `.`, `_`, `-`.
            model: one with a recipe, or its artefact, or a file: *.onnx, *.skops, *.safetensors, *.npz; *.joblib and *.pkl with trust.
            inputs: of a file that does not say what it wants.
            trust: you know where the file of that digest comes from, and that it may run anything.
            digest: of the file, `sha256:` and 64 hex digits; "" if that does not matter.
            about: the model, see `rxml.models.registry.About`.

        Raises:
            ArtefactError: the model or file is refused; says why. Nothing of it has run.
            ModelError: it has no recipe, such as a lambda.
            RegistryError: what is said of it makes no sense, or the folder cannot be written to.
            UnknownModelError: the parent is not there.
        """
        require_name(name)
        artefact, made = artefact_in(model, self._trusting(trust=trust, digest=digest), inputs)
        checked(about, made.signature, coverage_required=self._require_coverage)
        parent = about.get("parent", "")
        draft = Draft(
            name, artefact, made.signature, about, str(self.find(str(parent))) if parent else ""
        )
        with explained(self.folder):
            blobs_in(self.folder).put(artefact.data)
        self._journal.append(name, draft)
        return self.find(f"{name}:{draft.version}")

    def load(self, reference: str | Version, *, trust: bool = False, digest: str = "") -> Released:
        """The model that is meant, once everything about it has been checked.

        Args:
            reference: `price@champion`, `price:3`, or `price` for the newest.
            trust: what has that digest may run anything when it is loaded.
            digest: of its artefact; "" if that does not matter.

        Raises:
            UnknownModelError: there is no such version.
            ArtefactError: it is refused; says why. Nothing of it has run.
            ModuleNotFoundError: it needs an extra that is not installed.
        """
        version = reference if isinstance(reference, Version) else self.find(reference)
        return released(self.folder, version, self._trusting(trust=trust, digest=digest))

    def artefact(self, version: Version) -> bytes:
        """The bytes of a version, which are those that were published.

        Raises:
            ArtefactError: they are not there, or were tampered with.
        """
        return blobs_in(self.folder).get(version.digest, version.size, self.trust.limits)

    def find(self, reference: str) -> Version:
        """The version that is meant; see `load`.

        Raises:
            UnknownModelError: there is none.
            RegistryError: it is no reference, or the folder cannot be read.
        """
        meant = Reference.of(reference)
        return self._journal.read(lambda state: state.find(meant))

    def names(self) -> list[str]:
        """Of all models, sorted."""
        return self._journal.read(lambda state: sorted(state.names))

    def versions(self, name: str) -> list[Version]:
        """All versions of a name, oldest first.

        Raises:
            UnknownModelError: there is no such name.
        """
        return self._journal.read(lambda state: list(state.named(name).versions))

    def aliases(self, name: str) -> dict[str, Version]:
        """What the aliases of a name show.

        Raises:
            UnknownModelError: there is no such name.
        """

        def look(state: State) -> dict[str, Version]:
            named = state.named(name)
            return {
                alias: named.versions[int(stack[-1]) - 1] for alias, stack in named.shown.items()
            }

        return self._journal.read(look)

    def history(self, name: str, alias: str = "") -> list[Change]:
        """What happened to a name, oldest first.

        Args:
            name: of the model.
            alias: only its moves; "" for everything.

        Raises:
            UnknownModelError: there is no such name.
        """
        changes = self._journal.read(lambda state: list(state.named(name).changes))
        return [each for each in changes if not alias or each.alias == alias]

    def promote(
        self,
        name: str,
        alias: str,
        version: str | int | Version,
        *,
        expect: Expected = ANYWHERE,
    ) -> Version:
        """Have an alias show a version.

        Args:
            name: of the model.
            alias: made if it is not there.
            version: of that name.
            expect: the version that it must show now; None: there must be no such alias. Whoever says it loses no move
                that somebody else makes meanwhile.

        Raises:
            AliasMovedError: it shows another version.
            UnknownModelError: there is no such name or version.
        """
        require_name(alias, "an alias")
        number = require_version(version.version if isinstance(version, Version) else version)

        move = Promotion(Reference(require_name(name), number), alias, expect)
        self._journal.append(name, move)
        return self.find(f"{name}:{number}")

    def rollback(self, name: str, alias: str, *, expect: str | int | Version = ANYWHERE) -> Version:
        """Have an alias show again what it showed before; once more goes back one further.

        Args:
            name: of the model.
            alias: of it.
            expect: the version that it must show now.

        Raises:
            AliasMovedError: it shows another version.
            UnknownModelError: there is no such name or alias, or it has shown nothing before.
        """
        back = Rollback(Reference(require_name(name), alias=alias), expect)
        self._journal.append(name, back)
        return self.find(f"{name}:{back.version}")

    def diff(self, before: str, after: str) -> dict[str, tuple[Any, Any]]:
        """What is not the same of two versions.

        Args:
            before: a reference, as for `load`.
            after: another.

        Returns:
            By path, such as `metrics.rmse`: what the first has and what the second has; None where one has nothing.

        Raises:
            UnknownModelError: one of them is not there.
            ArtefactError: a manifest is damaged, or a newer rxml has written it.
        """
        return difference(self.find(before).manifest, self.find(after).manifest)

    def watch(self, reference: str, *, every: Duration = 0.5) -> Flowable[Version]:
        """The version that is meant, and then each other one that is meant later, whoever makes it so.

        The folder is looked at, in a thread of its own, while the next element is waited for, so that who is slow gets
        the latest. What is not there yet is waited for.

        Args:
            reference: as for `load`; `price:3` gives that one and nothing more.
            every: seconds between two looks, by the clock of the run, > 0. A look at what has not changed is one `stat`.

        Raises:
            RegistryError: it is no reference, or there is no time between two looks.
        """
        meant = Reference.of(reference)
        seconds = seconds_of(every, "watch(every)")
        if not seconds > 0:
            raise RegistryError(f"watch(every) wants a duration > 0, got {every!r}")
        return watching(meant, lambda: self._found(meant), seconds)

    def _found(self, meant: Reference) -> Version | None:
        try:
            return self._journal.read(lambda state: state.find(meant))
        except UnknownModelError:
            return None

    def _trusting(self, *, trust: bool, digest: str) -> Trust:
        if digest:
            require_digest(digest)
        return replace(self.trust, trusted=trust, digest=digest)
