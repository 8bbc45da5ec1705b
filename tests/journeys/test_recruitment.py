"""Somebody is nominated in French, and becomes a peer supporter who is offered: with browsers and real mail."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.house import DESK, House, Person

SITE, NAME, ADDRESS = "harbour", "Dre Océane Rivard", "oceane.rivard@clinic.example.org"


def test_from_a_nomination_to_the_list_of_candidates(demo_house: House, person: Callable[..., Person]) -> None:
    house = demo_house
    colleague = person(house, locale="fr-CA")
    colleague.open(f"/{SITE}/")
    colleague.press("Proposer un pair aidant")
    colleague.fill(Nom_de_votre_collègue=NAME, Son_courriel_professionnel=ADDRESS)
    colleague.page.wait_for_timeout(1100)  # nobody fills a form faster by hand
    colleague.press("Proposer")
    colleague.sees("Merci d’avoir pensé à une ou un collègue")

    administrator, lead, recruit = person(house, viewport=DESK), person(house), person(house, ADDRESS)
    administrator.play("Program administrator")
    lead.play("Physician lead")
    administrator.open(f"/{SITE}/supporters/")
    administrator.press(f"Open · {NAME}")
    here = administrator.page.url
    administrator.press("Invite")
    administrator.sees("The invitation is on its way.")
    house.manage("run_due")
    recruit.join()
    recruit.press("I have kept them")
    recruit.press("Tell us about yourself")
    recruit.page.get_by_role("combobox", name="Career stage").select_option(label="Mid (6 to 20 years)")
    recruit.page.get_by_label("Emergency").check()
    recruit.page.get_by_label("People you evaluate").fill("Ottoline Featherby")
    recruit.press("Send")
    recruit.sees("The administrator and the physician lead read your form")

    for reviewer, said in ((administrator, "Your yes is in."), (lead, "Reviewed by both.")):
        reviewer.open(here)
        reviewer.sees("Evaluates physicians of", "Emergency")
        expect(reviewer.page.get_by_text("Featherby")).to_have_count(0)
        reviewer.press("Yes, go on to the training")
        reviewer.sees(said)
    administrator.open(here)
    administrator.press("Their line of the roster")
    expect(administrator.page.get_by_label("State")).to_have_count(0)
    administrator.page.get_by_label("Training completed on").fill("2026-02-03")
    administrator.page.get_by_label("Agreement holds until").fill("2099-01-31")
    administrator.press("Save")
    expect(administrator.page.get_by_role("row", name=re.compile(NAME)).get_by_text("ready")).to_be_visible()
    waiting = house.sql("SELECT ref FROM referrals_referral WHERE state = 'OPEN' ORDER BY id DESC", site=SITE)[0][0]
    assert NAME in administrator.read(f"/{SITE}/requests/{waiting}/choose/")
