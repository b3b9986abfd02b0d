"""What the recipes and digests of adapters are made of: names of functions, forms of schemas, hashes of bytes."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING, Any

from typing_extensions import TypeIs

from rxml.batch import Field, Schema
from rxml.errors import ModelError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def digest_of(*parts: bytes) -> str:
    """`sha256:` and the hash of one run of bytes; of several, so that none can be taken for another split of them."""
    if len(parts) == 1:
        return f"sha256:{sha256(parts[0]).hexdigest()}"
    return digest_of(b"".join(sha256(part).digest() for part in parts))


def path_of(function: Callable[..., Any]) -> str:
    """`module:qualname`, from which another process gets the same function.

    Raises:
        ModelError: it is a lambda, made in another function, in `__main__`, or not what that name stands for.
    """
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", None)
    wanted = "give a function written at the top of a module"
    if not isinstance(module, str) or not isinstance(name, str):
        raise ModelError(f"{function!r} has no name by which another process finds it: {wanted}")
    if "<lambda>" in name or "<locals>" in name:
        raise ModelError(
            f"{module}:{name} is made where it runs, another process cannot find it: {wanted}"
        )
    if module == "__main__":
        raise ModelError(
            f"{name} is in the program that was started, which another process is not: {wanted} that can be imported"
        )
    if resolved(f"{module}:{name}") is not function:
        raise ModelError(f"{module}:{name} stands for something else than {function!r}: {wanted}")
    return f"{module}:{name}"


def resolved(path: str) -> Any:
    """What `module:qualname` stands for; the module is imported.

    Raises:
        ModelError: there is no such module, or nothing of that name in it.
    """
    module, colon, name = path.partition(":")
    if not colon or not module or not name:
        raise ModelError(
            f"a function is named 'module:name', such as 'shop.models:price', got {path!r}"
        )
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ModelError(f"there is no {path}: {error}") from error
    return found


def made_by(path: str) -> Any:
    """What the function of that name makes, called without arguments.

    Raises:
        ModelError: there is no such function.
    """
    factory = resolved(path)
    if not callable(factory):
        raise ModelError(f"{path} is {factory!r}: give the name of a function that makes the model")
    return factory()


def is_series(value: object) -> TypeIs[list[Any] | tuple[Any, ...]]:
    """Whether it is a list or a tuple."""
    return isinstance(value, list | tuple)


def is_mapping(value: object) -> TypeIs[Mapping[str, Any]]:
    """Whether it is a mapping, whose keys are names."""
    return isinstance(value, Mapping)


def form_of(schema: Schema) -> list[list[Any]]:
    """A schema as plain values."""
    return [
        [f.name, "str" if f.text else f.dtype.str, list(f.shape), f.nullable, f.kind]
        for f in schema.values()
    ]


def schema_from(form: Iterable[Iterable[Any]]) -> Schema:
    """The schema of such values.

    Raises:
        ModelError: they are none.
    """
    try:
        return Schema(
            Field(name, dtype, tuple(shape), nullable=bool(nullable), kind=kind)
            for name, dtype, shape, nullable, kind in form
        )
    except (SchemaError, TypeError, ValueError) as error:
        raise ModelError(f"what a recipe says of a schema is none: {error}") from error
