"""Draw a sample of changes, run the tests on each, and print what no test noticed.

Exits with 1 when fewer than `AIM` per cent were noticed, not counting those that `equivalent.toml` explains.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO

from mutants.operators import Mutant
from mutants.sample import BASE, File, draw, equivalents, everything, files

AIM = 90
# How long the tests of a change may take: so many times what they take on the code as it is, and so many seconds.
TIMES, SECONDS = 4, 10.0
KILLED, SURVIVED, TIMEOUT, EXCUSED = "killed", "survived", "timed out", "equivalent"
PASSED = 0
# A test failed, or files could not be collected, pytest or a conftest.py broke, or the process that ran it.
BROKE_ON_IT = {1, 2, 3, 4, 70}


class Broken(Exception):
    """The tests cannot be run; the message is for the person at the keyboard."""


Outcome = tuple[File, Mutant, str, float]


class Nursery:
    """One process that tries changes, with a database of its own."""

    def __init__(self, number: int, folder: Path) -> None:
        self.worker, self._log = f"mutants{number}", folder / f"{number}.log"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mutants.nursery"],
            cwd=BASE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, file: File, source: str | None, seconds: float) -> tuple[int | None, float]:
        """Run the tests of a file on another text of it; return pytest's exit code (None: no end) and seconds."""
        job = {
            "path": file.path,
            "source": source,
            "tests": file.tests,
            "seconds": seconds,
            "worker": self.worker,
            "log": str(self._log),
        }
        asked, answer = _pipes(self._process)
        asked.write(json.dumps(job) + "\n")
        asked.flush()
        line = answer.readline()
        if not line:
            raise Broken(f"The process that tries changes has ended with {self._process.wait()}.")
        found = json.loads(line)
        return found["code"], found["seconds"]

    def end_of_log(self) -> str:
        """Return the last lines that pytest wrote."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])

    def close(self) -> None:
        """Let it end."""
        _pipes(self._process)[0].close()
        self._process.wait()


def _pipes(process: "subprocess.Popen[str]") -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def durations(nurseries: Sequence[Nursery], wanted: Sequence[File]) -> dict[File, float]:
    """Return how long the tests of each file take on the code as it is; they must pass."""
    found: dict[File, float] = {}
    for file in wanted:
        code, seconds = nurseries[0].run(file, None, 900)
        if seconds > 15:  # the first that needs a database waits until one is migrated
            code, seconds = nurseries[0].run(file, None, 900)
        if code != PASSED:
            raise Broken(f"The tests of {file.path} do not pass:\n{nurseries[0].end_of_log()}")
        found[file] = seconds
        print(f"  {seconds:5.1f} s  {file.path}", flush=True)
    return found


def attempt(nursery: Nursery, file: File, mutant: Mutant, limit: float) -> Outcome:
    """Run the tests on a change, for `limit` seconds at most, and return what became of it."""
    code, seconds = nursery.run(file, mutant.source, limit)
    if code is None:
        return file, mutant, TIMEOUT, seconds
    if code == PASSED:
        excused = any(each.is_of(mutant) for each in equivalents())
        return file, mutant, EXCUSED if excused else SURVIVED, seconds
    if code > 0 and code not in BROKE_ON_IT:
        raise Broken(f"pytest ended with {code}:\n{nursery.end_of_log()}")
    return file, mutant, KILLED, seconds


def trial(nurseries: Sequence[Nursery], drawn: Sequence[tuple[File, Mutant]], took: dict[File, float]) -> list[Outcome]:
    """Try every change, one at a time in each nursery; return what became of them."""
    waiting: SimpleQueue[tuple[File, Mutant]] = SimpleQueue()
    # The slow ones first, so that no nursery is left with one at the end.
    for each in sorted(drawn, key=lambda each: -took[each[0]]):
        waiting.put(each)
    found: list[Outcome] = []
    broken: list[Broken] = []

    def work(nursery: Nursery) -> None:
        while not broken:
            try:
                file, mutant = waiting.get_nowait()
                outcome = attempt(nursery, file, mutant, TIMES * took[file] + SECONDS)
            except Empty:
                return
            except Broken as error:
                broken.append(error)
                return
            found.append(outcome)
            if outcome[2] == SURVIVED:
                print(f"{len(found):4}/{len(drawn)} {_text(mutant)}", flush=True)

    threads = [threading.Thread(target=work, args=[each]) for each in nurseries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]
    assert len(found) == len(drawn)
    return found


def _text(mutant: Mutant) -> str:
    lines = [f"{mutant.path}:{mutant.line} {mutant.function}".rstrip()]
    lines += [f"    - {line}" for line in mutant.before.splitlines()]
    lines += [f"    + {line}" for line in mutant.after.splitlines()]
    return "\n".join(lines)


def report(found: Sequence[Outcome]) -> float:
    """Print what became of the changes by subject; return per cent noticed of those that could be."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for file, _mutant, said, _seconds in found:
        counts[file.subject][said] += 1
        counts["all"][said] += 1
    order = [*sorted(set(counts) - {"all"}), "all"]
    print(f"\n{'':12}{KILLED:>10}{TIMEOUT:>11}{SURVIVED:>10}{EXCUSED:>12}{'noticed':>10}")
    share = 0.0
    for name in order:
        row = counts[name]
        noticed, other = row[KILLED] + row[TIMEOUT], row[SURVIVED]
        share = 100 * noticed / (noticed + other) if noticed + other else 100.0
        numbers = f"{row[KILLED]:10}{row[TIMEOUT]:11}{row[SURVIVED]:10}{row[EXCUSED]:12}"
        print(f"{name:12}{numbers}{share:9.1f}%")
    return share


def main() -> int:
    """Do what the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("subjects", nargs="*", help="all of them when none is named")
    parser.add_argument("--size", type=int, default=400, help="how many changes to draw; 0 for every one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--function", help="changes of this function alone")
    given = parser.parse_args()
    begun = time.monotonic()
    wanted = [each for each in files() if not given.subjects or each.subject in given.subjects]
    if not wanted:
        parser.error(f"no such subject: {', '.join(given.subjects)}")
    there: dict[File, list[Mutant]] = everything(wanted)
    for stale in (each for each in equivalents() if each.path in {file.path for file in wanted}):
        if not any(stale.is_of(mutant) for some in there.values() for mutant in some):
            print(f"equivalent.toml names a change that there is not any more: {stale}")
    if given.function:
        there = {file: [each for each in some if each.function == given.function] for file, some in there.items()}
    number = sum(map(len, there.values()))
    drawn = draw(there, given.size or number, given.seed)
    print(f"{len(drawn)} of {number} changes, seed {given.seed}. The tests on the code as it is:", flush=True)
    folder = Path(os.environ["PSI_HOME"]).resolve() / "mutants"
    folder.mkdir(parents=True, exist_ok=True)
    # One run of the tests, as far as databases are concerned: they are migrated once.
    os.environ["PYTEST_XDIST_TESTRUNUID"] = f"mutants {os.getpid()}"
    nurseries = [Nursery(i, folder) for i in range(given.at_once)]
    try:
        took = durations(nurseries, sorted({file for file, _ in drawn}, key=lambda file: (file.subject, file.path)))
        found = trial(nurseries, drawn, took)
    except Broken as error:
        raise SystemExit(str(error)) from None
    finally:
        for each in nurseries:
            each.close()
    (folder / "survivors.txt").write_text(
        "".join(f"{_text(mutant)}\n" for _, mutant, said, _ in found if said == SURVIVED)
    )
    share = report(found)
    print(f"seed {given.seed}, {time.monotonic() - begun:.0f} s; aim {AIM} %")
    return 0 if share >= AIM else 1


if __name__ == "__main__":
    sys.exit(main())
