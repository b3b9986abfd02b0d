"""What one does with a stream: the operators, a family a file.

The code lives here; it is imported as `rxml.operators`, through the link `rxml/operators`:

    from rxml import operators as ops
"""

from __future__ import annotations

if __name__ != "rxml.operators":
    # A second copy of every operator would be loaded, whose classes and errors are not the real ones.
    raise ImportError(
        f"the operators of rxml were imported as {__name__!r}, which would load them a second time; "
        "write `from rxml import operators as ops` instead"
    )

from rxml.operators.transform import map, scan  # noqa: A004 - reactivex's names

__all__ = ["map", "scan"]
