"""Who belongs to a site: the moves by which people are invited, join, change and leave, and sites open.

Each is made inside the site's scope, is audited, and is `Refused` in a plain sentence when it may not happen.
"""

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from psi import tenancy
from sites.engine import agenda, audit, outbox
from sites.engine.audit import Actor
from sites.engine.models import SignInEvent
from sites.engine.moves import Refused
from sites.gate import sign_in_events
from sites.tenants.models import LOCAL_ROLES, PROVINCE_ROLES, Invitation, Membership, Profile, Role, Site, User

MAIL, TARGET = "ACCOUNT", "JOIN"
INVITATION_DAYS = 14  # docs/rules.md#invitation-to-an-account
# When every invitation has been used, taken back or ended, and its link was followed late as well.
FORGET, FORGET_DAYS = "FORGET", 30
JOIN_SALT = "psi.join"

Check = Callable[[Membership], None]
Leave = Callable[[Membership, Actor], None]
Join = Callable[[Membership, Invitation | None], None]
_checks: list[Check] = []
_leaves: list[Leave] = []
_joins: list[Join] = []


def register_check(check: Check) -> None:
    """Let `check(membership)` refuse that a role ends, asked inside the site's scope."""
    if check not in _checks:  # apps may be made ready twice
        _checks.append(check)


def register_leave(leave: Leave) -> None:
    """Let `leave(membership, by)` end with a role what belongs to it, inside the site's scope."""
    if leave not in _leaves:  # apps may be made ready twice
        _leaves.append(leave)


def register_join(join: Join) -> None:
    """Let `join(membership, invitation)` begin what goes with a role, inside the site's scope.

    The invitation is the one that was used; None where a person who is here gets a further role.
    """
    if join not in _joins:  # apps may be made ready twice
        _joins.append(join)


def possible_roles(site: Site) -> tuple[Role, ...]:
    """Return the roles a person may have at this kind of site."""
    return PROVINCE_ROLES if site.is_province else LOCAL_ROLES


def normal_address(email: str) -> str:
    """Return the form in which addresses are stored and compared."""
    return email.strip().lower()


def same_address(one: str, other: str) -> bool:
    """Compare two addresses in constant time."""
    return hmac.compare_digest(normal_address(one).encode(), normal_address(other).encode())


# The people of a site


def invite(site: Site, *, email: str, name: str, role: str, by: Actor) -> Invitation:
    """Offer an account and a role by mail, for fourteen days; whom it went to is forgotten after thirty.

    Raises:
        Refused: no such role here, no usable address or name, held already, or an invitation is waiting.
    """
    _lock(site.pk)
    _check_role(site, role)
    address, name = normal_address(email), " ".join(name.split())
    try:
        validate_email(address)
    except ValidationError as error:
        raise Refused("INVALID_ADDRESS", _("Please give an email address, such as name@example.ca.")) from error
    if not 0 < len(name) <= 80:
        raise Refused("INVALID_NAME", _("Please give the person's name, in at most 80 characters."))
    if _live(site.pk).filter(user__email=address, role=role).exists():
        raise Refused("ROLE_HELD", _("This person has this role here already."))
    if waiting().filter(email=address, role=role).exists():
        raise Refused(
            "INVITATION_WAITING", _("An invitation to this address is waiting already. Take it back to send another.")
        )
    now = tenancy.now()
    invitation = Invitation(
        email=address,
        name=name,
        role=role,
        invited_by_id=by.user_id,
        invited_at=now,
        expires_at=now + timedelta(days=INVITATION_DAYS),
    )
    invitation.save(force_insert=True)
    outbox.enqueue(MAIL, [(invitation.pk, None)])
    agenda.schedule(FORGET, [invitation.pk], now + timedelta(days=FORGET_DAYS))
    audit.record("INVITE", "INVITATION", invitation.pk, by=by)
    return invitation


def revoke_invitation(invitation: Invitation, *, by: Actor) -> None:
    """Take an invitation back.

    Raises:
        Refused: it was used or taken back already.
    """
    invitation = _locked_invitation(invitation)
    if invitation.used_at:
        raise Refused("INVITATION_USED", _("This invitation was used already. You can end the person's role instead."))
    if invitation.revoked_at:
        raise Refused("INVITATION_REVOKED", _("This invitation was taken back already."))
    invitation.revoked_at = tenancy.now()
    invitation.save(update_fields=["revoked_at"])
    audit.record("REVOKE", "INVITATION", invitation.pk, by=by)


def forget(invitation_ids: list[int]) -> None:
    """Erase name and address of invitations that are over; role, times and what became of them stay."""
    expired = Invitation.objects.filter(pk__in=invitation_ids, expires_at__lte=tenancy.now()).exclude(email="")
    ids = list(expired.select_for_update().order_by("pk").values_list("pk", flat=True))
    Invitation.objects.filter(pk__in=ids).update(email="", name="")
    for invitation_id in ids:
        audit.record("ERASED", "INVITATION", invitation_id, by=audit.SYSTEM)


def find_invitation(invitation_id: int) -> Invitation | None:
    """Return an invitation of the current site, None when there is none.

    Raises:
        Refused: it is over for so long that nobody knows any more to whom it went.
    """
    invitation = Invitation.objects.filter(pk=invitation_id).first()
    if invitation and not invitation.email:
        check_open(invitation)
    return invitation


def check_open(invitation: Invitation) -> None:
    """Raise `Refused` when the invitation was used, taken back or is over (docs/rules.md#invitation-to-an-account)."""
    if invitation.used_at:
        raise Refused("INVITATION_USED", _("This invitation was used already."))
    if invitation.revoked_at:
        raise Refused("INVITATION_REVOKED", _("This invitation was taken back. Please ask the person who invited you."))
    if invitation.expires_at <= tenancy.now():
        raise Refused(
            "INVITATION_EXPIRED",
            _("This invitation is more than two weeks old. Please ask the person who invited you for another."),
        )


def account_for(invitation: Invitation) -> User:
    """Return the account of the invited address; make one, without a password, when there is none."""
    user, _new = User.objects.get_or_create(email=invitation.email)
    if _new:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def accept_invitation(invitation: Invitation, *, user: User | None = None) -> Membership:
    """Use an invitation: the account belongs to the site from now on.

    Args:
        invitation: of the current site.
        user: who accepts, having shown that the mailbox is theirs; the account of the address by default.

    Raises:
        Refused: it was used, taken back or expired, or was sent to another address.
    """
    site = _lock(invitation.site_id)
    invitation = _locked_invitation(invitation)
    check_open(invitation)
    user = user or account_for(invitation)
    if not same_address(user.email, invitation.email):
        raise Refused(
            "OTHER_ADDRESS", _("This invitation was sent to another address than the one you signed in with.")
        )
    _check_role(site, invitation.role)
    now = tenancy.now()
    invitation.used_at = now
    invitation.save(update_fields=["used_at"])
    membership, _new = _live(site.pk).get_or_create(
        site=site, user=user, role=invitation.role, ended_at=None, defaults={"since": now}
    )
    Profile.objects.get_or_create(site_id=site.pk, user=user, defaults={"name": invitation.name})
    EmailAddress.objects.get_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    if user.joined_at is None:
        user.joined_at = now
        user.save(update_fields=["joined_at"])
    for join in _joins:
        join(membership, invitation)
    audit.record("JOIN", "MEMBERSHIP", membership.pk, by=Actor(user.pk, membership.role))
    sign_in_events.record(SignInEvent.Kind.JOINED, user.pk)
    return membership


def end_role(membership: Membership, *, by: Actor) -> None:
    """End a person's role. It takes effect with their next click.

    Raises:
        Refused: it ended already, something hangs on it, or the site would be left without an administrator.
    """
    _lock(membership.site_id)
    membership = _locked_membership(membership)
    _check_leaving(membership)
    _end(membership, by)
    audit.record("END_ROLE", "MEMBERSHIP", membership.pk, by=by)


def add_role(membership: Membership, role: str, *, by: Actor) -> Membership:
    """Give a person a further role beside this one.

    Raises:
        Refused: this one ended; no such role here, or held already.
    """
    site = _lock(membership.site_id)
    membership = _locked_membership(membership)
    added = _give(site, membership.user_id, role)
    audit.record("ADD_ROLE", "MEMBERSHIP", added.pk, by=by)
    return added


def change_role(membership: Membership, role: str, *, by: Actor) -> Membership:
    """Give a person another role in place of this one; the old one is kept as ended.

    Raises:
        Refused: as `end_role`; or no such role here, or held already.
    """
    site = _lock(membership.site_id)
    membership = _locked_membership(membership)
    changed = _give(site, membership.user_id, role)
    _check_leaving(membership)
    _end(membership, by)
    audit.record("CHANGE_ROLE", "MEMBERSHIP", changed.pk, by=by)
    return changed


def borrow(site: Site, user_id: int, name: str, *, by: Actor) -> None:
    """Give a supporter of another site the role here, under the name they go by there; held already, nothing changes.

    Args:
        site: the current one.
    """
    _lock(site.pk)
    membership, new = _live(site.pk).get_or_create(
        site=site, user_id=user_id, role=Role.SUPPORTER, ended_at=None, defaults={"since": tenancy.now()}
    )
    Profile.objects.get_or_create(site_id=site.pk, user_id=user_id, defaults={"name": name})
    if new:
        audit.record("JOIN", "MEMBERSHIP", membership.pk, by=by)


# The mail, and where its link leads


def register() -> None:
    """Register the mail of invitations, where its link leads, and the handler that forgets whom they went to."""
    kind = outbox.MailKind(template="account", target=TARGET, still_true=_still_waiting, until=_until, address=_address)
    outbox.register(MAIL, kind)
    agenda.register(FORGET, forget)
    outbox.register_link(TARGET, lambda invitation_id: join_path(tenancy.current_site_id(), invitation_id), public=True)


def join_path(site_id: int, invitation_id: int) -> str:
    """Return the path of the public page on which an invitation is accepted."""
    return reverse("join", args=[signing.dumps([site_id, invitation_id], salt=JOIN_SALT)])


def read_join(token: str) -> tuple[int, int]:
    """Return (site id, invitation id); raise `signing.BadSignature` when the token is not ours."""
    site_id, invitation_id = signing.loads(token, salt=JOIN_SALT)
    return site_id, invitation_id


def waiting() -> QuerySet[Invitation]:
    """Return the current site's invitations that may still be accepted."""
    return Invitation.objects.filter(used_at=None, revoked_at=None, expires_at__gt=tenancy.now())


def _still_waiting(ids: list[int]) -> set[int]:
    return set(waiting().filter(pk__in=ids).values_list("pk", flat=True))


def _until(invitation_id: int) -> datetime:
    return Invitation.objects.values_list("expires_at", flat=True).get(pk=invitation_id)


def _address(invitation_id: int) -> str:
    return Invitation.objects.values_list("email", flat=True).get(pk=invitation_id)


# Locks and checks: the site's row first, so that two moves among its people wait for each other


def _lock(site_id: int | None) -> Site:
    if site_id != tenancy.current_site_id():
        raise LookupError("This belongs to another site than the scope that is open.")
    return Site.objects.select_for_update(no_key=True).get(pk=site_id)


def _locked_invitation(invitation: Invitation) -> Invitation:
    return Invitation.objects.select_for_update().get(pk=invitation.pk)


def _locked_membership(membership: Membership) -> Membership:
    membership = Membership.objects.select_for_update().get(pk=membership.pk)
    if membership.ended_at:
        raise Refused("ROLE_ENDED", _("This role ended already."))
    return membership


def _live(site_id: int) -> QuerySet[Membership]:
    return Membership.objects.filter(site_id=site_id, ended_at=None)


def _check_role(site: Site, role: str) -> None:
    if role not in {possible.value for possible in possible_roles(site)}:
        raise Refused("NO_SUCH_ROLE", _("There is no such role at this kind of site."))


def _check_leaving(leaving: Membership) -> None:
    others = _live(leaving.site_id).filter(role=Role.ADMINISTRATOR, user__is_active=True)
    if leaving.role == Role.ADMINISTRATOR and not others.exclude(pk=leaving.pk).exists():
        raise Refused("LAST_ADMINISTRATOR", _("A site needs an administrator. Please invite another one first."))
    for check in _checks:
        check(leaving)


def _give(site: Site, user_id: int, role: str) -> Membership:
    _check_role(site, role)
    if _live(site.pk).filter(user_id=user_id, role=role).exists():
        raise Refused("ROLE_HELD", _("This person has this role here already."))
    membership = Membership.objects.create(site=site, user_id=user_id, role=role, since=tenancy.now())
    for join in _joins:
        join(membership, None)
    return membership


def _end(membership: Membership, by: Actor) -> None:
    membership.ended_at = tenancy.now()
    membership.save(update_fields=["ended_at"])
    for leave in _leaves:
        leave(membership, by)
