"""Who opens a scope: the gate, the workers, commands; and the crossings, by name (docs/architecture.md)."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("psi", "sites", "training", "referrals", "matching", "tracker")

DOORS = {
    # One site at a time: the request's, the due rows', or each in turn.
    ("sites/gate.py", "_bar"),
    ("sites/consumers.py", "bar"),
    ("sites/gate.py", "_run"),
    ("sites/agenda.py", "handle"),
    ("sites/agenda.py", "_run"),
    ("sites/outbox.py", "_composed"),
    ("sites/outbox.py", "_put_off"),
    ("sites/outbox.py", "_send"),
    ("sites/outbox.py", "deliver"),
    ("sites/management/commands/rewrap_vault.py", "handle"),
    ("sites/management/commands/invite_coordinator.py", "handle"),
    ("tracker/management/commands/rebuild_rollups.py", "handle"),
    ("sites/audit.py", "verify"),
    ("referrals/tasks.py", "forget_keys"),
    # An offer is answered by someone without an account, at an address that names no site.
    ("referrals/reach_out_views.py", "offer"),
    # An invitation is opened by someone who is in no site yet.
    ("sites/join.py", "_accept"),
    ("sites/join.py", "_send_code"),
    ("sites/accounts.py", "_join"),
}
CROSSINGS = {
    ("referrals/transitions.py", "submit"),
    ("referrals/transitions.py", "hand_over"),
    ("referrals/wording.py", "behind"),
    ("matching/status.py", "_from_elsewhere"),
    ("matching/alerts.py", "_forget"),
    ("matching/alerts.py", "_tell"),
    ("matching/leaving.py", "_leave"),
    ("training/calendar.py", "feed"),
    ("training/session_views.py", "_offers"),
    ("training/session_views.py", "session_file"),
    ("training/session_views.py", "material"),
    ("training/sessions.py", "enrol"),
    ("training/sessions.py", "step_back"),
    ("training/sessions.py", "leave"),
    ("training/trained.py", "write"),
    ("training/pay.py", "claim"),
    ("training/pay.py", "withdraw"),
    ("training/certificates.py", "issue"),
    ("training/certificates.py", "verify"),
    ("training/pay_views.py", "certificate"),
    ("training/statement.py", "lines"),
    ("training/trained.py", "_locked"),
    ("training/trained.py", "_attended"),
    ("training/lending.py", "lend"),
    ("training/lending.py", "take_back"),
    ("training/lending.py", "mirror"),
    ("training/lending.py", "_copies"),
    ("training/lending.py", "_bring_home"),
    ("sites/views.py", "_follow"),
    ("sites/people.py", "open_site"),
    ("tracker/freezing.py", "_rows"),
    ("tracker/freezing.py", "_unfrozen"),
    ("tracker/freezing.py", "freeze"),
    ("tracker/releases.py", "first_quarter"),
    ("tracker/releases.py", "next_quarter"),
    ("tracker/rollups.py", "prove"),
    ("tracker/checking.py", "_accept"),
    ("tracker/checking.py", "_refuse"),
    ("tracker/checking.py", "check"),
    ("tracker/checking.py", "_check"),
    ("tracker/checking.py", "progress"),
    ("tracker/operations.py", "look"),
    ("tracker/debriefs.py", "carry_over"),
}


def callers() -> set[tuple[str, str]]:
    found = set()
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            for function in ast.walk(ast.parse(file.read_text())):
                if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                    for node in ast.walk(function):
                        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("site_scope"):
                            found.add((file.relative_to(ROOT).as_posix(), function.name))
    return found


def test_nobody_else_opens_a_scope() -> None:
    assert callers() == DOORS | CROSSINGS
