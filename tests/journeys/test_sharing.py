"""The work is shared: a no and no answer lead to the next peer, a request moves, and two sites lend to each other."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.house import DESK, House, Person

MAKE = """
from tests import people
from sites.tenants.models import Role
from sites.tenants.queries import province
creek, lake = people.site("creek"), people.site("lake")
people.member(creek, Role.ADMINISTRATOR, "Ada Creek")
people.member(lake, Role.ADMINISTRATOR, "Lou Lake")
people.member(province(), Role.ADMINISTRATOR, "Cleo Province")
for name in ("Dr Otto Creek", "Dr Petra Creek"):
    people.supporter(creek, name)
"""
ASK = """
from tests import line
from sites.tenants.models import Site
print(line.request(Site.objects.get(slug="{}")).ref)
"""
ENTER = """
from django.test import Client
from sites.tenants.models import User
from sites.gate.second_factor import DEMO_SESSION
client = Client()
client.force_login(User.objects.get(email="{}"))
session = client.session
session[DEMO_SESSION] = True
session.save()
print(session.session_key)
"""
Enter = Callable[..., Person]


@pytest.fixture(scope="module")
def enter(house: House, person: Callable[..., Person]) -> Enter:
    """Return who signs people in: by address, into a browser of their own."""
    house.manage(code=MAKE)

    def come(address: str, **options: Any) -> Person:
        someone = person(house, **options)
        key = house.manage(code=ENTER.format(f"{address}.example.org")).splitlines()[-1]
        someone.page.context.add_cookies([{"name": "sessionid", "value": key, "url": house.url}])
        return someone

    return come


@pytest.fixture(scope="module")
def ada(enter: Enter) -> Person:
    return enter("ada.creek@creek", viewport=DESK)


def ask(house: House, slug: str) -> str:
    return house.manage(code=ASK.format(slug)).splitlines()[-1]


def test_a_no_then_no_answer_then_the_province(house: House, enter: Enter, ada: Person) -> None:
    ref = ask(house, "creek")
    ada.open(f"/creek/requests/{ref}/choose/")
    ada.press("Invite")
    ada.sees("The invitation is on its way.")
    invited = "SELECT lower(split_part(name, ' ', 2)) FROM matching_match JOIN training_peersupporter AS s"
    invited += " ON s.id = supporter_id JOIN sites_profile AS p ON p.id = s.profile_id WHERE matching_match.state = %s"
    ((first,),) = house.sql(invited, "INVITED", site="creek")
    peer = enter(f"dr{first}.creek@creek")
    peer.open(f"/creek/my/{ref}/")
    peer.press("Decline")
    peer.sees("That is all right")
    # The worker has looked who could be next: one press.
    other = {"otto": "Petra", "petra": "Otto"}[first]
    expect(_today(ada, f"Invite Dr {other} Creek")).to_be_visible()
    ada.press(f"Invite Dr {other} Creek")
    ada.sees(f"Dr {other} Creek is invited to R-{ref}")
    house.manage("run_due", "--at", "+49h")
    ada.open("/creek/today/")
    ada.sees(f"R-{ref} needs another peer")
    ada.press("Choose a peer")
    ada.open(f"/creek/requests/{ref}/")
    ada.press("Hand over to the province")
    ada.sees("Words to read to the physician")
    ada.press("Hand over")
    ada.sees("Read the words to the physician first")
    ada.page.get_by_label("I read it to the physician").check()
    ada.press("Hand over")
    ada.sees("Handed over to")
    coordinator = enter("cleo.province@province", viewport=DESK)
    coordinator.open("/province/today/")
    ((moved,),) = house.sql("SELECT ref FROM referrals_referral WHERE home_id IS NOT NULL AND state = 'OPEN'"
                            " ORDER BY id DESC LIMIT 1", site="province")  # fmt: skip
    coordinator.sees(f"R-{moved}")
    ada.open("/creek/today/")
    expect(ada.page.get_by_text(f"R-{ref}")).to_have_count(0)


def test_two_linked_sites_lend_a_supporter(house: House, enter: Enter, ada: Person) -> None:
    coordinator = enter("cleo.province@province", viewport=DESK)
    coordinator.open("/province/links/")
    page = coordinator.page
    page.get_by_label("One site").select_option(label="Creek Division")
    page.get_by_label("The other site").select_option(label="Lake Division")
    page.get_by_label("Signed on").fill("2026-01-05")
    coordinator.press("Link them")
    coordinator.sees("Say where the agreement is filed")
    page.get_by_label("Where the information-sharing agreement is filed").fill("ISA 3")
    coordinator.press("Link them")
    coordinator.sees("Creek Division · Lake Division")
    petra = enter("drpetra.creek@creek")
    petra.open("/creek/my/commitment/")
    petra.page.get_by_role("button", name=re.compile("Help there as well · Lake")).click()
    petra.sees("You can be asked by Lake Division as well.")
    ref = ask(house, "lake")
    lou = enter("lou.lake@lake", viewport=DESK)
    lou.open(f"/lake/requests/{ref}/choose/")
    lou.sees("Dr Petra Creek")
    lou.press("Invite")
    lou.sees("The invitation is on its way.")
    petra.open(f"/lake/my/{ref}/")
    petra.press("Accept")
    petra.sees("Thank you.")
    # At home nobody sees it, and the load is the person's.
    ada.open("/creek/supporters/")
    expect(ada.page.get_by_text(f"R-{ref}")).to_have_count(0)
    load = "SELECT live, total FROM training_supporterload WHERE user_id = (SELECT id FROM sites_user WHERE email = %s)"
    assert house.sql(load, "drpetra.creek@creek.example.org") == [(1, 1)]
    coordinator.open("/province/links/")
    coordinator.press("End it today")
    coordinator.sees("Nothing more is shared")
    petra.open("/creek/my/commitment/")
    expect(petra.page.get_by_text("Lake Division")).to_have_count(0)


def _today(ada: Person, words: str) -> Any:
    """Return the button on *Today* once it is there; the page is opened again meanwhile."""
    button = ada.page.get_by_role("button", name=re.compile(words))
    for _ in range(40):
        ada.open("/creek/today/")
        if button.count():
            break
        ada.page.wait_for_timeout(250)
    return button
