"""Report: a case's numbers as text, ratios first, and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from benchmarks.case import OURS
from benchmarks.verdict import Spread, ratios, rulings, spread, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.case import Case
    from benchmarks.contest import Record
    from benchmarks.verdict import Ruling

VERDICTS = {True: "met", False: "MISSED", None: "not measured"}


def text(case: Case, records: Mapping[str, Record], *, size: int, rounds: int) -> str:
    """The whole report of one case."""
    title = f"{case.name}: {case.what}, {size:,} {case.unit}, {rounds} rounds in turns"
    lines = [title, f"  limit: {case.limit}"]
    lines += [f"  {_ruling(ruling)}" for ruling in rulings(case, records)]
    lines += [f"  {line}" for line in _others(case, records)]
    lines += [f"  {_contestant(case, name, record, size)}" for name, record in records.items()]
    lines += [f"  WRONG {complaint}" for complaint in wrong(case, records)]
    return "\n".join(lines)


def _ruling(ruling: Ruling) -> str:
    must = ruling.must
    ratio = _times(ruling.ratio) if ruling.ratio else "-"
    kind = {"speed": "as fast as", "cost": "of", "within": "of our"}[must.kind]
    measure = "" if must.measure == "seconds" else f"{must.measure}, "
    asked = f"{measure}must be {must.text}: {VERDICTS[ruling.met]}"
    return f"{ratio} {kind} {must.against:<10} {asked}{_quieter(ruling)}"


def _quieter(ruling: Ruling) -> str:
    """The ratio as a machine with nothing else to do might show it."""
    parts = [f"best to best {ruling.best:.2f}x"] if ruling.best is not None else []
    if ruling.processor is not None:
        parts.append(f"processor time {ruling.processor.median:.2f}x")
    return f" ({', '.join(parts)})" if parts else ""


def _others(case: Case, records: Mapping[str, Record]) -> list[str]:
    """Ratios that no must speaks of: they are shown all the same."""
    ours = records[OURS]
    named = {(must.against, must.measure) for must in case.musts}
    found: list[str] = []
    for name, record in records.items():
        for measure in case.shown:
            ratio = ratios(ours.values(measure), record.values(measure), speed=measure == "seconds")
            if name != OURS and (name, measure) not in named and ratio is not None:
                kind = "as fast as" if measure == "seconds" else "of"
                shown = "" if measure == "seconds" else f"{measure}"
                found.append(f"{_times(ratio)} {kind} {name:<10} {shown}".rstrip())
    return found


def _contestant(case: Case, name: str, record: Record, size: int) -> str:
    if not record.rounds:
        return f"{name:<10} {record.failure or 'did not run'}"
    shown = [_measure(measure, spread(record.values(measure)), size) for measure in case.shown]
    return f"{name:<10} {'; '.join(shown)}  [{record.how}]"


def _measure(measure: str, values: Spread | None, size: int) -> str:
    if values is None:
        return f"{measure} -"
    if measure == "seconds":
        speed = f"{size / values.median:,.0f}/s"
        return f"{values.median:.4f} s ({values.least:.4f}..{values.most:.4f}), {speed}"
    if measure.endswith("_seconds"):
        shown = [f"{1e6 * value:,.1f}" for value in (values.median, values.least, values.most)]
        return f"{measure.removesuffix('_seconds')} {shown[0]} us ({shown[1]}..{shown[2]})"
    return f"{measure} {values.median:,.0f} ({values.least:,.0f}..{values.most:,.0f})"


def _times(values: Spread) -> str:
    return f"{values.median:5.2f}x ({values.least:.2f}..{values.most:.2f})"


def document(
    case: Case, records: Mapping[str, Record], *, size: int, rounds: int
) -> dict[str, Any]:
    """The report of one case as JSON."""
    return {
        "case": case.name,
        "what": case.what,
        "limit": case.limit,
        "size": size,
        "unit": case.unit,
        "rounds": rounds,
        "musts": [{**asdict(r), "text": r.must.text} for r in rulings(case, records)],
        "contestants": {name: asdict(record) for name, record in records.items()},
        "wrong": wrong(case, records),
    }
