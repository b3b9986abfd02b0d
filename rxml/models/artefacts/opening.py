"""Opening: from an artefact to the model in it, once nothing speaks against that."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import msgspec

from rxml import wire
from rxml.batch import Field, Schema
from rxml.errors import ArtefactError, SchemaError, WireError
from rxml.models.artefacts.arrays import check_safetensors, read_npz
from rxml.models.artefacts.digests import is_digest
from rxml.models.artefacts.estimators import estimator_model
from rxml.models.artefacts.files import check_size
from rxml.models.artefacts.loaders import ESTIMATOR, FORMATS, FUNCTIONS, KEEPERS, module_of
from rxml.models.artefacts.pickled import load_pickled, require_trust
from rxml.models.artefacts.protobuf import check_onnx
from rxml.models.artefacts.skops import check_skops, load_skops
from rxml.models.model import Model, Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rxml.models.artefacts.artefact import Artefact
    from rxml.models.artefacts.trust import Trust

T = TypeVar("T")

_OWN: Final = "rxml."


class _Function(msgspec.Struct, forbid_unknown_fields=True):
    """What an artefact of format `function` holds."""

    loader: str
    arguments: list[Any]


def model_of(artefact: Artefact, trust: Trust) -> Model:
    """The model that an artefact holds, once nothing speaks against it.

    Args:
        artefact: from wherever.
        trust: what may be loaded.

    Raises:
        ArtefactError: it is refused; says why. Nothing of it has run.
        ModuleNotFoundError: an extra is not installed.
    """
    check_size(len(artefact.data), "the artefact", trust.limits)
    if trust.digest and trust.digest != artefact.digest:
        raise ArtefactError(f"the digest is {artefact.digest}, wanted is {trust.digest}")
    _check_loader(artefact, trust)
    if artefact.recipe.loader == ESTIMATOR:
        return _estimator(artefact, trust)
    check_data(artefact.format, artefact.data, trust)
    recipe = _recipe(artefact)
    _check_targets(recipe, artefact, trust)
    return _made(recipe)


def check_data(form: str, data: bytes, trust: Trust) -> None:
    """Look through the bytes of an artefact; nothing of them runs.

    Raises:
        ArtefactError: they are refused; says why.
    """
    checks: Mapping[str, Callable[[], object]] = {
        "onnx": lambda: check_onnx(data),
        "skops": lambda: check_skops(data, trust.limits, trust.types),
        "npz": lambda: read_npz(data, trust.limits),
        "safetensors": lambda: check_safetensors(data),
        "joblib": lambda: require_trust("pickle and joblib", data, trust),
        "function": lambda: None,
    }
    if form not in checks:
        raise ArtefactError(f"format {form!r} is unknown: there are {FORMATS}")
    checks[form]()


def _check_loader(artefact: Artefact, trust: Trust) -> None:
    """A manifest must not have any function of any module called."""
    loader = artefact.recipe.loader
    if artefact.format in KEEPERS.get(loader, ()):
        return
    module = module_of(loader)
    if artefact.format != "function" or module.startswith(_OWN):
        raise ArtefactError(
            f"{loader} makes no models of format {artefact.format!r}: the manifest is not ours"
        )
    _check_module(module, artefact, trust)


def _check_targets(recipe: Recipe, artefact: Artefact, trust: Trust) -> None:
    if recipe.loader not in FUNCTIONS:
        return
    for text in _texts(recipe.arguments):
        if ":" in text and not is_digest(text):
            _check_module(module_of(text), artefact, trust)


def _texts(value: Any) -> Iterator[str]:
    """All texts in what a recipe has as arguments."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for pair in _anything(value.items()):
            yield from _texts(pair)
    elif isinstance(value, list | tuple):
        for each in _anything(value):
            yield from _texts(each)


def _anything(values: Any) -> Iterable[Any]:
    """Those values, of which nothing is known."""
    return cast("Iterable[Any]", values)


def _check_module(module: str, artefact: Artefact, trust: Trust) -> None:
    if trust.admits(module):
        return
    if not trust.trusted:
        raise ArtefactError(
            f"the model is a function of module {module!r}, which may not be imported: "
            f"name it, Registry(..., modules=[{module.partition('.')[0]!r}])"
        )
    require_trust(f"module {module}", artefact.data, trust)


def _estimator(artefact: Artefact, trust: Trust) -> Model:
    inputs = _fields(artefact.recipe.arguments)
    if artefact.format == "skops":
        return estimator_model(load_skops(artefact.data, trust.limits, trust.types), inputs)
    return estimator_model(load_pickled(artefact.data, trust), inputs)


def _fields(message: bytes) -> Schema | None:
    found = _loads(message)
    if found is None:
        return None
    try:
        return Schema(Field(name, dtype) for name, dtype in found)
    except (TypeError, ValueError, SchemaError) as error:
        raise ArtefactError(f"the manifest has no fields: {error}") from error


def _recipe(artefact: Artefact) -> Recipe:
    """The recipe as it was when the model was published."""
    form = artefact.recipe
    if artefact.format == "function":
        found = _typed(_loads(artefact.data), _Function)
        if found.loader != form.loader:
            raise ArtefactError("the artefact is not the recipe of its manifest")
        return Recipe(found.loader, tuple(found.arguments))
    arguments = _typed(_loads(form.arguments), list[Any])
    if form.blob is None or not 0 <= form.blob < len(arguments):
        raise ArtefactError("the manifest has no place for the artefact in its arguments")
    if any(isinstance(each, bytes) for each in arguments):
        raise ArtefactError("the manifest has a second artefact in its arguments")
    arguments[form.blob] = artefact.data
    return Recipe(form.loader, tuple(arguments))


def _typed(value: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ArtefactError(f"the manifest's arguments are none: {error}") from error


def _loads(message: bytes) -> Any:
    try:
        return wire.loads(message)
    except WireError as error:
        raise ArtefactError(f"the manifest's arguments are damaged: {error}") from error


def _made(recipe: Recipe) -> Model:
    loader = _loader(recipe.loader)
    try:
        made = loader(*recipe.arguments)
    except ModuleNotFoundError:
        raise
    except Exception as error:
        raise ArtefactError(f"{recipe.loader} cannot make the model: {error}") from error
    if not isinstance(made, Model):
        raise ArtefactError(f"{recipe.loader} gave a {type(made).__name__}, which is no model")
    return made


def _loader(target: str) -> Callable[..., object]:
    module, _, name = target.partition(":")
    try:
        found: object = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise ArtefactError(f"there is no {target} here: {error}") from error
    if not callable(found):
        raise ArtefactError(f"{target} is no function that makes a model")
    return found
