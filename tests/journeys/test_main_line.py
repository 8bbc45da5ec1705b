"""The line the house is built for, walked by people with browsers: real server, real worker, real mail."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from sites.gate import slowdown
from tests.house import DESK, PHONE, House, Person, until

SLUG, SITE = "river", "River Division"
NAME, PHONE_NUMBER, ADDRESS = "Robin Quiet", "604 555 0177", "robin.quiet@example.org"
INVITE = """
from psi import tenancy
from sites.people import transitions as people
from sites.engine.audit import SYSTEM
from sites.tenants.models import Site
province = Site.objects.get(slug="province")
with tenancy.site_scope(province.pk):
    people.invite(province, email="cora@example.org", name="Cora Coordinator", role="administrator", by=SYSTEM)
"""


@dataclass
class Cast:
    """The staff, each signed in on a browser of their own."""

    coordinator: Person
    administrator: Person
    supporter: Person
    away: Person

    def __iter__(self) -> Iterator[Person]:
        return iter((self.coordinator, self.administrator, self.supporter, self.away))


def invite(by: Person, slug: str, name: str, address: str) -> None:
    """Bring somebody in with the roster that the program kept so far: they are invited by it."""
    by.open(f"/{slug}/supporters/")
    by.press("Import and export")
    file = f"Name;Email;Stage;Trained on;Agreement until\n{name};{address};mid;2026-02-03;2099-01-31\n"
    by.page.get_by_label("Roster as CSV or XLSX").set_input_files(
        {"name": "roster.csv", "mimeType": "text/csv", "buffer": file.encode()}
    )
    by.press("Show what it would change")
    by.sees("1 to invite", address)
    by.press("Import this")
    by.sees("Imported. Invited: 1.")


@pytest.fixture(scope="module")
def staff(house: House, chrome: Browser) -> Iterator[Cast]:
    """The first coordinator is invited by command; everyone else by somebody who is here already, through the pages."""
    coordinator = Person(house, chrome, "cora@example.org", viewport=DESK)
    administrator = Person(house, chrome, "ada@example.org", viewport=DESK)
    cast = Cast(
        coordinator, administrator, Person(house, chrome, "sam@example.org"), Person(house, chrome, "olive@example.org")
    )
    house.manage(code=INVITE)
    coordinator.join()
    coordinator.press("I have kept them")
    coordinator.sees("Nothing needs you now")
    open_site(coordinator)
    administrator.join()
    administrator.press("I have kept them")
    open_doors(administrator)
    for by, slug, name, person in (
        (administrator, SLUG, "Dr Sam Steady", cast.supporter),
        (coordinator, "province", "Dr Olive Outside", cast.away),
    ):
        invite(by, slug, name, person.address)
        person.join()
        roster(by, slug, name)
        person.sign_out()
    for person in cast:
        house.forget_mails_to(person.address)
    yield cast
    for person in cast:
        person.close()


def open_site(coordinator: Person) -> None:
    coordinator.open("/province/sites/")
    coordinator.fill(
        **{
            "Name_of_the_organization": SITE,
            "Short_name_in_the_address": SLUG,
            "First_administrator:_name": "Ada Administrator",
            "First_administrator:_email": "ada@example.org",
        }
    )
    coordinator.press("Set up and invite")
    coordinator.sees("River Division is set up, and its first administrator invited.")


def open_doors(administrator: Person) -> None:
    """A site opens once it says who answers for privacy; the form comes back filled when that is missing."""
    administrator.open(f"/{SLUG}/settings/")
    administrator.page.get_by_label("Requests can be sent").check()
    administrator.press("Save")
    administrator.sees("Name who answers for privacy before you open.")
    expect(administrator.page.get_by_label("Requests can be sent")).to_be_checked()
    administrator.page.get_by_label("Who answers questions about privacy").fill("Privacy officer, 250 555 0100")
    administrator.press("Save")
    administrator.sees("Saved.")


def roster(by: Person, slug: str, name: str) -> None:
    by.open(f"/{slug}/supporters/")
    expect(by.page.get_by_role("row", name=re.compile(name)).get_by_text("ready", exact=True)).to_be_visible()


def think(physician: Person) -> None:
    """Let the time pass that nobody fills a form in."""
    physician.page.wait_for_timeout(slowdown.QUICKEST.total_seconds() * 1000)


def ask(physician: Person, *, where: str) -> str:
    """Fill the request form by its labels, send it, and return the receipt."""
    page = physician.page
    physician.open(f"/{SLUG}/")
    physician.press("Ask for peer support")
    think(physician)
    page.get_by_label(where, exact=True).check()
    page.get_by_label("Your name").fill(NAME)
    page.get_by_label("Phone").fill(PHONE_NUMBER)
    page.get_by_label("Email", exact=True).fill(ADDRESS)
    page.get_by_label("Burnout or moral injury").check()
    page.get_by_role("combobox", name="Career stage").select_option(label="Mid (6 to 20 years)")
    page.get_by_label("I agree to be matched with a peer supporter and contacted").check()
    page.get_by_label("I would like to get the anonymous survey").check()
    physician.press("Send my request")
    expect(page.get_by_role("heading", name="We have your request")).to_be_visible()
    receipt = page.locator(".receipt").inner_text()
    assert re.fullmatch(r"\d{4} \d{4} \d{4} \d{4}", receipt)
    return receipt


def send_many(physician: Person, phones: list[str], where: str = "HERE") -> None:
    """The same without looking: fetch the forms, post them as the page would."""
    client, path = physician.page.context.request, f"/{SLUG}/request/"
    hidden = re.compile(r'type="hidden" name="(\w+)" value="([^"]+)"')
    forms = [dict(hidden.findall(client.get(path).text())) for _ in phones]
    think(physician)
    for form, phone in zip(forms, phones, strict=True):
        said = {"peer_from": where, "name": NAME, "phone": phone, "agree_match": "on"}
        answer = client.post(path, form=form | said, headers={"Referer": physician.house.url + path})
        assert answer.url.endswith("/sent/")


def status(physician: Person, receipt: str) -> str:
    """Type the receipt; return the step that is marked as the present one."""
    physician.open(f"/{SLUG}/status/")
    physician.page.get_by_label("Receipt").fill(receipt)
    physician.press("Check my request")
    return physician.page.locator("[aria-current=step]").inner_text()


def neutral(mail: Any) -> None:
    """A mail is a locator and nothing else."""
    text = f"{mail['Subject']} {mail['From']} {mail.get_content()}".lower()
    told = (NAME, SITE, "robin", "river", "physician", "peer", "support", "burnout", "pair ", "soutien")
    assert [word for word in told if word.lower() in text] == []


@dataclass
class Line:
    """Who does the line, and where."""

    slug: str
    coordinator: Person
    supporter: Person
    supporter_name: str


def walk(line: Line, physician: Person, receipt: str, house: House) -> str:
    """Choose, invite, accept, confirm, make contact, record, finish, close; return the reference."""
    chooser, peer = line.coordinator, line.supporter
    neutral(house.next_mail(chooser.address))
    chooser.open(f"/{line.slug}/today/")
    chooser.sees("new request", "Burnout or moral injury")
    assert NAME not in chooser.page.content()
    chooser.press("Choose a peer")
    chooser.sees(line.supporter_name, "free now", "0 of 7 this year", "same career stage")
    ref = re.search(r"/requests/(\w+)/choose/", chooser.page.url).group(1)
    chooser.press("Invite")
    chooser.sees("The invitation is on its way.")
    assert status(physician, receipt) == "Looking for a peer"

    mail = house.next_mail(peer.address)
    neutral(mail)
    # A link from a mail changes nothing and shows nothing before the sign-in.
    peer.touch(re.search(r"http\S+(/go/\S+)", mail.get_content()).group(1))
    assert peer.page.url.endswith(f"/{line.slug}/my/{ref}/")
    peer.sees(NAME, "Burnout or moral injury", "Declining is always fine, no questions asked.")
    assert PHONE_NUMBER not in peer.page.content()
    assert ADDRESS not in peer.page.content()
    peer.press("Accept")
    peer.sees("You will get the contact details once the match is confirmed.")
    assert PHONE_NUMBER not in peer.page.content()
    assert status(physician, receipt) == "A peer has agreed"

    neutral(house.next_mail(chooser.address))
    chooser.open(f"/{line.slug}/today/")
    chooser.press("Confirm the match")
    chooser.sees("Confirmed.", "72 h left")
    assert status(physician, receipt) == "Your peer contacts you"
    physician.sees("You will hear by", "Peer supporter: 2 times")

    neutral(house.next_mail(peer.address))
    peer.open(f"/{line.slug}/my/")
    peer.sees("Please make contact within the 72 hours.", "72 h left")
    peer.press("Open")
    peer.sees(NAME, PHONE_NUMBER, ADDRESS, "72 h left")
    expect(peer.page.get_by_role("img", name="0 of 72 hours")).to_be_visible()
    peer.press("I have made contact")
    peer.sees("Noted.")
    assert status(physician, receipt) == "In contact"
    record(peer)
    peer.page.locator("summary", has_text="We have had our last conversation").click()
    peer.press("Finish")
    peer.sees("This match is finished.")

    neutral(house.next_mail(chooser.address))
    chooser.open(f"/{line.slug}/today/")
    chooser.sees("is finished")
    chooser.press("Close the request")
    chooser.page.get_by_label("Support was given").check()
    chooser.press("Close the request")
    chooser.sees("The request is closed.")
    assert status(physician, receipt) == "Closed"
    return ref


def record(peer: Person) -> None:
    """The tracker: closed lists only, first sent empty, then filled."""
    page = peer.page

    def in_view() -> bool:
        page.evaluate("scrollTo(0, 0)")
        button = page.get_by_role("button", name="Record the conversation").bounding_box()
        return bool(button) and button["y"] + button["height"] <= PHONE["height"]

    peer.press("Record the conversation")
    expect(page.get_by_role("group", name="Which conversation was it?").get_by_label("First")).to_be_checked()
    expect(page.locator("main input[type=text], main textarea")).to_have_count(0)
    # One screen of a phone, from the first question to the button.
    assert page.viewport_size == PHONE and in_view()
    page.get_by_label("Third", exact=True).check()
    assert page.get_by_text("Shall we call them together?").is_visible() and in_view()
    page.get_by_label("First", exact=True).check()
    # Nothing moves under the thumb as something is chosen.
    length = page.get_by_role("group", name="How long, in minutes?")
    tall = length.bounding_box()["height"]
    page.get_by_label("15 to 30 minutes").check()
    assert length.bounding_box()["height"] == tall
    peer.press("Record the conversation")
    expect(page.get_by_role("alert")).to_contain_text("Choose how you talked.")
    # The words for handing on come with the third, the question with the fourth, and both go again.
    words, sure = page.get_by_text("Shall we call them together?"), page.get_by_label("Yes, it was the fourth")
    for which, shown in (("Third", (True, False)), ("Fourth or later", (True, True)), ("First", (False, False))):
        page.get_by_label(which, exact=True).check()
        assert (words.is_visible(), sure.is_visible()) == shown
    page.get_by_label("By phone").check()
    for group, mark in (("How easy was it for you?", "4"), ("How hard was it on you?", "2")):
        page.get_by_role("group", name=group).get_by_label(mark, exact=True).check()
    page.get_by_role("group", name="I followed the safety steps").get_by_label("No").check()
    page.locator("summary", has_text="What did you point to?").click()
    page.get_by_label("Their own family physician").check()
    peer.press("Record the conversation")
    peer.sees("Recorded. Thank you. Nothing of what was said is kept.")


# Four others have answered before.
HELD = f"""
from psi.tenancy import site_scope
from sites.tenants.models import Site
from tracker.survey.models import HeldAnswer
with site_scope(Site.objects.get(slug="{SLUG}").pk):
    HeldAnswer.objects.bulk_create(HeldAnswer(safe="YES", helpful="NO") for _ in range(4))
"""


def answer_survey(house: House, physician: Person, receipt: str) -> None:
    """By the receipt to five questions; the fifth answer lets a worker rewrite and count all."""
    house.manage(code=HELD)
    page, counted = physician.page, "SELECT category, count FROM tracker_rollup WHERE measure = %s ORDER BY category"
    assert status(physician, receipt) == "Closed"
    physician.press("Answer five questions")
    physician.press("Send my answers")
    expect(page.get_by_role("alert")).to_contain_text("Answer at least one question")
    for group, said in (("Did you feel safe with your peer?", "Yes"), ("Was it helpful?", "Yes")):
        page.get_by_role("group", name=group).get_by_label(said, exact=True).check()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    physician.press("Send my answers")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    assert (page.title(), receipt in page.url) == ("Request", False)
    until(lambda: house.sql(counted, "SURVEY", site=SLUG) == [("ALL", 5)], "five answers are counted")
    assert house.sql(counted, "SV_SAFE", site=SLUG) == [("YES", 5)]
    assert house.sql(counted, "SV_HELP", site=SLUG) == [("NO", 4), ("YES", 1)]
    status(physician, receipt)
    physician.sees("You have answered the questions about it. Thank you.")


def figure(person: Person, slug: str, label: str) -> str:
    person.open(f"/{slug}/figures/")
    return person.page.locator(".figure", has_text=label).locator("b").inner_text()


def test_a_physician_asks_and_is_heard(house: House, staff: Cast, person: Callable[..., Person]) -> None:
    physician = person(house)
    physician.open(f"/{SLUG}/")
    assert physician.page.context.cookies() == []
    receipt = ask(physician, where="My own community")
    assert status(physician, receipt) == "Looking for a peer"
    physician.sees("Nobody so far.")
    line = Line(SLUG, staff.administrator, staff.supporter, "Dr Sam Steady")
    ref = walk(line, physician, receipt, house)

    # The figures of the site show it at once, without a name; nobody else's pages know of it.
    expected = {"request": "1", "confirmed match": "1", "of 1 matches with contact within 72 hours": "1"}
    for label, count in (expected | {"conversation recorded": "1"}).items():
        until(lambda: figure(staff.administrator, SLUG, label) == count, f"{count} {label}")  # noqa: B023
    trail = staff.administrator.read(f"/{SLUG}/settings/audit/")
    assert NAME not in trail
    answer_survey(house, physician, receipt)
    assert staff.administrator.read(f"/{SLUG}/settings/audit/") == trail
    assert trail.count("Opened who asked") >= 2
    for path in (f"/{SLUG}/requests/{ref}/", f"/province/requests/{ref}/", f"/{SLUG}/my/{ref}/"):
        staff.coordinator.open(path)
        expect(staff.coordinator.page.get_by_role("heading", level=1)).to_have_text("This page is not here")


def test_outside_my_region_the_local_administrator_sees_nothing_at_all(
    house: House, staff: Cast, person: Callable[..., Person]
) -> None:
    local, pages = staff.administrator, ("today", "requests", "supporters", "figures", "settings/audit")
    before, rows = {page: local.read(f"/{SLUG}/{page}/") for page in pages}, house.rows(SLUG)
    mails = len(house.mails_to(local.address))

    physician = person(house)
    receipt = ask(physician, where="Outside my region")
    assert status(physician, receipt) == "Looking for a peer"
    line = Line("province", staff.coordinator, staff.away, "Dr Olive Outside")
    ref = walk(line, physician, receipt, house)

    assert {page: local.read(f"/{SLUG}/{page}/") for page in pages} == before
    for path in (f"/{SLUG}/requests/{ref}/", f"/{SLUG}/requests/{ref}/choose/", f"/province/requests/{ref}/"):
        local.open(path)
        expect(local.page.get_by_role("heading", name="This page is not here")).to_be_visible()
    assert len(house.mails_to(local.address)) == mails
    changed = {table: count - rows[table] for table, count in house.rows(SLUG).items() if count != rows[table]}
    # The form's key, so that a double press sends one.
    assert changed == {"public.referrals_formkey": 1}
    staff.coordinator.open(f"/province/requests/{ref}/")
    staff.coordinator.sees("From the page of", SITE)


def test_the_province_sees_a_count_and_nothing_else(house: House, staff: Cast, person: Callable[..., Person]) -> None:
    physician = person(house)
    # Ten at the site and ten at the province: neither learns a small number of the other by taking its own away.
    send_many(physician, [f"604 555 {number:04}" for number in range(10)])
    send_many(physician, [f"604 555 {number:04}" for number in range(100, 110)], where="OUTSIDE")
    sent = sum(
        house.sql(
            "SELECT count(*) FROM sites_fact WHERE measure = 'REQUEST'"
            " AND month >= date_trunc('quarter', now() AT TIME ZONE 'America/Vancouver')",
            site=site,
        )[0][0]
        for site in (SLUG, "province")
    )
    assert sent >= 20
    # The quarter this runs in, closed and thirty days past, whatever today is.
    house.manage(
        code="import uuid\nfrom datetime import date, timedelta\nfrom psi import tenancy\n"
        "from sites.engine.audit import SYSTEM\nfrom sites.tenants.queries import province\n"
        "from tracker.releases import check as release_check\nfrom tracker.figures import periods\nfrom tracker.releases import transitions as releases\nfrom tracker.releases.options import ReleaseOptions\nhome = province()\n"
        "with tenancy.site_scope(home.pk, now=tenancy.now() + timedelta(days=130)):\n"
        "    while releases.next_quarter() <= periods.quarter_of(date.today()):\n"
        "        asked = releases.prepare(releases.next_quarter(), ReleaseOptions(), key=uuid.uuid4(), by=SYSTEM)\n"
        "        release_check.check(asked.pk)\n"
        "        releases.publish(asked.pk, public=False, by=SYSTEM)"
    )
    staff.coordinator.open("/province/figures/")
    main = staff.coordinator.page.get_by_role("main")
    main.get_by_text("The numbers").first.click()
    periods = main.locator("section").first.locator("tbody tr", has_text=re.compile(r"\w to \w"))
    expect(periods.last.locator("td")).to_have_text(str(sent))
    assert SITE not in main.inner_text()
    for mail in house.mails():
        neutral(mail)


def test_back_after_sending_shows_the_form_and_sending_it_again_the_same_receipt(
    house: House, person: Callable[..., Person]
) -> None:
    physician = person(house)
    receipt = ask(physician, where="My own community")
    rows = house.rows(SLUG)
    physician.page.go_back()
    expect(physician.page.get_by_label("Your name")).to_have_value(NAME)
    physician.press("Send my request")
    expect(physician.page.locator(".receipt")).to_have_text(receipt)
    assert house.rows(SLUG) == rows


OTHERS = f"""
from psi.tenancy import site_scope
from sites.tenants.models import Site
from tests.people import supporter
from training.supporters.models import Department
from training.supporters.models import Evaluates
site = Site.objects.get(slug="{SLUG}")
supporter(site, "Dr Quinn van der Berg", published=True)
supporter(site, "Dr Sam Quill")
chief = supporter(site, "Dr Eve Chief")
with site_scope(site.pk):
    Evaluates.objects.create(supporter=chief, department=Department.objects.create(name="Surgery"))
"""


def test_a_physician_says_everything_the_form_asks(house: House, staff: Cast, person: Callable[..., Person]) -> None:
    """Wishes, whom not to ask, how to be reached; and a word about better help before it is sent."""
    house.manage(code=OTHERS)
    peer, chooser = staff.supporter, staff.administrator
    peer.open(f"/{SLUG}/my/about/")
    if "/accounts/" in peer.page.url:
        peer.touch(f"/{SLUG}/my/about/")
    for trait in ("A parent", "Punjabi"):
        peer.page.get_by_label(trait).check()
    peer.press("Save")
    peer.sees("Saved.")

    physician = person(house)
    page = physician.page
    physician.open(f"/{SLUG}/request/")
    physician.press("Send my request")
    expect(page.get_by_role("heading", name="Please check your answers")).to_be_visible()
    for fold in page.locator("summary").all():
        fold.click()
    ticked = ("My own community", "A change at work", "A call", "A text message", "Evenings", "Weekends", "A parent")
    for label in (*ticked, "Latin American", "Same specialty", "Surgery", "Dr Quinn van der Berg"):
        page.get_by_label(label, exact=True).check()
    page.get_by_label("I agree to be matched with a peer supporter and contacted").check()
    for label, answer in (
        ("What are you looking for?", "Help with substance use"),
        ("Career stage", "Mid (6 to 20 years)"),
        ("Language to talk in", "Punjabi"),
        ("Your own specialty", "Urology"),
        ("Kind of practice", "Specialist"),
        ("Who suggested this program to you?", "The CMPA"),
    ):
        page.get_by_role("combobox", name=label).select_option(label=answer)
    page.get_by_role("group", name="May your peer leave a voicemail?").get_by_label("No").check()
    page.get_by_label("Your name").fill("Sparrow")
    page.get_by_label("Phone").fill("604 555 0144")
    page.get_by_label("Anyone else you would rather not be matched with").fill("Dr. S. Quill")
    physician.press("Send my request")
    expect(page.get_by_role("heading", level=1)).to_have_text("The Physician Health Program can help with this")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    physician.press("Go back to the form")
    expect(page.get_by_label("Dr Quinn van der Berg")).to_be_checked()
    physician.press("Send my request")
    physician.press("Send my request anyway")
    expect(page.get_by_role("heading", name="We have your request")).to_be_visible()

    ((ref,),) = house.sql("SELECT ref FROM referrals_referral ORDER BY id DESC LIMIT 1", site=SLUG)
    chooser.open(f"/{SLUG}/requests/{ref}/choose/")
    chooser.sees("as asked: A parent", "not known: Latin American", "speaks Punjabi, as asked", "another specialty")
    chooser.sees("To talk in Punjabi")
    left_out = chooser.page.locator("li", has_text="not for this request")
    for name in ("Dr Quinn van der Berg", "Dr Sam Quill", "Dr Eve Chief"):
        expect(left_out).to_contain_text(name)
    chooser.press("Invite")
    chooser.sees("The invitation is on its way.")
    peer.open(f"/{SLUG}/my/{ref}/")
    peer.press("Accept")
    peer.sees("You will get the contact details once the match is confirmed.")
    assert "Evenings" not in peer.page.content()
    chooser.page.reload()
    chooser.press("Confirm the match")
    chooser.sees("Confirmed.")
    reach = ("A call, A text message", "Evenings, Weekends", "May leave a voicemail", "Punjabi")
    peer.open(f"/{SLUG}/my/{ref}/")
    peer.sees("Sparrow", *reach)
    chooser.press("Show who asked")
    chooser.sees("Sparrow", *reach)
    assert "Quill" not in chooser.page.get_by_role("main").inner_text()


def latest(house: House) -> str:
    ((ref,),) = house.sql("SELECT ref FROM referrals_referral ORDER BY id DESC LIMIT 1", site=SLUG)
    return ref


def test_after_asking_each_button_does_what_it_says(house: House, staff: Cast, person: Callable[..., Person]) -> None:
    chooser, peer, physician = staff.administrator, staff.supporter, person(house)
    receipt = ask(physician, where="My own community")
    ref = latest(house)
    chooser.open(f"/{SLUG}/requests/{ref}/choose/")
    # The same person asked before, and had the same peer: a soft rule, set aside with a reason.
    sam = chooser.page.locator("li", has_text="Dr Sam Steady")
    sam.get_by_role("combobox").select_option(label="The supporter agreed to it")
    chooser.press("Invite · Dr Sam Steady")
    chooser.sees("The invitation is on its way.")
    peer.open(f"/{SLUG}/my/{ref}/")
    peer.press("Accept")
    peer.sees("You will get the contact details once the match is confirmed.")
    chooser.open(f"/{SLUG}/requests/{ref}/")
    chooser.press("Confirm the match")
    chooser.sees("Confirmed.")

    assert status(physician, receipt) == "Your peer contacts you"
    physician.press("Nobody has contacted me")
    physician.sees("Thank you for telling us.")
    chooser.open(f"/{SLUG}/today/")
    chooser.sees(f"R-{ref} says nobody has been in touch")
    assert status(physician, receipt) == "Your peer contacts you"
    physician.sees("that nobody has contacted you.")
    physician.press("I know this person, choose someone else")
    physician.sees("This peer is told to make no contact")
    peer.open(f"/{SLUG}/my/{ref}/")
    assert PHONE_NUMBER not in peer.page.content()
    assert status(physician, receipt) == "Looking for a peer"
    physician.page.get_by_text("I would rather have someone from outside").click()
    physician.press("Agree and send")
    physician.sees("The provincial team has your request now.")
    chooser.open(f"/{SLUG}/requests/{ref}/")
    chooser.sees("handed over")
    assert NAME not in chooser.page.content()
    assert status(physician, receipt) == "Looking for a peer"
    physician.page.get_by_role("main").locator("summary", has_text="Withdraw").click()
    physician.press("Withdraw my request")
    physician.sees("Your request is withdrawn. Your name and everything you told us is erased.")
    physician.open(f"/{SLUG}/status/")
    physician.fill(Receipt=receipt)
    physician.press("Check my request")
    physician.sees("We do not find this receipt.")


def test_in_french_from_the_switch_to_the_withdrawal(house: House, person: Callable[..., Person]) -> None:
    """What was typed before the switch is there after it; what was agreed to is kept in the language it was read in."""
    physician = person(house)
    page = physician.page
    physician.open(f"/{SLUG}/request/")
    physician.fill(Your_name="Hirondelle", Phone="604 555 0166")
    page.get_by_role("button", name="Français").click()
    expect(page.get_by_label("Votre nom")).to_have_value("Hirondelle")
    page.get_by_label("De ma communauté", exact=True).check()
    page.get_by_label("J’accepte d’être jumelé à un pair aidant et d’être contacté").check()
    think(physician)
    physician.press("Envoyer ma demande")
    expect(page.get_by_role("heading", name="Nous avons votre demande")).to_be_visible()
    receipt = page.locator(".receipt").inner_text()
    agreed = (
        "SELECT t.language FROM referrals_referralconsent c JOIN sites_textversion t ON t.sha256 = c.text_id"
        " ORDER BY c.id DESC LIMIT 1"
    )
    assert house.sql(agreed, site=SLUG) == [("fr",)]
    physician.press("Suivre ma demande")
    physician.fill(Reçu=receipt)
    physician.press("Suivre ma demande")
    expect(page.locator("[aria-current=step]")).to_have_text("Recherche d’un pair")
    page.get_by_role("main").locator("summary", has_text="Retirer").click()
    physician.press("Retirer ma demande")
    physician.sees("Votre demande est retirée.")
