"""The moves by which somebody becomes a peer supporter. Nothing else writes `Recruit`.

Nominated, invited, the interest form, reviewed by two people, trained, agreed, active; stopped at any step before.
The dates of training and agreement are recorded by `training.supporters.readiness`, which `follow_readiness` follows.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.utils.timezone import get_current_timezone, localdate, make_aware
from django.utils.translation import gettext as _

from psi import tenancy, vault
from sites.engine import agenda, audit, outbox
from sites.engine.audit import Actor
from sites.engine.moves import Refusal, Refused, goal_of, leave_trace, move
from sites.engine.references import reference
from sites.people import transitions as people
from sites.tenants.models import Invitation, Membership, Profile, Role, Site
from sites.tenants.queries import members_with_role
from training.recruitment.models import Recruit
from training.supporters import public_page, self_description
from training.supporters import transitions as roster
from training.supporters.models import PeerSupporter

State, Why = Recruit.State, Recruit.Why
ON_THE_WAY = Recruit.ON_THE_WAY
# Without an answer for so long, who was nominated is forgotten (docs/rules.md#recruitment).
SILENT_AFTER = timedelta(days=180)
# Someone who joined and sent no form, and a form nobody reviewed, are reminded of once.
REMIND_AFTER = timedelta(days=7)


@dataclass(frozen=True)
class Named:
    """Who was nominated, for the vault; `nominator` is the name of whoever did, if given."""

    name: str
    email: str
    nominator: str = ""


@dataclass(frozen=True)
class Interest:
    """What an interest form says.

    Attributes:
        line: column of `PeerSupporter` → value, without state and dates.
        codes: of `Trait` and `Language`.
        evaluates: ids of departments.
        evaluated: names and addresses of people they evaluate, as typed.
        photo: as `photos.redrawn` returned it.
    """

    line: Mapping[str, Any]
    codes: tuple[str, ...] = ()
    evaluates: tuple[int, ...] = ()
    evaluated: str = ""
    bio: str = ""
    bio_fr: str = ""
    shown: bool = False
    photo: bytes | None = None


# The moves


def nominate(named: Named, *, key: uuid.UUID, by: Actor = audit.PUBLIC) -> None:
    """Note who was nominated. Nobody learns whether they were known already.

    One address is one recruit; who is a supporter here, or is invited to be one, is not nominated again.

    Args:
        named: for the vault.
        key: the form's idempotency key.
    """
    site = lock_site()
    if Recruit.objects.filter(key=key).exists() or _known(site, named.email):
        return
    recruit = _begin(State.NOMINATED, key=key)
    recruit.named = vault.seal(Recruit.KIND, recruit.pk, vars(named))
    recruit.save(update_fields=["named"])
    vault.remember(Recruit.KIND, recruit.pk, {"email": named.email})
    leave_trace(recruit, None, by=by)
    agenda.schedule(Recruit.KIND, [recruit.pk], recruit.started_at + SILENT_AFTER)
    outbox.enqueue("RECRUIT_NEW", [(recruit.pk, user_id) for user_id in members_with_role(Role.ADMINISTRATOR)])


def invite(recruit_id: int, *, by: Actor) -> Invitation:
    """Invite who was nominated, by mail, into the role; again once an invitation is over.

    Raises:
        Refused: they have joined, an invitation is waiting, or they are not to be invited any more.
    """
    site, recruit = _locked(recruit_id)
    goal_of(Recruit, "invite", recruit.state)
    if recruit.user_id is not None or recruit.named is None:
        raise Refused("JOINED", _("They have joined already."))
    who = named(recruit)
    assert who is not None
    invitation = people.invite(site, email=who.email, name=who.name, role=Role.SUPPORTER, by=by)
    recruit.invitation = invitation
    _move_on(recruit, "invite", by, also=("invitation",))
    agenda.schedule(Recruit.KIND, [recruit.pk], min(invitation.expires_at, recruit.started_at + SILENT_AFTER))
    return invitation


def joined(membership: Membership, invitation: Invitation | None) -> None:
    """Someone took up the role: whoever was nominated has an account now; others begin here.

    Who stands in the roster needs no recruitment; an imported line was applied just before (roster.pending_lines).
    """
    if membership.role != Role.SUPPORTER:
        return
    by, recruit = Actor(membership.user_id, membership.role), _waiting_for(membership.user.email)
    if PeerSupporter.objects.filter(user_id=membership.user_id).exclude(state=PeerSupporter.State.LEFT).exists():
        if recruit is not None:
            halt(recruit, Why.IN_ROSTER, by)
        return
    if recruit is None:
        recruit = _begin(State.INVITED)
        recruit.user_id = membership.user_id
        recruit.save(update_fields=["user"])
        leave_trace(recruit, None, by=by)
    else:
        _forget(recruit)
        recruit.user_id = membership.user_id
        recruit.save(update_fields=["user"])
        if recruit.state == State.NOMINATED:
            _move_on(recruit, "invite", by)
    agenda.schedule(Recruit.KIND, [recruit.pk], tenancy.now() + REMIND_AFTER)


def send(recruit_id: int, interest: Interest, *, by: Actor) -> PeerSupporter:
    """Take the interest form: it makes their line of the roster, which is not offered to anybody yet.

    Raises:
        Refused: it was sent before, or they are not on the way any more.
    """
    _site_row, recruit = _locked(recruit_id)
    goal_of(Recruit, "send", recruit.state)
    assert recruit.user_id is not None
    supporter = _begin_line(recruit.user_id, interest.line, by)
    self_description.set_description(supporter, interest.codes)
    self_description.set_evaluated(supporter, interest.evaluated)
    roster.set_departments(supporter, interest.evaluates)
    if interest.photo:
        public_page.put_photo(supporter.pk, interest.photo, by=by)
    public_page.save_page(supporter.pk, bio=interest.bio, bio_fr=interest.bio_fr, shown=interest.shown, by=by)
    _move_on(recruit, "send", by)
    outbox.enqueue(
        "RECRUIT_FORM", [(recruit.pk, user_id) for user_id in members_with_role(Role.ADMINISTRATOR, Role.LEAD)]
    )
    agenda.schedule(Recruit.KIND, [recruit.pk], tenancy.now() + REMIND_AFTER)
    return supporter


def review(recruit_id: int, *, roles: Iterable[str], by: Actor) -> Recruit:
    """Say yes after reading the form. Two people say it, the administrator and the physician lead, each once.

    The province has no lead: there two coordinators say it.

    Args:
        roles: all that the person holds here.

    Raises:
        Refused: said already, the other one is missing, or there is nothing to review.
    """
    site, recruit = _locked(recruit_id)
    goal_of(Recruit, "review", recruit.state)
    slot = open_slot(site, recruit, roles, by.user_id)
    if slot is None:
        raise Refused(*why_not(site, recruit, by.user_id))
    setattr(recruit, f"{slot}_id", by.user_id)
    recruit.save(update_fields=[slot])
    if recruit.by_administrator_id is None or recruit.by_lead_id is None:
        leave_trace(recruit, recruit.state, by=by, why=Why.NONE, action="ONE_YES")
        return recruit
    _move_on(recruit, "review", by)
    agenda.cancel(Recruit.KIND, [recruit.pk])
    outbox.enqueue("RECRUIT_YES", [(recruit.pk, recruit.user_id)])
    activate_if_ready(recruit, by)
    return recruit


def follow_readiness(supporter: PeerSupporter, columns: frozenset[str], by: Actor) -> None:
    """Let a supporter who is on the way become active once their dates say that they are trained and have agreed."""
    if recruit := lock_on_the_way(supporter.user_id):
        activate_if_ready(recruit, audit.SYSTEM)


def stop(recruit_id: int, why: str, *, by: Actor) -> None:
    """Take somebody off the way; who joined loses the role with it. They may be nominated anew at any time.

    Raises:
        Refused: they are active or stopped already.
    """
    _site_row, recruit = _locked(recruit_id)
    halt(recruit, why, by)
    if recruit.invitation and people.waiting().filter(pk=recruit.invitation.pk).exists():
        people.revoke_invitation(recruit.invitation, by=by)
    live = Membership.objects.filter(site_id=tenancy.current_site_id(), role=Role.SUPPORTER, ended_at=None)
    if recruit.user_id is not None and (membership := live.filter(user_id=recruit.user_id).first()):
        people.end_role(membership, by=by)


def left(membership: Membership, by: Actor) -> None:
    """Stop the way of somebody whose role has ended."""
    if membership.role == Role.SUPPORTER and (recruit := lock_on_the_way(membership.user_id)):
        halt(recruit, Why.ROLE_ENDED, by)


# What a move depends on


def named(recruit: Recruit) -> Named | None:
    """Return who was nominated; None once they have an account, or were forgotten."""
    return None if recruit.named is None else Named(**vault.open_sealed(Recruit.KIND, recruit.pk, recruit.named))


def lock_on_the_way(user_id: int) -> Recruit | None:
    """Return the recruit of an account, locked, while they are on the way."""
    rows = Recruit.objects.filter(user_id=user_id, state__in=ON_THE_WAY)
    return rows.select_for_update(of=("self",), no_key=True).first()


def awaited_reviewers(site: Site, recruit: Recruit) -> set[int]:
    """Return the user ids of those whose review of an interest form is awaited."""
    second = Role.ADMINISTRATOR if site.is_province else Role.LEAD
    reviewers = {Role.ADMINISTRATOR: recruit.by_administrator_id, second: recruit.by_lead_id}
    return set(members_with_role(*(role for role, by in reviewers.items() if by is None))) - {
        recruit.by_administrator_id,
        recruit.by_lead_id,
    }


def open_slot(site: Site, recruit: Recruit, roles: Iterable[str], user_id: int | None) -> str | None:
    """Return the column in which this person's yes would stand, or None when it counts nowhere.

    Somebody who is both speaks as the lead: administrators are more easily found.
    """
    reviewers = {recruit.by_administrator_id, recruit.by_lead_id}
    second = Role.ADMINISTRATOR if site.is_province else Role.LEAD
    slots = (("by_administrator", Role.ADMINISTRATOR), ("by_lead", second))
    for column, role in slots if site.is_province else reversed(slots):
        if role in roles and getattr(recruit, f"{column}_id") is None and user_id not in reviewers:
            return column
    return None


def why_not(site: Site, recruit: Recruit, user_id: int | None) -> Refusal:
    """Return the refusal for somebody whose review counts nowhere (any more)."""
    second = Role.ADMINISTRATOR if site.is_province else Role.LEAD
    others = set(members_with_role(second)) - {recruit.by_administrator_id, user_id}
    if recruit.by_lead_id is None and not others:
        if site.is_province:
            return "REVIEWER_MISSING", _("Two coordinators review a form. Please invite a second one first.")
        return "REVIEWER_MISSING", _("The physician lead reviews the form too. Please invite a lead first.")
    return "OWN_REVIEW", _("Your review is in. The other one must be another person’s.")


# How a move is written: the site's row first, as among its people


def lock_site() -> Site:
    """Return the current site, locked: moves of recruits, and those among its people, wait for each other."""
    return Site.objects.select_for_update(no_key=True).get(pk=tenancy.current_site_id())


def _locked(recruit_id: int) -> tuple[Site, Recruit]:
    site = lock_site()
    return site, Recruit.objects.select_for_update(of=("self",), no_key=True).get(pk=recruit_id)


def _begin(state: str, *, key: uuid.UUID | None = None) -> Recruit:
    now, pk = tenancy.now(), tenancy.next_id(Recruit)
    recruit = Recruit(pk=pk, ref=reference(pk), state=state, key=key, started_at=now, moved_at=now)
    recruit.save(force_insert=True)
    return recruit


def _move_on(recruit: Recruit, verb: str, by: Actor, why: str = Why.NONE, also: tuple[str, ...] = ()) -> None:
    recruit.why, recruit.moved_at = why, tenancy.now()
    move(recruit, verb, by=by, why=why, also=("why", "moved_at", *also))


def _begin_line(user_id: int, columns: Mapping[str, Any], by: Actor) -> PeerSupporter:
    """Return the line of the roster of somebody who is not active yet: a new one, or the one of an earlier time."""
    supporter = PeerSupporter.objects.select_for_update(no_key=True).filter(user_id=user_id).first()
    if supporter is None:
        profile, preparing = Profile.objects.get(user_id=user_id), PeerSupporter.State.PREPARING
        return PeerSupporter.objects.create(user_id=user_id, profile=profile, state=preparing, **columns)
    for name, value in columns.items():
        setattr(supporter, name, value)
    supporter.save(update_fields=list(columns))
    if supporter.state != PeerSupporter.State.PREPARING:
        move(supporter, "prepare", by=by)
    return supporter


def activate_if_ready(recruit: Recruit, by: Actor) -> None:
    """Take a recruit as far as the dates of their line of the roster allow; the last step makes the line active.

    Args:
        recruit: locked, with an account.
    """
    assert recruit.user_id is not None
    supporter = PeerSupporter.objects.select_for_update(no_key=True).filter(user_id=recruit.user_id).first()
    if supporter is None:
        return
    today = localdate(tenancy.now())
    if recruit.state == State.REVIEWED:
        _move_on(recruit, "train", by)
    if recruit.state == State.TRAINING and supporter.trained_on:
        if supporter.trained_on > today:
            agenda.schedule(Recruit.KIND, [recruit.pk], _morning(supporter.trained_on))
            return
        _move_on(recruit, "trained", by)
    if recruit.state == State.AGREEING and supporter.agreement_until and supporter.agreement_until >= today:
        _move_on(recruit, "agreed", by)
        if supporter.state != PeerSupporter.State.ACTIVE:
            move(supporter, "activate", by=by)
        agenda.cancel(Recruit.KIND, [recruit.pk])
        outbox.enqueue("RECRUIT_ON", [(recruit.pk, recruit.user_id)])


def _morning(day: Any) -> datetime:
    return make_aware(datetime.combine(day, time()), get_current_timezone())


def halt(recruit: Recruit, why: str, by: Actor) -> None:
    """Stop the way of a recruit, locked, and erase who was nominated.

    Raises:
        Refused: they are active or stopped already.
    """
    goal_of(Recruit, "stop", recruit.state)
    _forget(recruit)
    _move_on(recruit, "stop", by, why)
    agenda.cancel(Recruit.KIND, [recruit.pk])
    if recruit.user_id is not None:
        preparing = PeerSupporter.objects.filter(user_id=recruit.user_id, state=PeerSupporter.State.PREPARING)
        for supporter in preparing.select_for_update(no_key=True):
            move(supporter, "leave", by=by)


def _forget(recruit: Recruit) -> None:
    """Erase who was nominated: they have an account now, or nobody needs to know."""
    if recruit.named is not None:
        vault.shred(Recruit.KIND, [recruit.pk])
        recruit.named = None
        recruit.save(update_fields=["named"])


def _waiting_for(email: str) -> Recruit | None:
    """Return the recruit without an account who was nominated under this address, locked."""
    recruit_ids = vault.find(Recruit.KIND, {"email": email})
    rows = Recruit.objects.filter(pk__in=recruit_ids, user=None, state__in=(State.NOMINATED, State.INVITED))
    return rows.select_for_update(of=("self",), no_key=True).first()


def _known(site: Site, email: str) -> bool:
    """Is somebody with this address nominated, invited to the role, or in it?"""
    address = people.normal_address(email)
    if _waiting_for(address) is not None or people.waiting().filter(email=address, role=Role.SUPPORTER).exists():
        return True
    memberships = Membership.objects.filter(site=site, user__email=address, role=Role.SUPPORTER, ended_at=None)
    return memberships.exists()
