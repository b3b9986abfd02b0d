"""Skops files: scikit-learn models without pickle, if they hold nothing but types that are known to do no harm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rxml.batch.extras import extra_module
from rxml.errors import ArtefactError
from rxml.models.artefacts.archive import opened

if TYPE_CHECKING:
    from collections.abc import Collection

    from rxml.models.artefacts.limits import Limits


def check_skops(data: bytes, limits: Limits, allowed: Collection[str] = ()) -> None:
    """Refuse a skops file that holds a type which is not known to do no harm; nothing of it is imported.

    Args:
        data: the file.
        limits: of the archive that it is.
        allowed: further types that may be in it, `package.module.Type`; importing them must be harmless.

    Raises:
        ArtefactError: it is none, damaged, hostile (see `rxml.models.artefacts.archive`), or holds another type.
        ModuleNotFoundError: the extra `sklearn` is not installed.
    """
    with opened(data, "the skops file", limits):
        strangers = sorted(set(_untrusted(data)) - set(allowed))
    if strangers:
        raise ArtefactError(
            f"the skops file holds types that may run anything: {', '.join(strangers)}; "
            "if you know them to be harmless, name them: Registry(..., types=[...])"
        )


def _untrusted(data: bytes) -> list[str]:
    library = extra_module("skops.io", "sklearn")
    try:
        found: list[str] = library.get_untrusted_types(data=data)
    except Exception as error:
        raise ArtefactError(f"no skops file, or a damaged one: {error!r}") from error
    return found


def load_skops(data: bytes, limits: Limits, allowed: Collection[str] = ()) -> Any:
    """The estimator in a skops file, once `check_skops` has let it pass.

    Raises:
        ArtefactError: see there.
    """
    check_skops(data, limits, allowed)
    library = extra_module("skops.io", "sklearn")
    try:
        return library.loads(data, trusted=sorted(allowed))
    except Exception as error:
        raise ArtefactError(f"the skops file cannot be loaded: {error!r}") from error
