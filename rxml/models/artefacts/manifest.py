"""Manifest: what is known of a version of a model, in a form that has a number of its own."""

from __future__ import annotations

from typing import Final, Protocol, Self

import msgspec

from rxml.batch import Field, Schema
from rxml.errors import ArtefactError, PipelineError, SchemaError
from rxml.models.signature import Signature, Uncertainty

FORMAT: Final = 1
"""Of manifests. Raise it when an older rxml would misread a newer one."""


class FieldForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A field of a schema in JSON; see `rxml.batch.Field`."""

    name: str
    dtype: str
    shape: tuple[int, ...] = ()
    nullable: bool = False
    kind: str = "array"


class SignatureForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A signature in JSON; see `rxml.models.Signature`."""

    inputs: tuple[FieldForm, ...]
    outputs: tuple[FieldForm, ...]
    uncertainty: Uncertainty = "none"


class FactRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The facts that a model was trained on: offsets start <= i < stop of a log.

    Attributes:
        start: the first offset, >= 0.
        stop: the offset behind the last, >= start.
        log: which log, in words that mean something to people.
    """

    start: int
    stop: int
    log: str = ""


class Reported(Protocol):
    """A report of coverage, such as `rxml.learning.CoverageReport`."""

    @property
    def level(self) -> float:
        """That is promised."""
        ...

    @property
    def labels(self) -> int:
        """Predictions whose labels came."""
        ...

    @property
    def share(self) -> float:
        """Covered of labelled."""
        ...

    @property
    def interval(self) -> tuple[float, float]:
        """Within which the share lies in the long run."""
        ...


class Coverage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How well the intervals of a model hold what came out.

    Attributes:
        level: promised share, 0 < level < 1.
        covered: the share that was inside, 0 to 1.
        rows: on which that was measured, >= 1.
        worlds: that predictions were drawn from; 0 if none were.
        lower: bound of the share that is inside in the long run, <= covered; 0 if none is known.
        upper: bound of it, >= covered; 1 if none is known.
    """

    level: float
    covered: float
    rows: int
    worlds: int = 0
    lower: float = 0.0
    upper: float = 1.0

    @classmethod
    def of(cls, report: Reported, *, worlds: int = 0) -> Self:
        """The record of what `rxml.learning.Coverage` has seen: `Coverage.of(coverage.now)`.

        Args:
            report: with one label at least.
            worlds: that predictions were drawn from.
        """
        return cls(report.level, report.share, report.labels, worlds, *report.interval)


class RecipeForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the model is made again.

    Attributes:
        loader: `module:function`.
        arguments: of it, a message of `rxml.wire`, with None where the artefact's bytes belong.
        blob: which argument is the artefact's bytes; None if the recipe is the artefact.
    """

    loader: str
    arguments: bytes
    blob: int | None = None


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known of a version; `docs/how-to-registry.md` has an example.

    Attributes:
        manifest: `FORMAT` of what wrote it.
        name: of the model.
        version: of that name: "1", "2", …
        format: of the artefact: onnx, skops, safetensors, npz, function, joblib.
        digest: of the artefact.
        size: of the artefact in bytes.
        created: nanoseconds since 1970 UTC.
        signature: of the model.
        recipe: how it is made again.
        metrics: by name, finite numbers.
        features: version of the feature set that it was trained with.
        facts: that it was trained on.
        parent: the version that it came from, `name:version`.
        coverage: record of its intervals.
        packages: versions of what it was made with, by package.
        notes: what people should know.
        examples: rows to warm up with, a batch as a message of `rxml.wire`; empty: none.
    """

    manifest: int
    name: str
    version: str
    format: str
    digest: str
    size: int
    created: int
    signature: SignatureForm
    recipe: RecipeForm
    metrics: dict[str, float] = {}
    features: str = ""
    facts: FactRange | None = None
    parent: str = ""
    coverage: Coverage | None = None
    packages: dict[str, str] = {}
    notes: str = ""
    examples: bytes = b""


class _Number(msgspec.Struct):
    manifest: int


_NUMBER: Final = msgspec.json.Decoder(_Number)
_DECODER: Final = msgspec.json.Decoder(Manifest)


def manifest_of(text: bytes, where: str) -> Manifest:
    """The manifest that a text holds.

    Args:
        text: JSON.
        where: it stands, for errors: `price:3`.

    Raises:
        ArtefactError: a newer rxml has written it, or it is none.
    """
    try:
        number = _NUMBER.decode(text).manifest
        if number > FORMAT:
            raise ArtefactError(
                f"{where} has a manifest of format {number}, this rxml knows up to {FORMAT}: use a newer rxml"
            )
        return _DECODER.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ArtefactError(f"the manifest of {where} is damaged: {error}") from error


def signature_form(signature: Signature) -> SignatureForm:
    """The signature in JSON."""
    return SignatureForm(_forms(signature.inputs), _forms(signature.outputs), signature.uncertainty)


def signature_of(form: SignatureForm) -> Signature:
    """The signature that JSON stands for.

    Raises:
        ArtefactError: it is none.
    """
    try:
        return Signature(_schema(form.inputs), _schema(form.outputs), form.uncertainty)
    except (SchemaError, PipelineError) as error:
        raise ArtefactError(f"the manifest has no signature: {error}") from error


def _forms(schema: Schema) -> tuple[FieldForm, ...]:
    return tuple(
        FieldForm(
            field.name,
            "str" if field.text else field.dtype.str,
            field.shape,
            field.nullable,
            field.kind,
        )
        for field in schema.values()
    )


def _schema(forms: tuple[FieldForm, ...]) -> Schema:
    return Schema(
        Field(form.name, form.dtype, form.shape, nullable=form.nullable, kind=form.kind)
        for form in forms
    )
