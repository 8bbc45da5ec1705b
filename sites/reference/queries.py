"""What the province keeps for everyone: its settings, its texts and its crisis lines."""

import logging

from psi import tenancy
from sites.reference.models import CrisisLine, LocalCrisisLine, ProvinceSetting, TextVersion

log = logging.getLogger("psi.queries")
# The province may change these; hours unless the name says days. Invitations (docs/rules.md#invitation), the contact
# window (docs/rules.md#contact-window):
DEFAULTS = {
    "INVITE_NUDGE": 24,
    "INVITE_ENDS": 48,
    "NUDGE_FIRST": 24,
    "NUDGE_SECOND": 48,
    # A request for which nobody is asked (docs/rules.md#waiting-request), and an acceptance nobody confirms
    # (docs/rules.md#confirmation).
    "WAIT_FIRST": 24,
    "WAIT_SECOND": 48,
    "CONFIRM_NUDGE": 24,
    # An offer to a physician who has not agreed: reminded once, then erased (docs/rules.md#reach-out).
    "REMIND_DAYS": 7,
    "OFFER_DAYS": 30,
}


def province_settings() -> dict[str, int]:
    """Return the province's settings, by code, where it has not said otherwise with their defaults.

    Hours that are out of order would put off the end of the contact window: the defaults hold until they are mended.
    """
    values = DEFAULTS | dict(ProvinceSetting.objects.values_list("code", "value"))
    if not 0 < values["NUDGE_FIRST"] < values["NUDGE_SECOND"] < 72:
        log.error("NUDGE_FIRST must be less than NUDGE_SECOND, and both between 0 and 72 hours; the defaults hold.")
        return dict(DEFAULTS)
    if not 0 < values["INVITE_NUDGE"] < values["INVITE_ENDS"]:
        log.error("INVITE_NUDGE must be less than INVITE_ENDS, and both more than 0 hours; the defaults hold.")
        return dict(DEFAULTS)
    if not 0 < values["REMIND_DAYS"] < values["OFFER_DAYS"]:
        log.error("REMIND_DAYS must be less than OFFER_DAYS, and both more than 0 days; the defaults hold.")
        return dict(DEFAULTS)
    return values


def crisis_lines() -> list[CrisisLine]:
    """Return the provincial list of numbers for someone who needs help now."""
    return list(CrisisLine.objects.all())


def local_crisis_lines() -> list[LocalCrisisLine]:
    """Return the numbers the current site adds; none on a page of no site."""
    return list(LocalCrisisLine.objects.all()) if tenancy.in_scope() else []


def current_text(kind: str, language: str) -> TextVersion:
    """Return the wording of `kind` in force, in `language` or else in English."""
    rows = TextVersion.objects.filter(kind=kind, language__in={language, "en"}).order_by("valid_from")
    latest = {row.language: row for row in rows}
    return latest.get(language) or latest["en"]
