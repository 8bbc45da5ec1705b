"""Mail about matches: who is told what, and whether it is still true when its turn comes."""

from collections.abc import Callable
from datetime import datetime

from django.urls import reverse

from matching.invitations.alerts import OPEN_STATES
from matching.matches.contact_window import window_ends
from matching.matches.models import LIVE, Alert, Match
from referrals.requests.models import Referral
from referrals.requests.notices import address_of
from sites.engine import outbox
from sites.tenants.models import PROVINCE_SLUG, Site

State = Match.State
# To the administrators: kind → (template, states in which it is still worth saying).
TO_ADMINISTRATORS: dict[str, tuple[str, tuple[State, ...]]] = {
    "ACCEPTED": ("confirm", (State.ACCEPTED,)),
    "UNCONFIRMED": ("unconfirmed", (State.ACCEPTED,)),
    "UNMATCHED": ("unmatched", (State.DECLINED, State.EXPIRED, State.REASSIGNED)),
    "WINDOW_48": ("window_48", (State.CONFIRMED,)),
    "WINDOW_72": ("window_72", (State.CONFIRMED,)),
    "FINISHED": ("finished", (State.COMPLETED,)),
}
TO_SUPPORTER: dict[str, tuple[str, tuple[State, ...]]] = {
    "INVITED": ("invited", (State.INVITED,)),
    "REMIND": ("invited_again", (State.INVITED,)),
    "CONFIRMED": ("confirmed", (State.CONFIRMED,)),
    "NUDGE_1": ("nudge_1", (State.CONFIRMED,)),
    "NUDGE_2": ("nudge_2", (State.CONFIRMED,)),
    "RELEASED": ("released", (State.REVOKED, State.COMPLETED)),
    "HANDED_ON": ("handed_on", (State.REASSIGNED,)),
}
FOR_SUPPORTER, FOR_ADMINISTRATOR = "MATCH", "MATCH_REF"


def register() -> None:
    """Tell the outbox and the locators."""
    for kind, (template, states) in TO_ADMINISTRATORS.items():
        outbox.register(kind, outbox.MailKind(template, FOR_ADMINISTRATOR, _still(states)))
    for kind, (template, states) in TO_SUPPORTER.items():
        until = _answer_by if State.INVITED in states else _contact_by
        outbox.register(kind, outbox.MailKind(template, FOR_SUPPORTER, _still(states), until=until))
    peer_found = outbox.MailKind(
        "found", FOR_SUPPORTER, _still((State.CONFIRMED,)), until=_contact_by, address=_physician
    )
    outbox.register("FOUND", peer_found)
    for step in (1, 2):
        outbox.register(f"WAIT_{step}", outbox.MailKind(f"waiting_{step}", Referral.KIND, _without_invitation))
        outbox.register(
            f"AGAIN_{step}", outbox.MailKind(f"waiting_{step}", FOR_ADMINISTRATOR, _match_without_invitation)
        )
    outbox.register("UNHEARD", outbox.MailKind("unheard", Referral.KIND, _without_contact))
    outbox.register("ALERT", outbox.MailKind("alert", Alert.KIND, _alerts))
    outbox.register_link(Alert.KIND, lambda alert_id: reverse("today", args=[PROVINCE_SLUG]))
    outbox.register_link(FOR_SUPPORTER, lambda match_id: _request_path(match_id, "my"))
    outbox.register_link(FOR_ADMINISTRATOR, lambda match_id: _request_path(match_id, "requests"))


def _still(states: tuple[State, ...]) -> Callable[[list[int]], set[int]]:
    def still(ids: list[int]) -> set[int]:
        return set(Match.objects.filter(pk__in=ids, state__in=states).values_list("pk", flat=True))

    return still


def _without_invitation(referral_ids: list[int]) -> set[int]:
    invited = Match.objects.filter(referral_id__in=referral_ids, state__in=LIVE).values("referral_id")
    rows = Referral.objects.filter(pk__in=referral_ids, state=Referral.State.OPEN).exclude(pk__in=invited)
    return set(rows.values_list("pk", flat=True))


def _match_without_invitation(match_ids: list[int]) -> set[int]:
    of = dict(Match.objects.filter(pk__in=match_ids).values_list("pk", "referral_id"))
    waiting = _without_invitation(list(of.values()))
    return {match_id for match_id, referral_id in of.items() if referral_id in waiting}


def _without_contact(referral_ids: list[int]) -> set[int]:
    rows = Referral.objects.filter(pk__in=referral_ids, state__in=OPEN_STATES, unheard_at__isnull=False)
    return set(rows.values_list("pk", flat=True))


def _alerts(alert_ids: list[int]) -> set[int]:
    return set(Alert.objects.filter(pk__in=alert_ids).values_list("pk", flat=True))


def _answer_by(match_id: int) -> datetime | None:
    return Match.objects.get(pk=match_id).expires_at


def _contact_by(match_id: int) -> datetime | None:
    match = Match.objects.get(pk=match_id)
    return window_ends(match) if match.confirmed_at else None


def _physician(match_id: int) -> str:
    return address_of(Match.objects.values_list("referral_id", flat=True).get(pk=match_id))


def _request_path(match_id: int, page: str) -> str | None:
    row = Match.objects.filter(pk=match_id).values_list("site_id", "referral__ref").first()
    if row is None:
        return None
    slug = Site.objects.values_list("slug", flat=True).get(pk=row[0])
    return f"/{slug}/{page}/{row[1]}/"
