"""The forms of sign-in: allauth's, with our words, and with codes that work once."""

import struct
from collections.abc import Callable
from typing import Any

from allauth.account.forms import ConfirmLoginCodeForm, LoginForm
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.forms import (
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
    SignupWebAuthnForm,
)
from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _

LAST_CODE = "last_counter"
ADDRESS_MESSAGES = {
    "required": _("Please type your email address."),
    "invalid": _("Please type an email address, such as name@example.ca."),
}


def _code_field(field: forms.Field, label: Any, numeric: bool = True) -> None:
    field.label = label
    field.error_messages["required"] = _("Please type the code.")
    field.widget.attrs = {"autocomplete": "one-time-code", "class": "short", "spellcheck": "false"}
    if numeric:
        field.widget.attrs["inputmode"] = "numeric"


class SignInForm(LoginForm):
    """An address, to which a code is sent if it has an account."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["login"]
        field.label = _("Email")
        field.help_text = _("We send a six-digit code to this address.")
        field.error_messages.update(ADDRESS_MESSAGES)
        field.widget.attrs = {"autocomplete": "email", "inputmode": "email"}


class JoinForm(forms.Form):
    """The address an invitation was sent to: the link alone shows nothing."""

    email = forms.EmailField(
        label=_("Email"),
        max_length=254,
        help_text=_("The address the invitation was sent to. We send a six-digit code to it."),
        error_messages=ADDRESS_MESSAGES,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class CodeForm(ConfirmLoginCodeForm):
    """The six digits from the mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code_field(self.fields["code"], _("Six-digit code"))


class _Once:
    """A code from an authenticator app works once, whether the cache is up or away (RFC 6238, 5.2)."""

    user: Any
    authenticator: Authenticator

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code_field(self.fields["code"], _("Code"), numeric=False)  # type: ignore[attr-defined]
        self.fields["code"].help_text = _(  # type: ignore[attr-defined]
            "From your authenticator app, or one of your recovery codes."
        )

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        if self.authenticator.type == Authenticator.Type.TOTP:
            self._use(code)
        return code

    @transaction.atomic
    def _use(self, code: str) -> None:
        row = Authenticator.objects.select_for_update().get(pk=self.authenticator.pk)
        secret = decrypt(row.data["secret"])
        counters = [
            counter
            for counter in totp.yield_hotp_counters_from_time()
            if compare_user_code(actual=code, expected=totp.format_hotp_value(totp.hotp_value(secret, counter)))
        ]
        if not counters or counters[-1] <= row.data.get(LAST_CODE, 0):
            raise get_adapter().validation_error("incorrect_code")
        row.data[LAST_CODE] = counters[-1]
        row.save(update_fields=["data"])
        self.authenticator.data = row.data


class FactorForm(_Once, AuthenticateForm):
    """A code in the middle of signing in."""


class FactorAgainForm(_Once, ReauthenticateForm):
    """A code before something that matters."""


class AppForm(ActivateTOTPForm):
    """The first code of a new authenticator app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _code_field(self.fields["code"], _("Code from the app"))


class _Understood:
    """A passkey's answer that makes no sense is refused in words; the libraries raise whatever comes first."""

    def clean_credential(self) -> Any:
        clean = getattr(super(), "clean_credential", None)
        return _or_refused(clean) if clean else self.cleaned_data["credential"]  # type: ignore[attr-defined]

    def clean(self) -> Any:
        return _or_refused(super().clean)  # type: ignore[misc]


def _or_refused(clean: Callable[[], Any]) -> Any:
    try:
        return clean()
    except (LookupError, TypeError, ValueError, AttributeError, struct.error) as error:
        raise get_adapter().validation_error("incorrect_code") from error


class PasskeySignInForm(_Understood, LoginWebAuthnForm):
    """A passkey that signs in alone."""


class PasskeyFactorForm(_Understood, AuthenticateWebAuthnForm):
    """A passkey in the middle of signing in."""


class PasskeyAgainForm(_Understood, ReauthenticateWebAuthnForm):
    """A passkey before something that matters."""


class PasskeyForm(_Understood, SignupWebAuthnForm):
    """A new passkey; it always signs in alone, so the device has to know its person."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_field(self.fields["name"])
        self.fields["credential"].error_messages.update(
            required=_("No passkey was made. Please try again, or use an authenticator app."),
            invalid=_("This did not work. Please try again."),
        )


class PasskeyNameForm(EditWebAuthnForm):
    """What a passkey is called in the list."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_field(self.fields["name"])


def _name_field(field: forms.Field) -> None:
    field.label = _("Name of this passkey")
    field.help_text = _("Only you see it, such as “My phone”.")
    field.error_messages["required"] = _("Please give it a name.")
    field.max_length = 60  # type: ignore[attr-defined]
    field.widget.attrs = {"maxlength": "60", "autocomplete": "off"}
