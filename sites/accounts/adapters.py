"""What allauth does differently here: no sign-up, neutral mail, secrets sealed, one factor always kept."""

import base64
import hashlib
import hmac
import logging
import os
import smtplib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from psi import tenancy, vault
from sites.engine.bilingual import bilingual
from sites.engine.moves import Refused
from sites.gate.second_factor import confirmed_lately
from sites.people import transitions as people
from sites.tenants.models import Invitation, User

log = logging.getLogger("psi.accounts")
FACTORS = (Authenticator.Type.WEBAUTHN, Authenticator.Type.TOTP)
# In the session between typing the address and typing the code: [site id, invitation id, user id].
JOINING = "joining"
NONCE = 12


def factors(user_id: int) -> int:
    """Return how many passkeys and authenticator apps the account has."""
    return Authenticator.objects.filter(user_id=user_id, type__in=FACTORS).count()


class AccountAdapter(DefaultAccountAdapter):
    """Accounts by invitation only; every mail neutral; nothing an unknown address could be told from."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This is not the code. Please check the newest message."),
        "too_many_login_attempts": gettext_lazy("That was wrong too often. Please wait five minutes."),
        "rate_limited": gettext_lazy("That was too fast. Please wait a minute."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send at once, and go on when the mail server is away: for an unknown address nothing is sent either."""
        message = self.render_mail(template_prefix, email, context, headers={"Auto-Submitted": "auto-generated"})
        try:
            message.send()
        except (OSError, smtplib.SMTPException) as error:
            log.warning("A sign-in mail could not be sent: %s", type(error).__name__)

    def render_mail(
        self, template_prefix: str, email: str | list[str], context: dict[str, Any], headers: Any = None
    ) -> Any:
        """Return the message in both languages."""
        message: Any = None

        def write() -> tuple[str, str]:
            nonlocal message
            message = super(AccountAdapter, self).render_mail(template_prefix, email, context, headers)
            return message.subject, message.body

        message.subject, message.body = bilingual(write)
        return message

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        messages.error(request, _("This account is closed. Please ask the person who invited you."))
        return redirect("account_login")

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """The passkey comes first, then the codes."""
        names = {
            "mfa_reauthenticate:webauthn": _("Use your passkey"),
            "mfa_reauthenticate": _("Use a code"),
        }
        methods = super().get_reauthentication_methods(user)
        return [
            method | {"description": names[ident]} for ident in names for method in methods if method["id"] == ident
        ]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Someone who showed the factor to sign in is not asked again at once."""
        return super().is_reauthentication_required(app=app, **kwargs) and not confirmed_lately(self.request)

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse:
        response = super().post_login(request, user, **kwargs)
        return _join(request, user) or response


def _join(request: HttpRequest, user: User) -> HttpResponse | None:
    """Accept the invitation whose address was typed and whose mailbox has just been shown."""
    site_id, invitation_id, user_id = request.session.pop(JOINING, (None, None, None))
    if user_id != user.pk:
        return None
    try:
        with tenancy.site_scope(site_id):
            people.accept_invitation(Invitation.objects.get(pk=invitation_id), user=user)
    except Refused as refused:
        messages.error(request, refused.sentence)
    return redirect("second_factor")


class MFAAdapter(DefaultMFAAdapter):
    """Names people can read, secrets sealed under the vault's master keys, and never an account without a factor."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This did not match. Please try again."),
        "cannot_delete_authenticator": gettext_lazy(
            "This is the only way to confirm that it is you. Please add another one first."
        ),
    }

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return factors(authenticator.user_id) > 1

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey") if number == 1 else _("Passkey %(number)s") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return super().get_public_key_credential_rp_entity() | {"name": settings.MFA_TOTP_ISSUER}

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        return super().get_public_key_credential_user_entity(user) | {"display_name": user.email}

    def encrypt(self, text: str) -> str:
        name, key = next(iter(_keys().items()))
        nonce = os.urandom(NONCE)
        sealed = nonce + AESGCM(key).encrypt(nonce, text.encode(), name.encode())
        return f"{name}:{base64.b64encode(sealed).decode()}"

    def decrypt(self, encrypted_text: str) -> str:
        name, _colon, encoded = encrypted_text.rpartition(":")
        sealed = base64.b64decode(encoded)
        return AESGCM(_keys()[name]).decrypt(sealed[:NONCE], sealed[NONCE:], name.encode()).decode()


def _keys() -> dict[str, bytes]:
    masters = vault.parse_keys(settings.PSI_VAULT_KEYS)
    return {name: hmac.digest(key, b"second-factor", hashlib.sha256) for name, key in masters.items()}


def rewrap_factors() -> int:
    """Seal the secrets of authenticator apps and recovery codes under the first master key; return how many."""
    adapter, first, changed = MFAAdapter(), next(iter(_keys())), 0
    for authenticator in Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN):
        for field in {"secret", "seed"} & authenticator.data.keys():
            if authenticator.data[field].rpartition(":")[0] != first:
                authenticator.data[field] = adapter.encrypt(adapter.decrypt(authenticator.data[field]))
                authenticator.save(update_fields=["data"])
                changed += 1
    return changed
