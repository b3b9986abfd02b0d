"""Spawning: how the process of a trainer and its folder begin and end. All of it may take long: call it in a thread."""

from __future__ import annotations

import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rxml.children import environment

if TYPE_CHECKING:
    from rxml.learning.facade.config import LearningConfig

_LOG: Final = logging.getLogger("rxml.learning")
_GUARD: Final = str(Path(__file__).with_name("guard.py"))
_ROUND: Final = 0.005
_ROUNDS: Final = 2000
"""Looks, and seconds between them, until a guard that was told to end everything has done so."""

_FOLDERS: Final = ("TMPDIR", "JOBLIB_TEMP_FOLDER")


def new_folder() -> Path:
    """One that nobody else has."""
    return Path(tempfile.mkdtemp(prefix="rxml-learning-"))


def spawned(channel: int, folder: Path, config: LearningConfig) -> subprocess.Popen[bytes]:
    """The guard of a trainer, which ends both when its standard input is closed."""
    trainer = [sys.executable, "-m", "rxml.learning.facade.worker", str(channel)]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and modules
        [sys.executable, "-I", "-S", _GUARD, str(channel), str(folder), *trainer],
        pass_fds=(channel,),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        start_new_session=True,
        env={
            **environment(config.threads),
            **dict.fromkeys(_FOLDERS, str(folder)),
            "PYTHONHASHSEED": str(config.seed % 2**32),
        },
    )


def ended(process: subprocess.Popen[bytes]) -> int:
    """End a guard with all that its trainer has started; the trainer's exit status."""
    if process.returncode is not None:
        return process.returncode
    if process.stdin is not None:
        process.stdin.close()
    with suppress(ChildProcessError, ProcessLookupError, PermissionError):
        _await_death(process.pid)
        # it has not been waited for yet: its number, which is that of its group, is its own until then
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _await_death(pid: int) -> None:
    for _ in range(_ROUNDS):
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return
        select.select([], [], [], _ROUND)


def removed(folder: Path) -> None:
    """A folder is no more, with all that is in it; what cannot be removed is logged."""
    with suppress(FileNotFoundError):
        try:
            shutil.rmtree(folder)
        except PermissionError:
            _open_up(folder)
            shutil.rmtree(folder, onerror=_left)


def _open_up(folder: Path) -> None:
    """A trainer may have taken away its own right to remove what it has made."""
    with suppress(OSError):
        folder.chmod(0o700)
        for where, folders, _ in os.walk(folder):
            for each in (Path(where, name) for name in folders):
                if not each.is_symlink():
                    each.chmod(0o700)


def _left(_: object, path: str, why: tuple[Any, Any, Any]) -> None:
    _LOG.warning("%s cannot be removed: %s", path, why[1])


def manner(status: int) -> str:
    """How a process has ended, in words."""
    if status >= 0:
        return f"its process ended with status {status}"
    with suppress(ValueError):
        return f"its process was killed by {signal.Signals(-status).name}"
    return f"its process was killed by signal {-status}"
