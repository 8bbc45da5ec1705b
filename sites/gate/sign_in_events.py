"""Sign-ins, failures and second factors as rows: one chain, kept by the database, without addresses.

Django and allauth say what happened; `SitesConfig.ready` imports this module through `sites.people`.
"""

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.signals import login_code_rejected
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from psi import tenancy
from sites.engine.audit import CHAIN_END
from sites.engine.models import SignInEvent
from sites.gate.middleware import SEEN, STARTED
from sites.tenants.models import User

Kind = SignInEvent.Kind
# Recovery codes come and go with these two and are no factor of their own.
FACTORS = (Authenticator.Type.WEBAUTHN, Authenticator.Type.TOTP)


def record(kind: SignInEvent.Kind, user_id: int | None) -> None:
    """Add an event to the chain; inside a site's scope just before it commits, because others queue for it."""
    at = tenancy.now()

    def write() -> None:
        SignInEvent(user_id=user_id, kind=kind, at=at).save(force_insert=True)

    try:
        tenancy.before_commit(write, CHAIN_END)
    except tenancy.OutsideScope:
        write()


@receiver(user_logged_in)
def _signed_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    # The limits of this session start here, whatever was in it before.
    request.session[STARTED] = request.session[SEEN] = timezone.now().timestamp()
    record(Kind.SIGNED_IN, user.pk)


@receiver(user_logged_out)
def _signed_out(sender: Any, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        record(Kind.SIGNED_OUT, user.pk)


@receiver([login_code_rejected, authentication_failed])
def _failed(sender: Any, user: User, **kwargs: Any) -> None:
    record(Kind.FAILED, user.pk)


@receiver(authenticator_added)
def _factor_added(sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type not in FACTORS:
        return
    # Setting it up has shown it: this session needs no second touch.
    record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)
    record(Kind.FACTOR_ADDED, user.pk)


@receiver(authenticator_removed)
def _factor_removed(sender: Any, user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    if authenticator.type in FACTORS:
        record(Kind.FACTOR_REMOVED, user.pk)
