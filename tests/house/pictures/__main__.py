"""Draw the pictures of the documentation: `python -m tests.house.pictures`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.house.pictures.scenes import SCENES

FOLDER: Final = Path(__file__).resolve().parents[3] / "docs" / "pictures"

if __name__ == "__main__":
    for name, scene in SCENES.items():
        (FOLDER / name).write_text(scene(), encoding="utf-8")
