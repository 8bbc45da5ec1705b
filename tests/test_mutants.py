"""The tool that changes the code: that it finds its files, and makes the changes that matter."""

from mutants import sample
from mutants.operators import mutants

RULE = """
LIMITS = {"pass": (frozenset({"CHECKING"}), "READY"), "drop": (frozenset({"READY"}), "DROPPED")}


def may_publish(folded, total, k, note):
    note.write("Words for people")
    if not folded or total >= k:
        return max(total, 0, key=abs)
    return None
"""


def changes(only: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    return [(each.function, each.after) for each in mutants("rule.py", RULE, only)]


def test_conditions_limits_calls_and_tables_are_changed() -> None:
    found = changes()
    assert [after for function, after in found if function == "may_publish"] == [
        "pass",
        'note.write("XXWords for people")',
        "if not folded and total >= k:",
        "if folded or total >= k:",
        "if not folded or total > k:",
        "return max(total, 0, )",
        "return max(total, 1, key=abs)",
    ]
    table = [after for function, after in found if not function]
    assert (
        'LIMITS = {"pass": (frozenset({"CHECKING", "DROPPED"}), "READY"), "drop": (frozenset({"READY"}), "DROPPED")}'
        in table
    )
    assert (
        'LIMITS = {"pass": (frozenset({"CHECKING"}), "CHECKING"), "drop": (frozenset({"READY"}), "DROPPED")}' in table
    )
    assert 'LIMITS = {"drop": (frozenset({"READY"}), "DROPPED")}' in table


def test_changes_can_be_limited_to_a_name() -> None:
    assert {function for function, _after in changes(("LIMITS",))} == {""}
    assert {function for function, _after in changes(("may_publish",))} == {"may_publish"}


def test_every_file_and_every_test_that_is_named_is_there() -> None:
    named = {path for each in sample.files() for path in (each.path, *(test.split("::")[0] for test in each.tests))}
    assert [path for path in sorted(named) if not (sample.BASE / path).is_file()] == []


def test_what_is_said_to_be_equivalent_stands_in_the_code_and_has_a_reason() -> None:
    files = {each.path for each in sample.files()}
    for each in sample.equivalents():
        lines = [" ".join(line.split()) for line in (sample.BASE / each.path).read_text().splitlines()]
        before = each.before.splitlines()
        starts = [i for i, line in enumerate(lines) if line == before[0]]
        assert any(lines[i : i + len(before)] == before for i in starts), each
        assert each.path in files and each.reason.endswith("."), each


def test_each_subject_is_drawn_from_alike_and_a_seed_draws_the_same_again() -> None:
    files = [sample.File(subject, f"{subject}.py", (), ()) for subject in ("large", "small")]
    found = dict(zip(files, (mutants("a.py", RULE), mutants("b.py", RULE)[:3]), strict=True))
    drawn = sample.draw(found, 8, 1)
    assert [file.subject for file, _mutant in drawn] == ["large"] * 5 + ["small"] * 3
    assert drawn == sample.draw(found, 8, 1)
    assert len(sample.draw(found, 1000, 1)) == sum(map(len, found.values()))
