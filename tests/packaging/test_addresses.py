"""No committed file names a package registry or a download site: locks are versions and hashes."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# In pieces, so that this file is clean too.
HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pypi", "python", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("unpkg", "com"),
        ("jsdelivr", "net"),
        ("cdnjs", "cloudflare", "com"),
        ("anaconda", "org"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("proxy", "golang", "org"),
        ("maven", "org"),
        ("nodejs", "org"),
        ("deb", "debian", "org"),
        ("archive", "ubuntu", "com"),
        ("download", "pytorch", "org"),
        ("huggingface", "co"),
        ("raw", "githubusercontent", "com"),
        ("objects", "githubusercontent", "com"),
        ("codeload", "github", "com"),
        ("ghcr", "io"),
        ("docker", "io"),
        ("quay", "io"),
    )
]
OPTIONS = ["--" + name for name in ("index-url", "extra-index-url", "find-links", "trusted-host")]
BANNED = re.compile(
    "|".join(
        [rf"(?<![\w-]){re.escape(option)}\b" for option in OPTIONS] + list(map(re.escape, HOSTS))
    ),
    re.IGNORECASE,
)


def committed() -> list[Path]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a checkout: what is committed cannot be known")
    command = [git, "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name]


def addresses(text: str) -> list[str]:
    return [
        f"line {text.count(chr(10), 0, found.start()) + 1}: {found[0]}"
        for found in BANNED.finditer(text)
    ]


def test_no_committed_file_holds_a_registry_or_download_address() -> None:
    held = {
        path.relative_to(ROOT).as_posix(): found
        for path in committed()
        if path.is_file()
        and (found := addresses(path.read_text(encoding="utf-8", errors="replace")))
    }
    assert held == {}


@pytest.mark.parametrize(
    "line",
    [f"see https://{host}/simple/" for host in HOSTS] + [f"{option} x" for option in OPTIONS],
)
def test_each_address_and_option_is_seen(line: str) -> None:
    assert addresses(f"first\n{line}\n")[0].startswith("line 2: ")


def test_options_that_suppress_addresses_are_no_finding() -> None:
    assert addresses("pip-compile --no-emit-index-url --no-emit-find-links") == []
