"""Who opens a scope: the access middleware, the workers, commands; and the crossings, by name (docs/data-protection.md#crossings)."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("psi", "sites", "training", "referrals", "matching", "tracker")

DOORS = {
    # One site at a time: the request's, the due rows', or each in turn.
    ("sites/gate/middleware.py", "_account_refusal"),
    ("sites/gate/tokens.py", "refusal"),
    ("sites/gate/middleware.py", "_run"),
    ("sites/engine/agenda.py", "handle"),
    ("sites/engine/agenda.py", "_run"),
    ("sites/engine/outbox.py", "_composed"),
    ("sites/engine/outbox.py", "_put_off"),
    ("sites/engine/outbox.py", "_send"),
    ("sites/engine/outbox.py", "deliver"),
    ("sites/management/commands/rewrap_vault.py", "handle"),
    ("sites/management/commands/invite_coordinator.py", "handle"),
    ("tracker/management/commands/rebuild_rollups.py", "handle"),
    ("sites/engine/audit.py", "verify"),
    ("referrals/tasks.py", "forget_keys"),
    # An offer is answered by someone without an account, at an address that names no site.
    ("referrals/reach_out/views.py", "offer"),
    # An invitation is opened by someone who is in no site yet.
    ("sites/accounts/join.py", "_accept"),
    ("sites/accounts/join.py", "_send_code"),
    ("sites/accounts/adapters.py", "_join"),
}
CROSSINGS = {
    ("referrals/requests/receiving.py", "submit"),
    ("referrals/requests/hand_over.py", "hand_over"),
    ("referrals/wording/texts.py", "fallback_layers"),
    ("matching/physician/views.py", "_from_elsewhere"),
    ("matching/invitations/alerts.py", "_remove_alert"),
    ("matching/invitations/alerts.py", "_raise_alert"),
    ("matching/invitations/leaving.py", "_leave"),
    ("training/sessions/calendar.py", "feed"),
    ("training/sessions/views.py", "_offers"),
    ("training/sessions/views.py", "session_file"),
    ("training/sessions/views.py", "material"),
    ("training/sessions/transitions.py", "enrol"),
    ("training/sessions/transitions.py", "step_back"),
    ("training/sessions/transitions.py", "leave"),
    ("training/attendance/trained_on.py", "record_days"),
    ("training/credits/claims.py", "claim"),
    ("training/credits/claims.py", "withdraw"),
    ("training/credits/certificates.py", "issue"),
    ("training/credits/certificates.py", "verify"),
    ("training/credits/views.py", "certificate"),
    ("training/credits/statement.py", "lines"),
    ("training/attendance/trained_on.py", "_lock_rows"),
    ("training/attendance/trained_on.py", "_attended"),
    ("training/supporters/lending.py", "lend"),
    ("training/supporters/lending.py", "take_back"),
    ("training/supporters/lending.py", "mirror"),
    ("training/supporters/lending.py", "_copies"),
    ("training/supporters/lending.py", "_bring_home"),
    ("sites/landing/views.py", "_follow"),
    ("sites/program/transitions.py", "open_site"),
    ("tracker/releases/snapshot.py", "_rows"),
    ("tracker/releases/snapshot.py", "_first_unfrozen"),
    ("tracker/releases/snapshot.py", "take"),
    ("tracker/releases/transitions.py", "first_quarter"),
    ("tracker/releases/transitions.py", "next_quarter"),
    ("tracker/figures/rollups.py", "verify"),
    ("tracker/releases/check.py", "_accept"),
    ("tracker/releases/check.py", "_refuse"),
    ("tracker/releases/check.py", "check"),
    ("tracker/releases/check.py", "_check"),
    ("tracker/releases/check.py", "progress"),
    ("tracker/operations/site_health.py", "inspect_sites"),
    ("tracker/conversations/debriefs.py", "forward_to_province"),
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
