"""Accounts by invitation, codes by mail, a second factor for everyone, and nothing for those who only guess."""

import re
import secrets
import time
from datetime import timedelta
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core import signing
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from psi import tenancy
from sites.accounts import views as account_views
from sites.accounts.adapters import MFAAdapter, rewrap_factors
from sites.engine import agenda
from sites.engine.audit import SYSTEM, Actor
from sites.engine.models import AuditEntry, Notice, SignInEvent
from sites.engine.moves import Refused
from sites.gate import saved_form, sign_in_events
from sites.gate.middleware import SEEN, STARTED
from sites.gate.second_factor import confirm_first
from sites.people import transitions as people
from sites.program.transitions import open_site
from sites.tenants import slugs
from sites.tenants.models import Invitation, Membership, Profile, Role, Site, User

ADDRESS = "new.person@example.org"


@pytest.fixture
def world(committed_world, monkeypatch):
    """Real commits: allauth writes its second factors when the transaction ends."""
    monkeypatch.setattr(account_views, "EVEN_SECONDS", 0)
    return committed_world


def invited(site, email=ADDRESS, role=Role.ADMINISTRATOR, name="A. Person"):
    with tenancy.site_scope(site.pk):
        return people.invite(site, email=email, name=name, role=role, by=SYSTEM)


def member(site, email=ADDRESS, role=Role.ADMINISTRATOR):
    invitation = invited(site, email, role)
    with tenancy.site_scope(site.pk):
        return people.accept_invitation(invitation)


def with_app(user):
    """Give an account an authenticator app and recovery codes; return the app's secret."""
    secret = totp.generate_totp_secret()
    adapter = MFAAdapter()
    Authenticator.objects.create(user=user, type="totp", data={"secret": adapter.encrypt(secret)})
    Authenticator.objects.create(
        user=user, type="recovery_codes", data={"seed": adapter.encrypt("a" * 80), "used_mask": 0}
    )
    return secret


def code_of(secret, steps=0):
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + steps))


def newcomers():
    return User.objects.filter(email=ADDRESS).count()


def joined(*sites):
    found = Membership.objects.filter(user__email=ADDRESS, **{"site__in": sites} if sites else {})
    return list(found.values_list("site_id", "role", "ended_at"))


def mailed_code(mailoutbox):
    return re.search(r"\b\d{6}\b", mailoutbox[-1].body).group()


def ask_code(client, email, **extra):
    return client.post(reverse("account_login"), {"login": email, **extra}, follow=True)


def type_code(client, code, **extra):
    return client.post(reverse("account_confirm_login_code"), {"code": code, **extra})


def sign_in(client, user, secret, mailoutbox):
    ask_code(client, user.email)
    type_code(client, mailed_code(mailoutbox))
    return client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})


def kinds(user=None):
    found = SignInEvent.objects.order_by("pk")
    return list((found.filter(user=user) if user else found).values_list("kind", flat=True))


@pytest.fixture
def valkey_away(settings):
    """Point the cache at a socket behind which nobody answers."""
    away = settings.CACHES["default"] | {"LOCATION": "unix:///tmp/nobody-is-here.sock?db=0"}
    settings.CACHES = {"default": away}


# Joining


def test_an_invitation_goes_out_by_mail_as_a_locator_and_nothing_else(north):
    invitation = invited(north)
    with tenancy.site_scope(north.pk):
        notice = Notice.objects.get()
        assert (notice.kind, notice.object_id, notice.recipient_id) == ("ACCOUNT", invitation.pk, None)
        assert [entry.action for entry in AuditEntry.objects.all()] == ["INVITE"]


def test_the_mail_leads_to_the_page_and_tells_nothing(client, north, mailoutbox):
    invitation = invited(north)
    agenda.sweep()
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (
        [ADDRESS],
        "You are invited to set up an account · Une invitation à créer un compte",
    )
    link = re.search(r"http\S+", mail.body).group()
    assert mail.body.count(link) == 2
    words = mail.body.replace(link, "").lower()
    assert [
        told for told in ("peer", "support", "pair", "soutien", "north", "a. person", "administrator") if told in words
    ] == []
    with tenancy.site_scope(north.pk):
        until = Invitation.objects.get(pk=invitation.pk).expires_at
    assert f"{until.astimezone(ZoneInfo(north.time_zone)):%-d %B %Y}" in mail.body
    page = client.get(urlsplit(link).path, follow=True)
    assert "You have been invited to set up an account" in page.content.decode()


def test_the_page_behind_the_link_shows_nothing_and_changes_nothing(client, north):
    invitation = invited(north)
    page = client.get(people.join_path(north.pk, invitation.pk))
    assert page.status_code == 200
    text = page.content.decode()
    for told in (ADDRESS, "A. Person", "North", north.slug, "peer support", "dministrator"):
        assert told.lower() not in text.lower()
    assert newcomers() == 0
    assert "sessionid" not in client.cookies


def test_a_tampered_link_is_told_plainly(client, north):
    path = people.join_path(north.pk, invited(north).pk)
    page = client.get(path[:-3] + "xx/")
    assert page.status_code == 404
    assert "This invitation cannot be used" in page.content.decode()


def test_another_address_is_refused_and_stays_in_its_field(client, north, mailoutbox):
    page = client.post(people.join_path(north.pk, invited(north).pk), {"email": "other@example.org"})
    assert page.status_code == 422
    assert "was sent to another address" in page.content.decode()
    assert 'value="other@example.org"' in page.content.decode()
    assert (newcomers(), len(mailoutbox)) == (0, 0)


def test_guessing_addresses_is_slowed_down(client, north):
    path = people.join_path(north.pk, invited(north).pk)
    answers = [client.post(path, {"email": f"g{n}@example.org"}).content.decode() for n in range(11)]
    assert "wait ten minutes" not in answers[9]
    assert "wait ten minutes" in answers[10]


def test_joining_takes_the_address_and_the_code_from_the_mail(client, north, mailoutbox):
    invitation = invited(north)
    page = client.post(people.join_path(north.pk, invitation.pk), {"email": " New.Person@Example.org "}, follow=True)
    assert page.redirect_chain[-1][0].startswith(reverse("account_confirm_login_code"))
    assert joined() == []
    answer = type_code(client, mailed_code(mailoutbox), next=people.join_path(north.pk, invitation.pk))
    assert answer["Location"] == reverse("second_factor")
    user = User.objects.get(email=ADDRESS)
    assert (user.email, user.has_usable_password(), user.joined_at is None) == (ADDRESS, False, False)
    assert EmailAddress.objects.get(user=user).verified
    assert joined() == [(north.pk, "administrator", None)]
    with tenancy.site_scope(north.pk):
        assert Profile.objects.get(user=user).name == "A. Person"
        assert Invitation.objects.get().used_at is not None
    assert kinds(user) == ["SIGNED_IN", "JOINED"]


def test_a_wrong_code_joins_nobody_and_the_third_ends_it(client, north, mailoutbox):
    client.post(people.join_path(north.pk, invited(north).pk), {"email": ADDRESS})
    right = mailed_code(mailoutbox)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    assert "This is not the code" in type_code(client, wrong).content.decode()
    type_code(client, wrong)
    assert type_code(client, wrong)["Location"] == reverse("account_request_login_code")
    type_code(client, right)
    assert joined() == []
    assert kinds() == ["FAILED", "FAILED", "FAILED"]


def test_whoever_has_an_account_signs_in_and_presses_a_button(client, north, province, mailoutbox):
    user = member(province).user
    secret = with_app(user)
    invitation = invited(north)
    path = people.join_path(north.pk, invitation.pk)
    assert client.post(path, {"email": ADDRESS})["Location"] == f"{reverse('account_login')}?next={quote(path)}"
    sign_in(client, user, secret, mailoutbox)
    page = client.get(path)
    assert "North Division invites you" in page.content.decode()
    assert joined(north) == []
    client.post(path)
    assert joined(north) == [(north.pk, "administrator", None)]


def test_an_invitation_for_another_address_is_not_accepted(client, north, province, mailoutbox):
    user = member(province, "someone@example.org").user
    sign_in(client, user, with_app(user), mailoutbox)
    path = people.join_path(north.pk, invited(north).pk)
    assert "for another address" in client.get(path).content.decode()
    client.post(path)
    assert Membership.objects.filter(user=user, site=north).count() == 0


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("used_at", "was used already"),
        ("revoked_at", "was taken back"),
        ("expires_at", "more than two weeks old"),
    ],
)
def test_an_invitation_ends(client, north, column, sentence):
    invitation = invited(north)
    with tenancy.site_scope(north.pk):
        Invitation.objects.filter(pk=invitation.pk).update(**{column: tenancy.now()})
    page = client.post(people.join_path(north.pk, invitation.pk), {"email": ADDRESS})
    assert sentence in page.content.decode()
    with pytest.raises(Refused), tenancy.site_scope(north.pk):
        people.accept_invitation(invitation)
    assert joined() == []


# Signing in


def test_an_unknown_address_gets_the_same_answer_and_no_mail(north, mailoutbox):
    member(north, "known@example.org")
    known, unknown = (
        re.sub(
            r'csrfmiddlewaretoken" value="\w+"|known@|unknown@',
            "",
            ask_code(Client(), address).content.decode(),
        )
        for address in ("known@example.org", "unknown@example.org")
    )
    assert known == unknown
    assert [mail.to for mail in mailoutbox] == [["known@example.org"]]


def test_known_and_unknown_addresses_take_the_same_time(north, mailoutbox, monkeypatch):
    member(north, "known@example.org")
    monkeypatch.setattr(account_views, "EVEN_SECONDS", 0.6)
    took = []
    for address in ("known@example.org", "unknown@example.org"):
        began = time.monotonic()
        Client().post(reverse("account_login"), {"login": address})
        took.append(time.monotonic() - began)
    assert [0.6 <= seconds < 0.8 for seconds in took] == [True, True]


def test_the_mail_with_the_code_says_nothing_of_where_it_comes_from(client, north, mailoutbox):
    member(north)
    ask_code(client, ADDRESS)
    mail = mailoutbox[-1]
    assert mail.subject == "Your sign-in code · Votre code de connexion"
    code = re.search(r"code is (\d{6})\n", mail.body).group(1)
    assert f"Votre code de connexion est {code}" in mail.body
    for told in ("peer", "support", "pair ", "soutien", "north", "localhost", "testserver", "a. person"):
        assert told not in (mail.subject + mail.body).lower()


def test_too_many_tries_are_answered_calmly(client, north):
    for _try in range(30):
        client.post(reverse("account_login"), {"login": ""})
    answer = client.post(reverse("account_login"), {"login": ""})
    assert (answer.status_code, "Please wait a minute" in answer.content.decode()) == (429, True)


def test_no_page_has_a_field_for_a_password(client, north):
    assert 'type="password"' not in client.get(reverse("account_login")).content.decode()
    for gone in ("signup", "password/change", "password/reset", "email"):
        assert client.get(f"/accounts/{gone}/").status_code == 404


def test_the_code_alone_does_not_sign_in_whoever_has_an_app(client, north, mailoutbox):
    user = member(north).user
    secret = with_app(user)
    ask_code(client, ADDRESS)
    answer = type_code(client, mailed_code(mailoutbox))
    assert answer["Location"] == reverse("mfa_authenticate")
    assert "_auth_user_id" not in client.session
    page = client.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert "This did not match" in page.content.decode()
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert client.session["_auth_user_id"] == str(user.pk)
    assert kinds(user) == ["JOINED", "FAILED", "SIGNED_IN"]


def test_a_code_of_the_app_works_once(north, mailoutbox, forget):
    user = member(north).user
    secret = with_app(user)
    first, second = Client(), Client()
    for client in (first, second):
        ask_code(client, ADDRESS)
        type_code(client, mailed_code(mailoutbox))
    code = code_of(secret)
    # The cache also remembers; the row must do so alone.
    assert first.post(reverse("mfa_authenticate"), {"code": code}).status_code == 302
    forget()
    assert "did not match" in second.post(reverse("mfa_authenticate"), {"code": code}).content.decode()
    assert second.post(reverse("mfa_authenticate"), {"code": code_of(secret, 1)}).status_code == 302


def test_signing_in_works_while_the_cache_is_away_and_a_code_still_only_once(north, mailoutbox, valkey_away):
    user = member(north).user
    code = code_of(with_app(user))
    answers = []
    began = time.monotonic()
    for _again in range(2):
        client = Client()
        ask_code(client, ADDRESS)
        type_code(client, mailed_code(mailoutbox))
        answers.append(client.post(reverse("mfa_authenticate"), {"code": code}).status_code)
    assert answers == [302, 200]
    assert time.monotonic() - began < 3


def test_a_recovery_code_works_once(north, mailoutbox):
    user = member(north).user
    with_app(user)
    code = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0]
    answers = []
    for _again in range(2):
        client = Client()
        ask_code(client, ADDRESS)
        type_code(client, mailed_code(mailoutbox))
        answers.append(client.post(reverse("mfa_authenticate"), {"code": code}).status_code)
    assert answers == [302, 200]


def test_without_a_factor_only_the_page_that_sets_one_up_opens(client, north, mailoutbox):
    user = member(north).user
    ask_code(client, ADDRESS)
    type_code(client, mailed_code(mailoutbox))
    assert client.session["_auth_user_id"] == str(user.pk)
    for name in ("mfa_index", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "home"):
        assert client.get(reverse(name))["Location"].startswith(reverse("second_factor"))
    assert client.get(reverse("second_factor")).status_code == 200


def test_setting_up_an_app_shows_recovery_codes_once_and_opens_the_rest(client, north, mailoutbox):
    user = member(north).user
    ask_code(client, ADDRESS)
    type_code(client, mailed_code(mailoutbox))
    page = client.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    assert client.post(reverse("mfa_activate_totp"), {"code": "000000"}).status_code == 200
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    shown = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert all(f"{code[:4]} {code[4:]}" in shown for code in codes)
    again = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert not any(f"{code[:4]} {code[4:]}" in again or code in again for code in codes)
    assert client.get(reverse("mfa_index")).status_code == 200
    assert kinds(user) == ["JOINED", "SIGNED_IN", "FACTOR_ADDED"]
    assert [mail.subject for mail in mailoutbox] == [
        "Your sign-in code · Votre code de connexion",
        "A new way to sign in · Une nouvelle façon de se connecter",
    ]


def test_another_session_must_show_the_factor_that_was_added(client, north, mailoutbox):
    user = member(north).user
    ask_code(client, ADDRESS)
    type_code(client, mailed_code(mailoutbox))
    secret = with_app(user)
    for name in ("mfa_add_webauthn", "mfa_activate_totp"):
        assert client.get(reverse(name))["Location"] == reverse("second_factor")
    asked = client.get(reverse("second_factor"))["Location"]
    assert asked.startswith(reverse("mfa_reauthenticate"))
    assert client.get(reverse("mfa_index"))["Location"].startswith(reverse("second_factor"))
    client.post(asked, {"code": code_of(secret)})
    assert client.get(reverse("mfa_index")).status_code == 200


def test_the_last_factor_cannot_be_removed(client, north, mailoutbox):
    user = member(north).user
    sign_in(client, user, with_app(user), mailoutbox)
    assert reverse("mfa_deactivate_totp") not in client.get(reverse("mfa_index")).content.decode()
    for ask in (client.get, client.post):
        page = ask(reverse("mfa_deactivate_totp"), follow=True)
        assert "the only way to confirm that it is you" in page.content.decode()
    assert Authenticator.objects.filter(user=user, type="totp").count() == 1
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "Phone", "credential": {}})
    client.post(reverse("mfa_deactivate_totp"))
    assert list(Authenticator.objects.values_list("type", flat=True).order_by("type")) == [
        "recovery_codes",
        "webauthn",
    ]
    passkey = Authenticator.objects.get(type="webauthn")
    client.post(reverse("mfa_remove_webauthn", args=[passkey.pk]))
    assert Authenticator.objects.filter(pk=passkey.pk).count() == 1


def test_new_recovery_codes_need_the_factor_again(client, north, mailoutbox, time_passes, forget):
    user = member(north).user
    secret = with_app(user)
    sign_in(client, user, secret, mailoutbox)
    time_passes(client, minutes=6)
    asked = client.post(reverse("mfa_generate_recovery_codes"))["Location"]
    assert asked.startswith(reverse("mfa_reauthenticate"))
    before = Authenticator.objects.get(type="recovery_codes").pk
    Authenticator.objects.filter(type="totp").update(data={"secret": MFAAdapter().encrypt(secret)})
    forget()
    client.post(asked, {"code": code_of(secret)}, follow=True)
    assert Authenticator.objects.get(type="recovery_codes").pk != before


BROKEN = [
    *("", "x", "{}", "[]", "1", "null", '{"response": 5}', '{"id": "a", "response": {}}'),
    '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "AA", "userHandle": "MQ",'
    ' "attestationObject": "AA", "authenticatorData": "AA", "signature": "AA"}}',
    '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {"clientDataJSON": "e30", "userHandle": 5,'
    ' "attestationObject": "oA", "authenticatorData": "' + "A" * 50 + '", "signature": "AA"}}',
]


@pytest.mark.parametrize("credential", BROKEN)
def test_a_broken_passkey_is_answered_in_words(client, north, mailoutbox, credential):
    page = client.post(reverse("mfa_login_webauthn"), {"credential": credential}, follow=True)
    assert page.status_code == 200
    assert "Sign in with a passkey" in page.content.decode()
    user = member(north).user
    sign_in(client, user, with_app(user), mailoutbox)
    client.get(reverse("mfa_add_webauthn"))
    assert client.post(reverse("mfa_add_webauthn"), {"credential": credential}).status_code == 200
    assert Authenticator.objects.filter(type="webauthn").count() == 0


def test_secrets_are_sealed_and_can_be_sealed_anew(north, settings):
    user = member(north).user
    secret = with_app(user)
    row = Authenticator.objects.get(type="totp")
    assert secret not in row.data["secret"]
    settings.PSI_VAULT_KEYS = f"new:{'B' * 43}=,{settings.PSI_VAULT_KEYS}"
    assert rewrap_factors() == 2
    row.refresh_from_db()
    assert row.data["secret"].startswith("new:")
    assert MFAAdapter().decrypt(row.data["secret"]) == secret


# Sessions


@pytest.fixture
def time_passes():
    """Move everything the session remembers into the past."""

    def move(client, **much):
        session = client.session
        seconds = timedelta(**much).total_seconds()
        for name in (STARTED, SEEN):
            session[name] -= seconds
        records = session["account_authentication_methods"]
        session["account_authentication_methods"] = [r | {"at": r["at"] - seconds} for r in records]
        session.save()

    return move


def test_signing_in_starts_the_limits_and_a_new_session(client, north, mailoutbox):
    user = member(north).user
    secret = with_app(user)
    ask_code(client, ADDRESS)
    before = client.session.session_key
    session = client.session
    session[STARTED] = session[SEEN] = 1.0
    session.save()
    type_code(client, mailed_code(mailoutbox))
    client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert client.session.session_key != before
    assert time.time() - client.session[STARTED] < 5
    assert client.get(reverse("mfa_index")).status_code == 200


@pytest.mark.parametrize(("role", "minutes"), [(Role.ADMINISTRATOR, 15), (Role.SUPPORTER, 30)])
def test_an_idle_session_ends(client, north, mailoutbox, time_passes, role, minutes):
    user = member(north, role=role).user
    sign_in(client, user, with_app(user), mailoutbox)
    time_passes(client, minutes=minutes - 1)
    assert client.get(reverse("mfa_index")).status_code == 200
    time_passes(client, minutes=minutes + 1)
    assert client.get(reverse("mfa_index"))["Location"].startswith(reverse("account_login"))
    assert kinds(user)[-1] == "SIGNED_OUT"


def test_somebody_at_the_desk_keeps_the_session(client, north, mailoutbox, time_passes):
    user = member(north).user
    sign_in(client, user, with_app(user), mailoutbox)
    time_passes(client, seconds=20)
    seen = client.session[SEEN]
    assert client.get(reverse("still_here")).status_code == 405
    assert client.post(reverse("still_here")).status_code == 204
    assert client.session[SEEN] - seen >= 20
    assert Client().post(reverse("still_here")).status_code == 302


# What was typed


def test_what_matters_asks_for_the_factor_again_and_keeps_the_form(client, rf, north, mailoutbox, time_passes):
    user = member(north).user
    secret = with_app(user)
    sign_in(client, user, secret, mailoutbox)
    made = []
    view = confirm_first(lambda request: made.append(request.POST["words"]) or HttpResponse("made"))

    def press():
        request = posted(rf, user)
        request.session = client.session
        return view(request)

    assert press().content == b"made"
    time_passes(client, minutes=6)
    asked = press()
    assert made == ["half a sentence"]
    page = client.get(asked["Location"])
    assert page["Location"] == f"{reverse('mfa_reauthenticate')}?next={quote('/north/settings/', safe='')}"
    answer = client.post(page["Location"], {"code": code_of(secret, 1)})
    assert answer["Location"] == "/north/settings/"
    assert shown(rf, user, asked.cookies)["words"] == "half a sentence"
    assert press().content == b"made"


def posted(rf, user, path="/north/settings/", **values):
    request = rf.post(path, values or {"words": "half a sentence", "many": ["1", "2"], "csrfmiddlewaretoken": "t"})
    request.user = user
    return request


def shown(rf, user, cookies, path="/north/settings/"):
    request = rf.get(path)
    request.user = user
    request.COOKIES.update({name: morsel.value for name, morsel in cookies.items()})
    return saved_form.restore(request)


def test_a_kept_form_opens_for_the_same_account_at_the_same_address(rf, north):
    user, other = member(north).user, member(north, "other@example.org").user
    response = saved_form.keep(posted(rf, user))(HttpResponse())
    cookie = response.cookies[saved_form.CARRIER.name]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 600)
    assert "sentence" not in cookie.value
    back = shown(rf, user, response.cookies)
    assert (back["words"], back.getlist("many"), "csrfmiddlewaretoken" in back) == (
        "half a sentence",
        ["1", "2"],
        False,
    )
    assert shown(rf, other, response.cookies) is None
    assert shown(rf, user, response.cookies, "/north/today/") is None
    cookie.set(saved_form.CARRIER.name, cookie.value[:-6] + "AAAAA=", cookie.value)
    assert shown(rf, user, response.cookies) is None


def test_a_kept_form_is_gone_after_ten_minutes_and_after_it_is_sent(rf, north):
    user = member(north).user
    response = saved_form.keep(posted(rf, user))(HttpResponse())
    with time_machine.travel(timezone.now() + timedelta(seconds=601), tick=False):
        assert shown(rf, user, response.cookies) is None
    again = posted(rf, user)
    again.COOKIES.update({name: morsel.value for name, morsel in response.cookies.items()})
    assert saved_form.clear(again, HttpResponse()).cookies[saved_form.CARRIER.name]["max-age"] == 0


def test_what_does_not_fit_a_cookie_is_not_kept(rf, north):
    user = member(north).user
    response = saved_form.keep(posted(rf, user, words=secrets.token_hex(4000)))(HttpResponse())
    assert saved_form.CARRIER.name not in response.cookies


# People


def by(user):
    return Actor(user.pk, "administrator")


def test_roles_fit_the_kind_of_site(north, province):
    for site, wrong in ((north, Role.ADVISOR), (province, Role.LEAD)):
        with pytest.raises(Refused, match="NO_SUCH_ROLE"), tenancy.site_scope(site.pk):
            people.invite(site, email=ADDRESS, name="A", role=wrong, by=SYSTEM)


def test_nobody_is_invited_twice_for_the_same(north):
    invitation = invited(north)
    with pytest.raises(Refused, match="INVITATION_WAITING"):
        invited(north, email=ADDRESS.upper())
    with tenancy.site_scope(north.pk):
        people.accept_invitation(invitation)
    with pytest.raises(Refused, match="ROLE_HELD"):
        invited(north)
    invited(north, role=Role.LEAD)


def test_a_revoked_invitation_is_neither_sent_nor_accepted(north):
    invitation = invited(north)
    with tenancy.site_scope(north.pk):
        people.revoke_invitation(invitation, by=SYSTEM)
        assert people._still_waiting([invitation.pk]) == set()
    for move in (lambda: people.revoke_invitation(invitation, by=SYSTEM), lambda: people.accept_invitation(invitation)):
        with pytest.raises(Refused, match="INVITATION_REVOKED"), tenancy.site_scope(north.pk):
            move()


def test_after_thirty_days_nobody_knows_whom_an_invitation_went_to(client, north):
    used, revoked, ended = invited(north), invited(north, "b@example.org"), invited(north, "c@example.org")
    with tenancy.site_scope(north.pk):
        user = people.accept_invitation(used).user
        people.revoke_invitation(revoked, by=SYSTEM)
    agenda.sweep(now=tenancy.now() + timedelta(days=29))
    with tenancy.site_scope(north.pk):
        assert Invitation.objects.exclude(email="").exclude(name="").count() == 3
    agenda.sweep(now=tenancy.now() + timedelta(days=30, minutes=1))
    with tenancy.site_scope(north.pk):
        assert set(Invitation.objects.values_list("email", "name")) == {("", "")}
        assert Invitation.objects.get(pk=used.pk).used_at and Invitation.objects.get(pk=revoked.pk).revoked_at
        assert Profile.objects.get(user=user).name == "A. Person"
        assert AuditEntry.objects.filter(action="ERASED", object_kind="INVITATION").count() == 3
    with tenancy.site_scope(north.pk):
        Invitation.objects.filter(pk=ended.pk).update(expires_at=tenancy.now())
    for invitation, said in (
        (used, "was used already"),
        (revoked, "was taken back"),
        (ended, "more than two weeks old"),
    ):
        page = client.post(people.join_path(north.pk, invitation.pk), {"email": ADDRESS})
        assert said in page.content.decode()


def test_the_last_administrator_stays(north, world):
    first = Membership.objects.get(user=world["north administrator"])
    with pytest.raises(Refused, match="LAST_ADMINISTRATOR"), tenancy.site_scope(north.pk):
        people.end_role(first, by=by(first.user))
    with pytest.raises(Refused, match="LAST_ADMINISTRATOR"), tenancy.site_scope(north.pk):
        people.change_role(first, Role.LEAD, by=by(first.user))
    second = member(north, "second@example.org")
    with tenancy.site_scope(north.pk):
        lead = people.change_role(first, Role.LEAD, by=by(second.user))
    assert list(Membership.objects.filter(user=first.user, ended_at=None)) == [lead]
    with tenancy.site_scope(north.pk):
        people.end_role(lead, by=by(second.user))
    with pytest.raises(Refused, match="ROLE_ENDED"), tenancy.site_scope(north.pk):
        people.end_role(lead, by=by(second.user))
    assert Membership.objects.filter(user=first.user, ended_at=None).count() == 0
    with tenancy.site_scope(north.pk):
        actions = list(AuditEntry.objects.order_by("number").values_list("action", flat=True))
    assert actions == ["INVITE", "JOIN", "CHANGE_ROLE", "END_ROLE"]


def test_a_person_may_hold_two_roles(north, world, sign_in):
    first = Membership.objects.get(user=world["north lead"])
    client = sign_in(world["north administrator"])
    page = f"/north/settings/people/{first.pk}/"
    client.post(page, {"do": "add", "role": Role.SUPPORTER})
    assert set(Membership.objects.filter(user=first.user, ended_at=None).values_list("role", flat=True)) == {
        Role.LEAD,
        Role.SUPPORTER,
    }
    shown = client.get(page)
    assert (shown.context["roles"], shown.context["others"]) == (
        [(Role.ADMINISTRATOR, "Program administrator")],
        ["Peer supporter"],
    )
    with pytest.raises(Refused, match="ROLE_HELD"), tenancy.site_scope(north.pk):
        people.add_role(first, Role.SUPPORTER, by=SYSTEM)
    with tenancy.site_scope(north.pk):
        # A new supporter is on the way to the roster.
        assert set(AuditEntry.objects.values_list("action", flat=True)) == {"ADD_ROLE", "INVITED"}


def test_moves_of_another_site_are_not_made(north, province):
    membership = member(north)
    with pytest.raises(LookupError), tenancy.site_scope(province.pk):
        people.end_role(membership, by=SYSTEM)


NEW_SITE = {
    "slug": "east-shore",
    "name": "East Shore",
    "kind": Site.Kind.MSA,
    "cohort": 2,
    "funding": Site.Funding.FUNDED,
    "law": Site.Law.PIPA,
    "privacy_officer": "Office, 555-0100",
    "reach_in": True,
    "reach_out": False,
    "time_zone": "America/Vancouver",
}


def test_a_coordinator_opens_a_site_and_invites_its_administrator(province):
    coordinator = by(member(province).user)
    with tenancy.site_scope(province.pk):
        site = open_site(**NEW_SITE, first_name="F. Irst", first_email="first@example.org", by=coordinator)
    with tenancy.site_scope(site.pk):
        assert Invitation.objects.get().email == "first@example.org"
        assert Notice.objects.count() == 1
    with tenancy.site_scope(province.pk):
        assert AuditEntry.objects.latest("number").action == "OPEN_SITE"


@pytest.mark.parametrize(
    "change",
    [{"slug": "accounts"}, {"slug": "static"}, {"slug": "a b"}, {"slug": "East"}, {"slug": "north"},
     {"kind": "PROVINCE"}, {"kind": "CLUB"}, {"name": ""}],
)  # fmt: skip
def test_a_site_that_cannot_be_is_not_opened(province, north, change):
    with pytest.raises(Refused), tenancy.site_scope(province.pk):
        open_site(**NEW_SITE | change, first_name="F", first_email="first@example.org", by=SYSTEM)
    assert sorted(Site.objects.values_list("slug", flat=True)) == ["north", "province", "south"]


def test_reserved_slugs_are_the_first_words_of_the_addresses():
    assert {"accounts", "static", "go", "leave", "healthz", "province"} <= slugs.reserved()
    assert "<slug:site>" not in slugs.reserved()


def test_events_are_chained(north):
    user = member(north).user
    for kind in (SignInEvent.Kind.SIGNED_IN, SignInEvent.Kind.SIGNED_OUT):
        sign_in_events.record(kind, user.pk)
    events = list(SignInEvent.objects.order_by("pk"))
    assert [bytes(e.previous) for e in events[1:]] == [bytes(e.digest) for e in events[:-1]]


def test_a_join_token_is_ours_alone(north):
    with pytest.raises(signing.BadSignature):
        people.read_join(signing.dumps([north.pk, 1]))
