"""The browser of the journeys: `find()` says where one is, `python -m tests.chromium` gets one."""

import functools
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CACHES = (Path.home() / ".cache/ms-playwright", Path.home() / "Library/Caches/ms-playwright")
IN_CACHE = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*")


def _candidates() -> Iterator[str]:
    yield from filter(None, map(shutil.which, NAMES))
    given = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    for cache in (Path(given),) if given else CACHES:
        for pattern in IN_CACHE:
            yield from map(str, sorted(cache.glob(pattern), reverse=True))


def _runs(path: str) -> bool:
    # Ubuntu's chromium-browser may be a script that only recommends a package; libraries may be missing.
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@functools.cache
def find() -> str | None:
    """Return the path of a Chromium that starts, None when there is none."""
    return next(filter(_runs, _candidates()), None)


def _ways() -> Iterator[list[list[str]]]:
    """Yield what may get a browser, most likely first: each way is a few commands."""
    playwright = [sys.executable, "-m", "playwright", "install"]
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if as_root and Path("/etc/debian_version").exists() and shutil.which("apt-get"):
        if platform.freedesktop_os_release().get("ID") == "debian":
            yield [["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "chromium"]]
        yield [[*playwright, "--with-deps", "chromium"]]
    yield [[*playwright, "chromium"]]


def main() -> int:
    """Make sure that there is a browser; return 0 when there is."""
    if find():
        return 0
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for commands in _ways():
        print(f"No Chromium found, trying: {' && '.join(map(' '.join, commands))}", file=sys.stderr)
        for command in commands:
            if subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode:
                break
        find.cache_clear()
        if find():
            return 0
    print(
        "The browser tests need Chromium: install it (chromium or google-chrome on the PATH).",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
