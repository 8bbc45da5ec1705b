"""/accounts/…: what is offered of allauth, each view with its access level. There are no pages about passwords."""

from allauth.account.views import confirm_login_code, logout, reauthenticate
from allauth.mfa.base.views import authenticate
from allauth.mfa.base.views import reauthenticate as reauthenticate_by_code
from allauth.mfa.recovery_codes.views import generate_recovery_codes, view_recovery_codes
from allauth.mfa.totp.views import activate_totp, deactivate_totp
from allauth.mfa.webauthn.views import (
    edit_webauthn,
    login_webauthn,
    reauthenticate_webauthn,
    remove_webauthn,
)
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.generic import RedirectView

from sites.accounts import join
from sites.accounts.views import AddPasskey, Index, SignIn, first_factor, keeps_one, signed_in_only
from sites.gate.permissions import public, signed_in

to_sign_in = RedirectView.as_view(pattern_name="account_login", query_string=True)
to_index = RedirectView.as_view(pattern_name="mfa_index")

urlpatterns = [
    path("login/", public(SignIn.as_view()), name="account_login"),
    # allauth sends people here whose code ran out; asking for one is part of the sign-in page.
    path("login/code/", public(to_sign_in), name="account_request_login_code"),
    path("login/code/confirm/", public(confirm_login_code), name="account_confirm_login_code"),
    path("login/passkey/", public(login_webauthn), name="mfa_login_webauthn"),
    path("login/second-factor/", public(authenticate), name="mfa_authenticate"),
    path("logout/", public(never_cache(logout)), name="account_logout"),
    path("join/<str:token>/", join.join, name="join"),
    path("second-factor/", join.second_factor_page, name="second_factor"),
    path("still-here/", join.still_here, name="still_here"),
    path("confirm/", signed_in_only(reauthenticate), name="account_reauthenticate"),
    path("confirm/code/", signed_in_only(reauthenticate_by_code), name="mfa_reauthenticate"),
    path("confirm/passkey/", signed_in_only(reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    path("factors/", signed_in(never_cache(Index.as_view())), name="mfa_index"),
    path("factors/app/add/", first_factor(activate_totp), name="mfa_activate_totp"),
    path("factors/app/remove/", signed_in(keeps_one(deactivate_totp)), name="mfa_deactivate_totp"),
    # Passkeys are listed on the page of all factors.
    path("factors/passkeys/", signed_in(to_index), name="mfa_list_webauthn"),
    path("factors/passkeys/add/", first_factor(AddPasskey.as_view()), name="mfa_add_webauthn"),
    path("factors/passkeys/<int:pk>/", signed_in(never_cache(edit_webauthn)), name="mfa_edit_webauthn"),
    path("factors/passkeys/<int:pk>/remove/", signed_in(keeps_one(remove_webauthn)), name="mfa_remove_webauthn"),
    path("factors/codes/", signed_in(never_cache(view_recovery_codes)), name="mfa_view_recovery_codes"),
    path("factors/codes/new/", signed_in(never_cache(generate_recovery_codes)), name="mfa_generate_recovery_codes"),
]
