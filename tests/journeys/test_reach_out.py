"""Someone tells of a colleague, and the colleague decides: with browsers, real mail, and time that is played."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.house import House, Person, until

SLUG, SITE = "brook", "Brook Division"
MAKE = f"""
from psi import tenancy
from sites.tenants.models import Site
Site.objects.create(slug="{SLUG}", name="{SITE}", kind="DIVISION", funding="EXISTING", is_open=True, reach_out=True,
                    privacy_officer="Privacy officer, 250 555 0100", created_at=tenancy.now())
"""
TOLD = (SITE, "Quinn", "Meadow", "physician", "peer support", "colleague", "médecin", "collègue", "pair aidant")


@pytest.fixture(scope="module")
def brook(house: House) -> House:
    """A site that takes reach-outs, outside the figures of the province; who works there is no part of it."""
    house.manage(code=MAKE)
    return house


def tell(notifier: Person, address: str, *, agreed: str) -> None:
    page = notifier.page
    notifier.open(f"/{SLUG}/colleague/")
    notifier.press("I'm concerned about a colleague")
    notifier.sees("Has the physician agreed?")
    notifier.press(agreed)
    page.get_by_label("A colleague").check()
    notifier.fill(**{"The_physician’s_name": "Quinn Meadow", "Their_business_email": address})
    known = agreed.startswith("Yes")
    expect(page.get_by_label("What is it about?")).to_have_count(int(known))
    expect(page.get_by_label("Career stage")).to_have_count(0)
    if known:
        page.get_by_label("The physician told me").check()
    page.wait_for_timeout(2100)  # nobody fills a form faster by hand
    notifier.press("Tell the program")
    notifier.sees("That is all we need.")
    assert page.url.endswith(f"/{SLUG}/colleague/thanks/")


def offer(house: House, address: str) -> tuple[str, str]:
    """Wait for the mail of an offer; return the path of its link, and its code."""
    mail: Any = house.next_mail(address)
    text = mail.get_content()
    said = f"{mail['Subject']} {mail['From']} {text}".lower()
    assert [word for word in TOLD if word.lower() in said] == []
    return re.search(r"http://[^/]+(/go/\S+)", text).group(1), re.search(r"(\d{4} ){3}\d{4}", text).group()


def states(house: House) -> list[tuple[str, int]]:
    question = "SELECT state, count(*) FROM referrals_referral GROUP BY state ORDER BY state"
    return house.sql(question, site=SLUG)


def counted(house: House, category: str) -> int:
    question = "SELECT count(*) FROM sites_fact WHERE measure = 'OFFER' AND category = %s"
    return house.sql(question, category, site=SLUG)[0][0]


def test_agreed_is_a_request_and_no_mail_goes_to_the_physician(brook: House, person: Callable[..., Person]) -> None:
    tell(person(brook), "agreed@clinic.example.org", agreed="Yes, they want this")
    assert states(brook) == [("OPEN", 1)]
    assert brook.mails_to("agreed@clinic.example.org") == []


def test_unknown_then_yes_in_french(brook: House, person: Callable[..., Person]) -> None:
    tell(person(brook), "yes@clinic.example.org", agreed="I don’t know")
    path, code = offer(brook, "yes@clinic.example.org")
    physician = person(brook, locale="fr-CA")
    physician.open(path)
    assert SLUG not in physician.page.url and SITE not in physician.page.content()
    physician.page.get_by_label("Votre code").fill("1" * 16)
    physician.press("Continuer")
    physician.sees("Ce n’est pas le code.")
    physician.page.get_by_label("Votre code").fill(code)
    physician.press("Continuer")
    physician.sees("Aimeriez-vous parler", SITE)
    physician.page.get_by_label("Téléphone").fill("604 555 0144")
    physician.press("Oui")
    receipt = physician.page.locator(".receipt").inner_text()
    physician.open(f"/{SLUG}/status/")
    physician.page.get_by_label("Reçu").fill(receipt)
    physician.page.get_by_role("main").get_by_role("button").last.click()
    expect(physician.page.locator("[aria-current=step]")).to_be_visible()
    assert (states(brook), counted(brook, "YES")) == ([("OPEN", 2)], 1)


def test_unknown_then_no_leaves_nothing_but_a_count(brook: House, person: Callable[..., Person]) -> None:
    before = states(brook)
    tell(person(brook), "no@clinic.example.org", agreed="No, or nobody asked them")
    path, code = offer(brook, "no@clinic.example.org")
    physician = person(brook)
    physician.open(path)
    physician.fill(Your_code=code)
    physician.press("Continue")
    physician.press("No, thank you")
    physician.sees("That is all right")
    assert (states(brook), counted(brook, "NO")) == (before, 1)


def test_unknown_then_silence_is_reminded_once_and_erased(brook: House, person: Callable[..., Person]) -> None:
    before = states(brook)
    tell(person(brook), "silent@clinic.example.org", agreed="I don’t know")
    _, code = offer(brook, "silent@clinic.example.org")
    brook.manage("run_due", "--at", "+8d")
    assert offer(brook, "silent@clinic.example.org")[1] == code
    brook.manage("run_due", "--at", "+31d")
    until(lambda: states(brook) == before, "the offer is erased")
    assert (counted(brook, "SILENT"), len(brook.mails_to("silent@clinic.example.org"))) == (1, 2)
