"""Take files out of the wheels in a folder, and the wheels away: `bundled.py FOLDER MEMBER...`."""

from __future__ import annotations

import sys
from pathlib import Path
from zipfile import ZipFile


def main(folder: Path, members: list[str]) -> None:
    """Each member, a path within one of the wheels, becomes a file of its last name in the folder."""
    for wheel in sorted(folder.glob("*.whl")):
        with ZipFile(wheel) as archive:
            for member in set(members) & set(archive.namelist()):
                (folder / Path(member).name).write_bytes(archive.read(member))
        wheel.unlink()
    missing = [member for member in members if not (folder / Path(member).name).exists()]
    if missing:
        raise SystemExit(f"no wheel in {folder} has {', '.join(missing)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
