"""`rxml models` as a person types it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from rxml.cli.main import main
from rxml.models.artefacts import linear
from rxml.models.registry import Coverage, Registry
from tests.cli.helpers import rxml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> str:
    registry = Registry(tmp_path / "models")
    registry.publish("price", linear({"area": 1.0}), metrics={"rmse": 2.0})
    registry.publish("price", linear({"area": 2.0}), metrics={"rmse": 1.5}, notes="a\x1b[31mb")
    registry.promote("price", "champion", 1)
    return str(tmp_path / "models")


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        status = main(["models", *arguments])
        out, err = capsys.readouterr()
        assert (status, err) == (0, "")
        return out

    return run


def told(printed: Callable[..., str], *arguments: str) -> Any:
    return json.loads(printed(*arguments, "--json"))


def test_list_tells_names_and_aliases(folder: str, printed: Callable[..., str]) -> None:
    assert printed("list", folder).split() == ["price", "2", "champion", "1"]
    assert told(printed, "list", folder) == [
        {"name": "price", "versions": 2, "aliases": {"champion": "1"}}
    ]


def test_list_tells_the_versions_of_a_name(folder: str, printed: Callable[..., str]) -> None:
    lines = printed("list", folder, "price").splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2"]
    assert [line.split()[-1] for line in lines] == ["champion", "-"]
    assert [each["aliases"] for each in told(printed, "list", folder, "price")] == [
        ["champion"],
        [],
    ]


def test_show_tells_what_is_known(folder: str, printed: Callable[..., str]) -> None:
    rows = dict(line.split(maxsplit=1) for line in printed("show", folder, "price").splitlines())
    assert rows["version"] == "price:2"
    assert rows["inputs"] == "area float64"
    assert rows["metrics"] == "rmse 1.5"
    assert rows["notes"] == r"a\x1b[31mb"
    assert rows["drift"] == "-"
    found = told(printed, "show", folder, "price@champion")
    assert (found["version"], found["metrics"], found["drift"]) == ("1", {"rmse": 2.0}, {})


def test_publish_promote_and_go_back(
    folder: str, tmp_path: Path, printed: Callable[..., str]
) -> None:
    path = tmp_path / "m.npz"
    path.write_bytes(linear({"area": 3.0, "rooms": 1.0}).data)
    made = printed(
        "publish", folder, "price", str(path), "--input", "area", "--input", "rooms:float64",
        "--metric", "rmse=1.25", "--features", "v2", "--facts", "10:20", "--parent", "price:2",
        "--alias", "shadow",
    )  # fmt: skip
    assert made.split()[0] == "price:3"
    registry = Registry(folder)
    manifest = registry.find("price@shadow").manifest
    assert (manifest.features, manifest.parent) == ("v2", "price:2")
    assert manifest.facts is not None
    assert manifest.facts.stop == 20
    assert printed("promote", folder, "price", "champion", "3", "--expect", "1").startswith(
        "price:3"
    )
    assert told(printed, "rollback", folder, "price", "champion", "--expect", "3")["version"] == "1"
    assert registry.find("price@champion").version == "1"


def test_diff_tells_what_each_has(folder: str, printed: Callable[..., str]) -> None:
    lines = printed("diff", folder, "price@champion", "price:2").splitlines()
    assert ["metrics.rmse", "2.0", "->", "1.5"] in [line.split() for line in lines]
    assert told(printed, "diff", folder, "price:1", "price:2")["metrics.rmse"] == [2.0, 1.5]
    assert printed("diff", folder, "price:1", "price:1") == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "FOLDER", "prize"], "no model is named 'prize': there are price"),
        (["promote", "FOLDER", "price", "champion", "2", "--expect", "2"], "shows 1, not 2"),
        (
            ["promote", "FOLDER", "price", "champion", "2", "--expect", "none"],
            "shows 1, not nothing",
        ),
        (["rollback", "FOLDER", "price", "champion"], "nothing to go back to"),
        (["list", "FOLDER/absent"], "there is no registry at"),
        (["publish", "FOLDER", "price", "absent.onnx"], "No such file"),
        (["publish", "FOLDER", "price", "m.npz", "--input", "a:evil"], "is no dtype"),
    ],
)
def test_what_cannot_be_done_is_told_and_is_1(
    arguments: list[str], words: str, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", *[each.replace("FOLDER", folder) for each in arguments]]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("rxml models: ")
    assert words in err


@pytest.mark.parametrize(
    "wrong",
    [
        ["--metric", "rmse"],
        ["--metric", "a=nan"],
        ["--facts", "9:1"],
        ["--input", ":f"],
        ["--coverage", ".9:.9"],
    ],
)
def test_what_is_no_argument_is_2(
    wrong: list[str], folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["models", "publish", folder, "price", "m.onnx", *wrong])
    assert caught.value.code == 2
    assert "wants" in capsys.readouterr().err


def test_show_tells_how_intervals_hold(folder: str, printed: Callable[..., str]) -> None:
    registry = Registry(folder)
    record = Coverage(0.9, 0.893, 5000, lower=0.875, upper=0.91)
    registry.publish("price", linear({"area": 2.0}), coverage=record)
    assert "0.893 of 5,000 rows within 0.9, in the long run 0.875 to 0.91" in printed(
        "show", folder, "price:3"
    )
    registry.publish("price", linear({"area": 2.0}), coverage=Coverage(0.9, 0.893, 5000))
    assert "0.893 of 5,000 rows within 0.9\n" in printed("show", folder, "price:4")


def test_it_is_a_command(folder: str) -> None:
    done = rxml("models", "list", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[0] == "price"
