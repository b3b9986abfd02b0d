"""Artefact: a model as bytes and words, from which the same model can be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rxml import wire
from rxml.errors import ArtefactError
from rxml.models.artefacts.digests import digest_of
from rxml.models.artefacts.loaders import ESTIMATOR, FORMATS, KEEPERS
from rxml.models.artefacts.manifest import RecipeForm
from rxml.models.model import Portable

if TYPE_CHECKING:
    from rxml.batch import Schema
    from rxml.models.model import Model, Recipe


@dataclass(frozen=True, slots=True)
class Artefact:
    """A model as bytes and words.

    Attributes:
        format: one of `FORMATS`.
        data: the bytes.
        recipe: how the model is made of them.
    """

    format: str
    data: bytes
    recipe: RecipeForm

    @property
    def digest(self) -> str:
        """Of the bytes."""
        return digest_of(self.data)


def artefact_of(model: Model) -> Artefact:
    """A model's artefact: the bytes that its recipe holds, or the recipe, if it only names a function.

    Raises:
        ArtefactError: it has no recipe, or one that cannot be kept.
    """
    if not isinstance(model, Portable):
        raise ArtefactError(
            f"a {type(model).__name__} cannot be published: it has no recipe(), so nobody else can make it"
        )
    recipe = model.recipe()
    blobs = [at for at, each in enumerate(recipe.arguments) if isinstance(each, bytes)]
    if len(blobs) > 1:
        raise ArtefactError(
            f"the recipe of {recipe.loader} holds {len(blobs)} files: one is what can be checked"
        )
    if not blobs:
        return _function(recipe)
    (at,) = blobs
    data: bytes = recipe.arguments[at]
    rest = [None if place == at else each for place, each in enumerate(recipe.arguments)]
    form = RecipeForm(recipe.loader, wire.dumps(rest), at)
    return Artefact(_format(recipe.loader, data), data, form)


def _function(recipe: Recipe) -> Artefact:
    data = wire.dumps({"loader": recipe.loader, "arguments": list(recipe.arguments)})
    return Artefact("function", data, RecipeForm(recipe.loader, b""))


def _format(loader: str, data: bytes) -> str:
    formats = KEEPERS.get(loader, ())
    if not formats:
        raise ArtefactError(f"what {loader} makes models of is no format that is kept: {FORMATS}")
    if len(formats) == 1:
        return formats[0]
    return "npz" if data.startswith(b"PK") else "safetensors"


def estimator_artefact(form: str, data: bytes, inputs: Schema | None) -> Artefact:
    """The artefact of a file that holds an estimator.

    Args:
        form: skops or joblib.
        data: the file.
        inputs: what the estimator wants, unless it knows; its fields must be scalars.
    """
    fields = None if inputs is None else [[f.name, f.dtype.str] for f in inputs.values()]
    return Artefact(form, data, RecipeForm(ESTIMATOR, wire.dumps(fields)))
