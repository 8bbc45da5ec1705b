"""A person with a browser: from the invitation to a passkey, out again, and in with one touch."""

import os
import re
import threading
import time
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from axe_playwright_python.sync_playwright import Axe
from django.contrib.sessions.models import Session
from django.test.testcases import LiveServerThread
from django.urls import reverse
from playwright.sync_api import expect

from psi import tenancy
from sites.engine.audit import SYSTEM
from sites.engine.models import SignInEvent
from sites.gate.middleware import SEEN
from sites.people import transitions as people
from sites.tenants.models import Invitation, Role, User

ADDRESS = "new.person@example.org"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SEEN_BY_AXE: set[str] = set()
SCREENS = os.environ.get("PSI_SCREENS")


@pytest.fixture
def world(committed_world):
    """Committed, for the server's threads."""
    return committed_world


@pytest.fixture
def address(world):
    """Where the program answers, in a thread of this process."""
    server = LiveServerThread("localhost", lambda application: application)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    assert server.error is None
    yield f"http://localhost:{server.port}"
    server.terminate()
    # Each thread that answered closes its own connection to the database.
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(10)


@pytest.fixture
def page(chrome, address):
    """A page of a new browser, with a device that has a fingerprint reader; no script error, no CSP complaint."""
    context = chrome.new_context(base_url=address, viewport={"width": 390, "height": 844})
    page = context.new_page()
    complaints, missing = [], []
    page.on("response", lambda answer: missing.append(answer.url) if answer.status == 404 else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    options |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield page
    context.close()
    # The browser also notes answers to bad input (422) and to an invitation that is gone (404).
    assert [line for line in complaints if not re.search("status of (422|404)", line)] == []
    assert [url for url in missing if "/static/" in url] == []


def look(page, name, heading):
    """See that a page fits a small phone and a large screen, and that axe finds nothing; take pictures if asked.

    These pages have one narrow column at every width, so axe looks once.
    """
    expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
    page.wait_for_load_state()
    for width in (1200, 390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"
        if SCREENS:
            page.screenshot(path=str(Path(SCREENS) / f"{name}-{width}.png"), full_page=True)
        if width == 320 and name not in SEEN_BY_AXE:
            found = Axe().run(page, options={"runOnly": WCAG}).response["violations"]
            assert [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found] == []
    page.set_viewport_size({"width": 390, "height": 844})
    SEEN_BY_AXE.add(name)


def mailed_code(mailoutbox):
    return re.search(r"\b\d{6}\b", mailoutbox[-1].body).group()


def app_code(secret):
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))


def invitation_path(site, role=Role.ADMINISTRATOR):
    with tenancy.site_scope(site.pk):
        invitation = people.invite(site, email=ADDRESS, name="A. Person", role=role, by=SYSTEM)
    return people.join_path(site.pk, invitation.pk)


def join(page, mailoutbox, path):
    page.goto(path)
    look(page, "join", "You have been invited")
    page.get_by_label("Email").fill(ADDRESS)
    page.get_by_role("button", name="Continue").click()
    look(page, "code", "Type the code")
    page.get_by_label("Six-digit code").fill(mailed_code(mailoutbox))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Make your sign-in safe")).to_be_visible()


def add_passkey(page):
    look(page, "second-factor", "Make your sign-in safe")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    look(page, "recovery-codes", "Your recovery codes")


def add_app(page):
    page.get_by_role("link", name="Set up an app").click()
    look(page, "app", "Set up an authenticator app")
    secret = page.locator("b[translate=no]").inner_text().replace(" ", "")
    page.get_by_label("Code from the app").fill("000000")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Code from the app")).to_have_attribute("aria-invalid", "true")
    look(page, "app-wrong-code", "Set up an authenticator app")
    assert page.locator("b[translate=no]").inner_text().replace(" ", "") == secret
    page.get_by_label("Code from the app").fill(app_code(secret))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    return secret


def sign_out(page):
    page.goto(reverse("account_logout"))
    look(page, "sign-out", "Sign out?")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You have signed out.")).to_be_visible()


def age_sessions(seconds):
    """Let time pass for everybody who is signed in."""
    for session in Session.objects.all():
        values = session.get_decoded()
        values[SEEN] -= seconds
        for record in values["account_authentication_methods"]:
            record["at"] -= seconds
        session.session_data = Session.get_session_store_class()().encode(values)
        session.save()


def test_join_add_a_passkey_sign_out_and_sign_in_with_one_touch(page, north, mailoutbox):
    path = invitation_path(north)
    page.goto(path)
    page.get_by_label("Email").fill("someone.else@example.org")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert").get_by_text("was sent to another address")).to_be_visible()
    look(page, "join-wrong", "You have been invited")
    join(page, mailoutbox, path)
    page.goto(reverse("home"))
    expect(page.get_by_role("heading", name="Make your sign-in safe")).to_be_visible()
    add_passkey(page)
    codes = page.locator("ul[translate=no] li").all_inner_texts()
    assert len(codes) == 10
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as a file").click()
    assert Path(download.value.path()).read_text().split("\n")[:10] == codes
    page.reload()
    expect(page.get_by_text("cannot be shown again")).to_be_visible()
    look(page, "recovery-codes-again", "Your recovery codes")
    page.goto(reverse("mfa_index"))
    look(page, "factors", "Your sign-in")
    expect(page.get_by_role("link", name="Remove")).to_have_count(0)
    sign_out(page)
    look(page, "sign-in", "Sign in")
    page.keyboard.press("Tab")
    button = page.get_by_role("button", name="Sign in with a passkey")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/accounts/" not in url)
    user = User.objects.get(email=ADDRESS)
    assert list(SignInEvent.objects.filter(user=user).order_by("pk").values_list("kind", flat=True)) == [
        "SIGNED_IN",
        "JOINED",
        "FACTOR_ADDED",
        "SIGNED_OUT",
        "SIGNED_IN",
    ]


def test_a_passkey_finishes_what_the_code_began_and_can_be_renamed(page, north, mailoutbox):
    join(page, mailoutbox, invitation_path(north))
    add_passkey(page)
    sign_out(page)
    page.goto(reverse("account_login"))
    page.get_by_label("Email").fill(ADDRESS)
    page.get_by_role("button", name="Send me a code").click()
    look(page, "code", "Type the code")
    page.get_by_label("Six-digit code").fill(mailed_code(mailoutbox))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    look(page, "one-more-step", "One more step")
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url(lambda url: "/accounts/" not in url)
    page.goto(reverse("mfa_index"))
    page.get_by_role("link", name="Rename Passkey").click()
    look(page, "rename", "Rename this passkey")
    page.get_by_label("Name of this passkey").fill("My phone")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Rename My phone")).to_be_visible()
    page.goto(reverse("mfa_add_webauthn"))
    look(page, "add-passkey", "Add a passkey")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("This device has a passkey for your account already.")).to_be_visible()
    look(page, "add-passkey-known", "Add a passkey")


def test_an_app_with_a_wrong_code_first_and_the_last_factor_stays(page, north, mailoutbox):
    join(page, mailoutbox, invitation_path(north))
    secret = add_app(page)
    page.goto(reverse("mfa_index"))
    look(page, "factors-app", "Your sign-in")
    expect(page.get_by_role("link", name="Remove the app")).to_have_count(0)
    page.goto(reverse("mfa_deactivate_totp"))
    expect(page.get_by_text("the only way to confirm that it is you")).to_be_visible()
    look(page, "last-factor", "Your sign-in")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("Your passkey is ready.")).to_be_visible()
    look(page, "factors-both", "Your sign-in")
    page.get_by_role("link", name="Remove the app").click()
    look(page, "remove-app", "Remove the authenticator app?")
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_text("The authenticator app was removed.")).to_be_visible()
    assert Authenticator.objects.filter(type="totp").count() == 0
    assert secret


def test_sign_in_by_code_and_app(page, north, mailoutbox):
    join(page, mailoutbox, invitation_path(north))
    secret = add_app(page)
    sign_out(page)
    page.get_by_label("Email").fill(ADDRESS)
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_label("Six-digit code").fill("12")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert").get_by_text("This is not the code.")).to_be_visible()
    look(page, "code-wrong", "Type the code")
    page.get_by_label("Six-digit code").fill(mailed_code(mailoutbox))
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert").get_by_text("This did not match.")).to_be_visible()
    look(page, "one-more-step-wrong", "One more step")
    page.get_by_label("Code").fill(app_code(secret))
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(lambda url: "/accounts/" not in url)


def test_an_unknown_address_is_told_nothing(page, north, mailoutbox):
    page.goto(reverse("account_login"))
    page.get_by_label("Email").fill("nobody@example.org")
    page.get_by_role("button", name="Send me a code").click()
    expect(page.get_by_text("has an account, a six-digit code is on its way")).to_be_visible()
    assert mailoutbox == []
    page.get_by_role("button", name="Start again").click()
    expect(page.get_by_label("Email")).to_be_visible()
    page.get_by_label("Email").fill("no address")
    page.get_by_role("button", name="Send me a code").click()
    expect(page.get_by_label("Email")).to_have_value("no address")
    look(page, "sign-in-wrong", "Sign in")


def test_a_browser_without_passkeys_says_so(page, north):
    page.add_init_script("delete window.PublicKeyCredential")
    page.goto(reverse("account_login"))
    expect(page.get_by_text("This browser cannot use passkeys.")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    look(page, "no-passkeys", "Sign in")


def test_before_something_that_matters_the_passkey_is_asked_for_again(page, north, mailoutbox):
    join(page, mailoutbox, invitation_path(north))
    add_passkey(page)
    age_sessions(400)
    page.goto(reverse("mfa_generate_recovery_codes"))
    expect(page.get_by_role("heading", name="Please confirm that it is you")).to_be_visible()
    look(page, "confirm-passkey", "Please confirm that it is you")
    page.get_by_role("link", name="Use a code").click()
    expect(page.get_by_label("Code")).to_be_visible()
    look(page, "confirm-code", "Please confirm that it is you")
    page.get_by_role("link", name="Use your passkey").click()
    page.get_by_role("button", name="Use your passkey").click()
    expect(page.get_by_role("heading", name="Make new recovery codes?")).to_be_visible()
    look(page, "new-codes", "Make new recovery codes?")
    page.get_by_role("button", name="Make new codes").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()


def test_whoever_has_an_account_accepts_with_a_button(page, north, province, mailoutbox):
    join(page, mailoutbox, invitation_path(province))
    add_passkey(page)
    path = invitation_path(north)
    page.goto(path)
    look(page, "accept", "North Division invites you")
    page.get_by_role("button", name="Accept the invitation").click()
    page.wait_for_url(lambda url: "/accounts/" not in url)
    page.goto(path)
    expect(page.get_by_text("was used already")).to_be_visible()
    look(page, "gone", "This invitation cannot be used")


def test_a_form_that_meets_the_end_of_the_session_comes_back_filled_and_not_sent(page, north, mailoutbox):
    join(page, mailoutbox, invitation_path(north))
    add_passkey(page)
    page.goto(reverse("people", args=[north.slug]))
    page.get_by_label("Name").fill("Dr. Half Typed")
    page.get_by_label("Email").fill("half@example.org")
    age_sessions(3600)
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_text("signed out because nothing happened")).to_be_visible()
    look(page, "signed-out-idle", "Sign in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("Here is what you had typed. It was not sent yet.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Dr. Half Typed")
    expect(page.get_by_label("Email")).to_have_value("half@example.org")
    look(page, "given-back", "People and roles")
    with tenancy.site_scope(north.pk):
        assert Invitation.objects.filter(email="half@example.org").count() == 0
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_text("The invitation is on its way.")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("")
    with tenancy.site_scope(north.pk):
        assert Invitation.objects.filter(email="half@example.org").count() == 1
