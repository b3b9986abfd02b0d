"""`rxml models`: what is in a registry, in lines; publishing, promoting, going back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rxml.batch import Field, Schema
from rxml.cli.failure import CommandError
from rxml.cli.plain import plain, plain_json
from rxml.errors import SchemaError
from rxml.models.artefacts.packages import drift
from rxml.models.registry import About, Coverage, FactRange, Registry, import_mlflow
from rxml.models.registry.moving import ANYWHERE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from rxml.models.registry import Version

_MISSING: Final = "-"


def models(options: argparse.Namespace) -> None:
    """Do what was asked.

    Raises:
        CommandError: it cannot be done, and why.
        RegistryError: the registry cannot be used, or refuses it, and why.
    """
    path = Path(options.registry)
    if options.action != "publish" and not path.is_dir():
        raise CommandError(f"there is no registry at {path}")
    try:
        _ACTIONS[options.action](Registry(path), options)
    except ModuleNotFoundError as error:
        raise CommandError(str(error)) from error


def _list(registry: Registry, options: argparse.Namespace) -> None:
    if options.model:
        _versions(registry, options)
        return
    rows = [_named(registry, name) for name in registry.names()]
    if options.json:
        _print_json(rows)
        return
    for row in rows:
        aliases = ", ".join(f"{alias} {version}" for alias, version in row["aliases"].items())
        print(f"{plain(row['name']):<24}{row['versions']:>6}  {aliases or _MISSING}")


def _named(registry: Registry, name: str) -> dict[str, Any]:
    aliases = {alias: shown.version for alias, shown in sorted(registry.aliases(name).items())}
    return {"name": name, "versions": len(registry.versions(name)), "aliases": aliases}


def _versions(registry: Registry, options: argparse.Namespace) -> None:
    shown: dict[str, list[str]] = {}
    for alias, version in sorted(registry.aliases(options.model).items()):
        shown.setdefault(version.version, []).append(alias)
    rows = [
        _row(version, shown.get(version.version, []))
        for version in registry.versions(options.model)
    ]
    if options.json:
        _print_json(rows)
        return
    for row in rows:
        there = ", ".join(row["aliases"]) or _MISSING
        print(f"{row['version']:>6}  {_moment(row['created'])}  {row['size']:>14,}  {there}")


def _row(version: Version, aliases: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"name": version.name, "version": version.version}
    return row | {
        "digest": version.digest,
        "size": version.size,
        "created": version.created,
        "aliases": aliases,
    }


def _show(registry: Registry, options: argparse.Namespace) -> None:
    version = registry.find(options.reference)
    manifest = version.manifest
    changed = drift(manifest.packages)
    if options.json:
        told = {**msgspec.to_builtins(manifest), "drift": changed}
        _print_json(told)
        return
    rows: list[tuple[str, Any]] = [
        ("version", version),
        ("digest", manifest.digest),
        ("format", manifest.format),
        ("bytes", f"{manifest.size:,}"),
        ("created", _moment(manifest.created)),
        ("inputs", _forms(version.signature.inputs)),
        ("outputs", _forms(version.signature.outputs)),
        ("metrics", ", ".join(f"{name} {value:g}" for name, value in manifest.metrics.items())),
        ("coverage", _coverage(manifest.coverage)),
        ("features", manifest.features),
        ("facts", f"{manifest.facts.start}:{manifest.facts.stop}" if manifest.facts else ""),
        ("parent", manifest.parent),
        ("packages", ", ".join(f"{name} {number}" for name, number in manifest.packages.items())),
        ("drift", ", ".join(f"{name} is {now or 'gone'}" for name, (_, now) in changed.items())),
        ("notes", manifest.notes),
    ]
    _print_rows(rows)


def _coverage(record: Coverage | None) -> str:
    if record is None:
        return ""
    bounds = f", in the long run {record.lower:.3g} to {record.upper:.3g}"
    known = (record.lower, record.upper) != (0.0, 1.0)
    return f"{record.covered:.3g} of {record.rows:,} rows within {record.level:g}{bounds if known else ''}"


def _forms(schema: Schema) -> str:
    return ", ".join(f"{field.name} {field.form}" for field in schema.values())


def _publish(registry: Registry, options: argparse.Namespace) -> None:
    about: About = {
        "metrics": dict(options.metric),
        "features": options.features,
        "coverage": Coverage(*options.coverage) if options.coverage else None,
        "facts": FactRange(*options.facts) if options.facts else None,
        "parent": options.parent,
        "notes": options.notes,
    }
    path = Path(options.file)
    inputs = _inputs(options.input)
    trust, digest = options.trust, options.digest
    if path.is_dir():
        made = import_mlflow(registry, options.model, path, trust=trust, digest=digest, **about)
    else:
        made = registry.publish(
            options.model, path, inputs=inputs, trust=trust, digest=digest, **about
        )
    if options.alias:
        registry.promote(options.model, options.alias, made)
    _told(made, options)


def _inputs(given: Iterable[tuple[str, str]]) -> Schema | None:
    try:
        fields = [Field(name, str if dtype == "str" else dtype) for name, dtype in given]
        return Schema(fields) if fields else None
    except SchemaError as error:
        raise CommandError(f"--input: {error}") from error


def _promote(registry: Registry, options: argparse.Namespace) -> None:
    expect = ANYWHERE if options.expect is None else options.expect
    made = registry.promote(
        options.model,
        options.alias,
        options.version,
        expect=None if expect == "none" else expect,
    )
    _told(made, options)


def _rollback(registry: Registry, options: argparse.Namespace) -> None:
    _told(
        registry.rollback(options.model, options.alias, expect=options.expect or ANYWHERE), options
    )


def _told(version: Version, options: argparse.Namespace) -> None:
    if options.json:
        _print_json(_row(version, []))
    else:
        print(f"{version} {version.digest}")


def _diff(registry: Registry, options: argparse.Namespace) -> None:
    found = registry.diff(options.before, options.after)
    if options.json:
        _print_json({path: list(both) for path, both in found.items()})
        return
    for path, both in found.items():
        before, after = (_MISSING if each is None else plain(str(each)) for each in both)
        print(f"{plain(path):<32}{before}  ->  {after}")


def _print_rows(rows: Iterable[tuple[str, Any]]) -> None:
    for name, value in rows:
        print(f"{name:<12}{plain(str(value)) or _MISSING}")


def _print_json(value: Any) -> None:
    print(plain_json(msgspec.json.encode(value).decode()))


def _moment(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_ACTIONS: Final[dict[str, Callable[[Registry, argparse.Namespace], None]]] = {
    "list": _list,
    "show": _show,
    "publish": _publish,
    "promote": _promote,
    "rollback": _rollback,
    "diff": _diff,
}
