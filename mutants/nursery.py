"""A process from which each changed program is born: what costs time to import is there already, nothing of ours is.

It reads one job a line and answers with one line, both JSON. The changed file is handed to the import system and is
never written into the tree, so that several can be tried at once. All other files are read from the tree each time: it
should stay as it is until the end.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

# Imported before anything is changed; none of these may ask for Django's settings.
COMMON = (
    "axe_playwright_python.sync_playwright",
    "celery",
    "cryptography.fernet",
    "django.core.management",
    "django.db.backends.postgresql.base",
    "django.forms",
    "django.test",
    "highspy",
    "hypothesis.strategies",
    "icalendar",
    "numpy",
    "openpyxl",
    "PIL.Image",
    "playwright.sync_api",
    "psycopg2",
    "pytest",
    "pytest_django.plugin",
    "segno",
    "tablib",
    "time_machine",
    "xdist.plugin",
)
MEMORY = 6 * 2**30  # bytes of addresses: a loop without an end must not take the machine


class _Changed(importlib.machinery.SourceFileLoader):
    """Loads one module from a text in place of its file."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self.text = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.text, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, path: str, source: str) -> None:
        self.name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        self.path, self.source = path, source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        place = str(Path(self.path).resolve())
        return importlib.util.spec_from_file_location(fullname, place, loader=_Changed(fullname, place, self.source))


def _be_born(job: dict[str, Any]) -> int:
    """Run the tests of a job on the changed file in this process; return pytest's exit code."""
    import pytest  # noqa: PLC0415  loaded by who does the work alone
    from hypothesis import Phase, settings  # noqa: PLC0415  loaded by who does the work alone

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.environ["PYTEST_XDIST_WORKER"] = job["worker"]  # the name of its database
    if job["source"] is not None:
        sys.meta_path.insert(0, _Finder(job["path"], job["source"]))
    # The same examples each time; what fails need not be made smaller first, and is not kept for later runs.
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", database=None, derandomize=True, phases=phases)
    settings.load_profile("mutants")
    # Plugins that are imported before pytest starts are not rewritten by it, which is a warning and nothing else.
    quiet = ["-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main(["-x", "-q", "--tb=short", *quiet, *job["tests"]]))


def _run(job: dict[str, Any]) -> dict[str, Any]:
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.setsid()
            log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            for stream in (1, 2):
                os.dup2(log, stream)
            code = _be_born(job)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    status = _wait(child, begun + job["seconds"])
    code = None if status is None else os.waitstatus_to_exitcode(status)
    return {"code": code, "seconds": time.monotonic() - begun}


def _wait(child: int, deadline: float) -> int | None:
    """Return how a child ended; None if it had to be ended."""
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def main() -> None:
    """Work off jobs until there are no more."""
    for name in COMMON:
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(_run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
