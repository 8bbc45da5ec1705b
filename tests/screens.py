"""A tour through every page, and pictures of it: `python -m tests.screens [FOLDER]` (`make screens`).

FOLDER   where the pictures go, PSI_HOME/screens when left out: NAME-1200.png and NAME-390.png
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import django
from playwright.sync_api import Browser, Page, Route, expect

django.setup()  # for whoever runs it by itself

from sites.gate import slowdown  # noqa: E402
from tests.house import BASE, DESK, PHONE, House, Person, browsing, running  # noqa: E402

SITE = "harbour"
Stop = tuple[str, Page]
# Sends a request that agrees to the survey, closes it, and prints its receipt.
CLOSED = f"""
import uuid
from matching.invitations import transitions
from psi.tenancy import site_scope
from referrals.requests.models import ON_FORM
from referrals.requests.models import Referral
from referrals.requests.receipts import receipt_digest
from referrals.requests.request_facts import RequestAnswers
from referrals.requests.identity import Identity
from referrals.requests.receiving import submit
from sites.engine.audit import SYSTEM
from sites.tenants.models import Site
from sites.reference.queries import current_text
site = Site.objects.get(slug="{SITE}")
with site_scope(site.pk):
    answers = RequestAnswers(reasons=("BURNOUT",), stage="UNSAID", practice="UNSAID", source="")
    texts = {{purpose.value: current_text(purpose, "en") for purpose in ON_FORM}}
    robin = Identity(name="Robin", phone="604 555 0188")
    receipt = submit(answers, robin, site=site, at=site, key=uuid.uuid4(), texts=texts)
    transitions.close(Referral.objects.get(receipt_digest=receipt_digest(receipt)).pk, "ONWARD", by=SYSTEM)
print(receipt)
"""


def tour(house: House, browser: Browser, script: str = "") -> Iterator[Stop]:
    """Yield (name, page) at every page of a house with demonstration data, forms in their error state as well.

    Every page has run `script` before its own.
    """
    for part in (_public, _survey, _troubles, _entrance, _administrator, _lead, _supporter, _province):
        person = Person(house, browser)
        person.page.context.add_init_script(script)
        yield from part(house, person)
        person.close()


def _public(house: House, person: Person) -> Iterator[Stop]:
    page = person.page
    for name, path in (
        ("public-find", "/"),
        ("public-site", f"/{SITE}/"),
        ("public-peers", f"/{SITE}/peers/"),
        ("public-province", "/province/"),
        ("public-colleague", f"/{SITE}/colleague/"),
        ("public-colleague-off", "/province/colleague/"),
        ("public-tell", f"/{SITE}/colleague/tell/"),
        ("public-tell-agreed", f"/{SITE}/colleague/tell/?agreed=yes"),
        ("public-tell-unknown", f"/{SITE}/colleague/tell/?agreed=unknown"),
        ("public-thanks", f"/{SITE}/colleague/thanks/"),
        ("public-verify", "/verify/"),
        ("public-nominated", f"/{SITE}/nominate/thanks/"),
        ("public-nominate", f"/{SITE}/nominate/"),
        ("public-request", f"/{SITE}/request/"),
    ):
        person.open(path)
        yield name, page
    page.get_by_label("Phone").fill("call me")
    page.get_by_label("A complaint").check()
    person.press("Send my request")
    yield "public-request-errors", page
    for fold in page.locator("summary").all():
        fold.click()
    yield "public-request-folds", page
    page.get_by_label("Phone").fill("604 555 0133")
    page.get_by_label("Your name").fill("Robin")
    page.get_by_label("My own community").check()
    page.get_by_label("I agree to be matched").check()
    page.get_by_label("What are you looking for?").select_option(label="Help with substance use")
    # Nobody fills it in this fast.
    page.wait_for_timeout(slowdown.QUICKEST.total_seconds() * 1000)
    person.press("Send my request")
    yield "public-interruption", page
    person.press("Send my request anyway")
    yield "public-sent", page
    receipt = page.locator(".receipt").inner_text()
    page.reload()
    person.press("Check my request")
    yield "public-status", page
    page.get_by_label("Receipt").fill("1234")
    person.press("Check my request")
    yield "public-status-errors", page
    page.get_by_label("Receipt").fill(receipt)
    person.press("Check my request")
    yield "public-status-answer", page
    yield from _offer(house, person)
    for name, path in (("demo", "/demo/"), ("mailbox", "/mailbox/")):
        person.open(path)
        yield name, page


def _survey(house: House, person: Person) -> Iterator[Stop]:
    """A request that was closed, by its receipt."""
    page = person.page
    receipt = house.manage(code=CLOSED)
    person.open(f"/{SITE}/status/")
    page.get_by_label("Receipt").fill(receipt)
    person.press("Check my request")
    yield "public-status-closed", page
    person.press("Answer five questions")
    yield "public-survey", page
    person.press("Send my answers")
    yield "public-survey-errors", page
    for question in page.locator("fieldset").all():
        question.get_by_label("Yes").check()
    page.locator("[name=sealed]").evaluate("field => { field.value = 'old' }")
    person.press("Send my answers")
    yield "public-survey-stale", page
    page.get_by_label("Receipt").fill(receipt)
    person.press("Send my answers")
    yield "public-survey-thanks", page
    person.open(f"/{SITE}/status/")
    page.get_by_label("Receipt").fill(receipt)
    person.press("Check my request")
    yield "public-status-answered", page


def _offer(house: House, person: Person) -> Iterator[Stop]:
    """The page behind the link of an offer: asked, mistaken, shown, answered."""
    page = person.page
    path, code = house.manage(
        code="from psi.tenancy import site_scope\nfrom referrals.reach_out import transitions as reach_out\n"
        f"from referrals.requests.models import ReachOut\nfrom sites.tenants.models import Site\nsite = Site.objects.get(slug='{SITE}')\n"
        "with site_scope(site.pk):\n    found = ReachOut.objects.get(way='MAIL').referral_id\n"
        "    print(reach_out._offer_path(found), reach_out.code_of(found).replace(' ', ''))"
    ).split()
    person.open(path)
    yield "offer-code", page
    page.get_by_label("Your code").fill("1234")
    person.press("Continue")
    yield "offer-code-errors", page
    page.get_by_label("Your code").fill(code)
    person.press("Continue")
    yield "offer", page
    page.get_by_label("Phone").fill("call me")
    person.press("Yes")
    yield "offer-errors", page
    page.get_by_label("Phone").fill("")
    person.press("Yes")
    yield "offer-yes", page


def _troubles(house: House, person: Person) -> Iterator[Stop]:
    page = person.page
    person.open("/nowhere/at/all/")
    yield "trouble-404", page
    for number in ("500", "503"):
        body = (BASE / f"templates/{number}.html").read_text()
        page.route(f"**/{number}.html", partial(Route.fulfill, body=body, content_type="text/html"))
        person.open(f"/{number}.html")
        yield f"trouble-{number}", page
    person.open(f"/{SITE}/request/")
    page.context.clear_cookies()
    person.press("Send my request")
    yield "trouble-stale-form", page
    person.open(f"/{SITE}/request/")
    page.get_by_label("Phone").fill("604 555 0134")
    page.get_by_label("Your name").fill("Robin")
    page.get_by_label("My own community").check()
    page.get_by_label("I agree to be matched").check()
    page.locator("[name=ready]").evaluate("field => { field.value = '' }")
    person.press("Send my request")
    yield "trouble-wait", page
    person.open(f"/{SITE}/request/")
    yield "trouble-waited", page
    with _closed(house, "north-islands"):
        for name, path in (("public-closed-site", "north-islands/"), ("public-closed", "north-islands/request/")):
            person.open(f"/{path}")
            yield name, page


@contextmanager
def _closed(house: House, site: str) -> Iterator[None]:
    """Close a site for a moment."""
    switch = "UPDATE sites_site SET is_open = %s WHERE slug = %s"
    house.change(switch, False, site)
    yield
    house.change(switch, True, site)


def _entrance(house: House, person: Person) -> Iterator[Stop]:
    """Sign-in, and an invitation from the mail to the recovery codes."""
    page, address = person.page, "new.person@example.org"
    person.open("/accounts/login/")
    yield "sign-in", page
    person.press("Send me a code")
    yield "sign-in-errors", page
    page.get_by_label("Email").fill(address)
    person.press("Send me a code")
    yield "sign-in-code", page
    page.get_by_label("Six-digit code").fill("1")
    person.press("Continue")
    yield "sign-in-code-errors", page
    path = house.manage(
        code="from psi.tenancy import site_scope\nfrom sites.people import transitions as people\nfrom sites.engine.audit import SYSTEM\n"
        f"from sites.tenants.models import Site\nsite = Site.objects.get(slug='{SITE}')\nwith site_scope(site.pk):\n"
        f"    made = people.invite(site, email='{address}', name='Dr New Person', role='supporter', by=SYSTEM)\n"
        "    print(people.join_path(site.pk, made.pk))"
    )
    page.context.clear_cookies()
    person.open(path)
    yield "join", page
    page.get_by_label("Email").fill("someone.else@example.org")
    person.press("Continue")
    yield "join-errors", page
    page.get_by_label("Email").fill(address)
    person.press("Continue")
    expect(page.get_by_role("heading", name="Type the code")).to_be_visible()
    person.address = address
    house.mailboxes[address] = len([m for m in house.mails_to(address) if not re.search(r"\b\d{6}\b", m.get_content())])
    page.get_by_label("Six-digit code").fill(person.code())
    person.press("Continue")
    expect(page.get_by_role("heading", name="Make your sign-in safe")).to_be_visible()
    yield "join-second-factor", page
    person.press("Set up an app")
    yield "join-app", page
    page.get_by_label("Code from the app").fill("000000")
    person.press("Continue")
    yield "join-app-errors", page
    page.go_back()
    page.goto("/accounts/second-factor/")
    person.press("Add a passkey")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    yield "join-recovery-codes", page
    for name, at in (
        ("account-factors", "factors/"),
        ("account-add-passkey", "factors/passkeys/add/"),
        ("account-codes", "factors/codes/"),
        ("account-new-codes", "factors/codes/new/"),
        ("account-sign-out", "logout/"),
    ):
        person.open(f"/accounts/{at}")
        yield name, page
    person.open(f"/{SITE}/my/")
    yield "recruit-my", page
    person.press("Tell us about yourself")
    yield "recruit-interest", page
    page.get_by_label("About you").fill("x" * 401)
    person.press("Send")
    yield "recruit-interest-errors", page
    person.open(path)
    yield "join-gone", page


def _ref(house: House, state: str, *, site: str = SITE, user: str = "", late: bool = False) -> str:
    """Return the reference of a request whose latest match stands so; `state` empty: open, and nobody was invited to it."""
    whose = "AND s.user_id = (SELECT id FROM sites_user WHERE email = %s)" if user else "AND %s = ''"
    question = (
        "SELECT r.ref FROM referrals_referral r LEFT JOIN matching_match m ON m.referral_id = r.id"
        " LEFT JOIN training_peersupporter s ON s.id = m.supporter_id"
        f" WHERE coalesce(m.state, '') = %s {whose} AND (m.state IS NOT NULL OR r.state = 'OPEN') AND (%s OR coalesce(m.window_step, 0) < 3) ORDER BY r.id DESC"
    )
    if late:
        question = question.replace("(%s OR coalesce(m.window_step, 0) < 3)", "%s AND m.window_step = 3")
    rows = house.sql(question, state, user, late, site=site)
    assert rows, f"The demonstration has no match {state or 'unasked'} at {site} {user}"
    return rows[0][0]


def _administrator(house: House, person: Person) -> Iterator[Stop]:
    page, requests = person.page, f"/{SITE}/requests"
    person.play("Program administrator")
    yield "admin-today", page
    with _closed(house, SITE):
        person.open(f"/{SITE}/today/")
        yield "admin-today-closed", page
    asked = "SELECT ref FROM referrals_referral WHERE state = 'AWAITING' ORDER BY id DESC"
    person.open(f"{requests}/{house.sql(asked, site=SITE)[0][0]}/")
    yield "admin-offer", page
    person.open(f"/{SITE}/welcome/")
    yield "admin-welcome", page
    page.set_viewport_size(PHONE)
    page.get_by_role("button", name="Menu").click()
    yield "admin-menu", page
    for name, path in (
        ("admin-requests", "requests/"),
        ("admin-supporters", "supporters/"),
        ("admin-figures", "figures/"),
        ("admin-remarks", "remarks/"),
        ("admin-by-hand", "requests/new/"),
        ("admin-settings", "settings/"),
        ("admin-cover", "settings/cover/"),
        ("admin-training", "training/"),
        ("admin-session-new", "training/new/"),
        ("admin-people", "settings/people/"),
        ("admin-departments", "settings/departments/"),
        ("admin-words", "settings/wording/"),
        ("admin-numbers", "settings/numbers/"),
        ("admin-audit", "settings/audit/"),
        ("admin-safety", "my/safety/"),
    ):
        person.open(f"/{SITE}/{path}")
        yield name, page
    person.open(f"{requests}/caller/")
    person.press("Look for the request")
    yield "admin-caller-errors", page
    page.get_by_label("The phone number or email address they left").fill("604 555 0199")
    person.press("Look for the request")
    yield "admin-caller", page
    page.goto(f"/{SITE}/figures/")
    page.get_by_text("The same as a table").first.click()
    yield "admin-figures-table", page
    page.goto(f"/{SITE}/figures/?period=1999-99")
    yield "admin-figures-unknown", page
    for state in ("INVITED", "ACCEPTED", "CONFIRMED", "CONTACTED", "COMPLETED"):
        person.open(f"{requests}/{_ref(house, state)}/")
        yield f"admin-request-{state.lower()}", page
    person.open(f"{requests}/{_ref(house, 'CONFIRMED', late=True)}/")
    yield "admin-request-late", page
    open_ref = _ref(house, "")
    person.open(f"{requests}/{open_ref}/")
    yield "admin-request-open", page
    person.press("Show who asked")
    yield "admin-request-who", page
    page.get_by_role("main").locator("summary").click()
    person.press("Close the request")
    yield "admin-request-errors", page
    person.open(f"{requests}/{open_ref}/hand-over/")
    yield "admin-hand-over", page
    person.press("Hand over")
    yield "admin-hand-over-errors", page
    person.open(f"{requests}/{open_ref}/choose/")
    yield "admin-choose", page
    person.open(f"/{SITE}/my/")
    yield "trouble-403", page
    person.open(f"/{SITE}/settings/")
    page.get_by_label("Who answers questions about privacy").fill("")
    person.press("Save")
    yield "admin-settings-errors", page
    person.open(f"/{SITE}/settings/people/")
    person.press("Send the invitation")
    yield "admin-people-errors", page
    person.open(f"/{SITE}/settings/people/")
    page.locator("main td, main th").get_by_role("link").nth(3).click()
    yield "admin-member", page
    person.open(f"/{SITE}/settings/departments/")
    person.press("Add")
    yield "admin-departments-errors", page
    person.open(f"/{SITE}/settings/wording/en/")
    page.get_by_label("Answer 1", exact=True).fill("")
    person.press("Preview")
    yield "admin-words-errors", page
    page.get_by_label("Answer 1", exact=True).fill("Only who must.")
    person.press("Preview")
    yield "admin-words-preview", page
    yield from _roster(house, person)
    person.open(f"/{SITE}/supporters/")
    page.locator("main th").get_by_role("link").first.click()
    yield "admin-supporter", page
    page.get_by_label("Matches a year").fill("")
    person.press("Save")
    yield "admin-supporter-errors", page


def _roster(house: House, person: Person) -> Iterator[Stop]:
    """Who is on the way, and the roster as a file."""
    page = person.page
    for state in ("NOMINATED", "INVITED", "INTERESTED", "TRAINING"):
        asked = "SELECT ref FROM training_recruit WHERE state = %s ORDER BY id"
        person.open(f"/{SITE}/supporters/recruits/{house.sql(asked, state, site=SITE)[0][0]}/")
        yield f"admin-recruit-{state.lower()}", page
    page.get_by_role("main").locator("summary").click()
    person.press("Stop")
    yield "admin-recruit-errors", page
    person.open(f"/{SITE}/supporters/import/")
    yield "admin-import", page
    for name, more in (
        ("admin-import-shown", "new.colleague@example.org,Dr. New Colleague,5,"),
        ("admin-import-wrong", "at home,,0,Kitchen"),
    ):
        file = f"email,name,cap_year,departments\nada.cedar@example.org,,5,Emergency; Surgery\n{more}\n"
        page.get_by_label("Roster as CSV or XLSX").set_input_files(
            {"name": "roster.csv", "mimeType": "text/csv", "buffer": file.encode()}
        )
        person.press("Show what it would change")
        yield name, page


def _lead(house: House, person: Person) -> Iterator[Stop]:
    person.play("Physician lead")
    yield "lead-figures", person.page
    person.open(f"/{SITE}/supporters/")
    yield "lead-supporters", person.page
    person.press("Open · Dr. Wren Sorrel")
    yield "lead-recruit", person.page


def _supporter(house: House, person: Person) -> Iterator[Stop]:
    page, ada = person.page, "ada.cedar@example.org"
    person.play("Peer supporter")
    yield "supporter-my", page
    for state in ("INVITED", "CONFIRMED", "CONTACTED", "COMPLETED"):
        person.open(f"/{SITE}/my/{_ref(house, state, user=ada)}/")
        yield f"supporter-match-{state.lower()}", page
    person.open(f"/{SITE}/my/{_ref(house, 'CONTACTED', user=ada)}/conversation/")
    yield "supporter-conversation", page
    page.get_by_label("Fourth or later").check()
    page.locator("summary", has_text="What did you point to?").click()
    yield "supporter-conversation-later", page
    person.press("Record the conversation")
    yield "supporter-conversation-errors", page
    for name, button in (("informal", "Log it"), ("remark", "Put it into the box")):
        person.open(f"/{SITE}/my/{name}/")
        yield f"supporter-{name}", page
        person.press(button)
        yield f"supporter-{name}-errors", page
    person.open(f"/{SITE}/my/safety/")
    yield "supporter-safety", page
    person.open(f"/{SITE}/my/page/")
    yield "supporter-page", page
    page.get_by_label("About you").fill("x" * 401)
    person.press("Save")
    yield "supporter-page-errors", page
    person.open(f"/{SITE}/my/about/")
    yield "supporter-about-me", page
    person.open(f"/{SITE}/my/agreement/")
    yield "supporter-agreement", page
    person.open(f"/{SITE}/my/training/")
    yield "supporter-training", page
    person.open(f"/{SITE}/my/statement/")
    yield "supporter-statement", page
    person.open(f"/{SITE}/my/commitment/")
    yield "supporter-commitment", page
    page.get_by_label("Matches a year").fill("")
    page.get_by_role("button", name="Save").click()
    yield "supporter-commitment-errors", page
    person.open(f"/{SITE}/my/{_ref(house, 'INVITED', user=ada)}/")
    person.press("Accept")
    yield "supporter-match-accepted", page


def _province(house: House, person: Person) -> Iterator[Stop]:
    page = person.page
    person.play("Advisor")
    yield "advisor-figures", page
    person.play("Provincial coordinator")
    yield "province-today", page
    for name, path in (
        ("province-requests", "requests/"),
        ("province-supporters", "supporters/"),
        ("province-sites", "sites/"),
        ("province-operations", "operations/"),
        ("province-consumers", "consumers/"),
        ("province-figures", "figures/"),
        ("province-debriefs", "debriefs/"),
        ("province-releases", "figures/releases/"),
        ("province-published", "published/"),
        ("province-methods", "published/methods/"),
        ("province-settings", "settings/"),
        ("province-crisis", "settings/crisis/"),
        ("province-crisis-number", "settings/crisis/SUICIDE/"),
        ("province-site", f"sites/{SITE}/"),
        ("province-choose", f"requests/{_ref(house, '', site='province')}/choose/"),
        ("province-request", f"requests/{_ref(house, 'CONFIRMED', site='province')}/"),
    ):
        person.open(f"/province/{path}")
        yield name, page
    person.open("/province/settings/crisis/PHP/")
    page.get_by_label("Number, as people read it").fill("1-800")
    person.press("Save")
    yield "province-crisis-errors", page
    for state in ("PLANNED", "HELD"):
        number = "SELECT id FROM training_session WHERE state = %s ORDER BY id LIMIT 1"
        person.open(f"/province/training/{house.sql(number, state, site='province')[0][0]}/")
        yield f"province-session-{state.lower()}", page
    person.open("/province/pay/")
    yield "province-pay", page
    person.open("/province/settings/rates/")
    yield "province-rates", page
    person.open("/province/links/")
    yield "province-links", page
    person.open("/province/settings/agreement/")
    yield "province-agreement", page
    person.open("/province/sites/")
    page.get_by_label("Short name in the address").fill("Big North")
    person.press("Set up and invite")
    yield "province-sites-errors", page
    person.open("/province/consumers/")
    person.press("Issue a token")
    yield "province-consumers-errors", page
    page.get_by_label("Organization").fill("Library")
    person.press("Issue a token")
    yield "province-consumers-token", page
    person.open(f"/province/sites/{SITE}/")
    page.get_by_label("Name of the organization").fill("")
    person.press("Save")
    yield "province-site-errors", page


def main(words: list[str]) -> int:
    """Take a picture of every stop at two widths; print how many."""
    folder = Path(words[0] if words else Path(os.environ["PSI_HOME"]) / "screens").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*-*.png"):
        old.unlink()
    count = 0
    with running(demo=True, name="screens") as house, browsing() as browser:
        for name, page in tour(house, browser):
            for size in (DESK, PHONE):
                page.set_viewport_size(size)
                page.screenshot(path=folder / f"{name}-{size['width']}.png", full_page=True, animations="disabled")
                count += 1
    print(f"{count} pictures of {count // 2} pages: {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
