"""The pictures of the documentation are what the code draws, and need nothing from elsewhere."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.house.pictures.__main__ import FOLDER
from tests.house.pictures.scenes import SCENES
from tests.house.sources import ROOT


@pytest.mark.parametrize("name", SCENES)
def test_a_picture_is_what_the_code_draws(name: str) -> None:
    drawn = SCENES[name]()
    stored = (FOLDER / name).read_text(encoding="utf-8")
    assert stored == drawn, "run: python -m tests.house.pictures"


def test_no_picture_is_left_from_code_that_is_gone() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(SCENES)


@pytest.mark.parametrize("name", SCENES)
def test_a_picture_tells_what_it_shows_and_loads_nothing(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    root = ET.fromstring(text)
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert len(title.text or "") > 40
    assert not [word for word in ("href", "url(", "@import", "<script") if word in text]


@pytest.mark.parametrize("name", SCENES)
def test_a_picture_stands_in_a_page_with_a_text_for_who_cannot_see_it(name: str) -> None:
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")]
    assert [
        page
        for page in pages
        if f"](pictures/{name})" in page and f"![](pictures/{name})" not in page
    ]
