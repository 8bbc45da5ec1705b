"""Measure everything and print one table; exits with 1 when an aim is missed."""

import random
import sys

import django


def main(asked: list[str]) -> int:
    """Run the measures named on the command line, or all of them."""
    django.setup()
    from django.conf import settings  # noqa: PLC0415  needs the app registry

    from bench import candidates, due, fairness, figures, harness, releases  # noqa: PLC0415  needs the app registry

    # Style sheets need not be collected for pages whose time is measured.
    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.ALLOWED_HOSTS.append("localhost")
    seed = 4
    print(f"seed {seed}, medians of {harness.ROUNDS} interleaved rounds", flush=True)
    lines: list[harness.Line] = []
    with harness.database("psi_bench"):
        if not asked or "candidates" in asked:
            lines += candidates.measure(random.Random(seed))
            print(harness.table(lines), flush=True)
        if not asked or "due" in asked:
            lines += due.nothing_due()
            lines.append(due.windows(5, 1))
            lines.append(due.windows(250, due.WORKERS))
    if not asked or "figures" in asked:
        with harness.database("psi_bench_figures"):
            lines += figures.measure(random.Random(seed))
    if not asked or "releases" in asked:
        took = {each: releases.history(each, seed) for each in releases.VOLUMES}
        lines += [line for each in took for line in releases.gate(each, took[each])]
        with harness.database("psi_bench_releases"):
            lines += releases.pages(took[releases.SHOWN]["releases"])
    if not asked or "fairness" in asked:
        lines += fairness.measure(seed)
    print(harness.table(lines))
    return 1 if any(line.ok is False for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
