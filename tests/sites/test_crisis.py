"""The provincial list of numbers: its age is seen, its checks are dated, and what it says is on every page."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from django.utils.timezone import localdate

from psi import tenancy
from psi.tenancy import site_scope
from sites.crisis_lines import checks as crisis_checks
from sites.engine import today
from sites.engine.models import AuditEntry
from sites.reference.models import CrisisLine, LocalCrisisLine
from tests.people import World

SignIn = Callable[[Any], Client]
PAGE = "/province/settings/crisis/"
PHP = {"number": "1-800-663-6729", "label": "Physician Health Program", "label_fr": "PHP", "note": "", "note_fr": ""}


def here() -> date:
    """Return the date where the coordinators are."""
    return localdate(tenancy.now(), ZoneInfo("America/Vancouver"))


def aged(code: str, days: int) -> date:
    on = here() - timedelta(days=days)
    CrisisLine.objects.update(verified_on=here())
    CrisisLine.objects.filter(code=code).update(verified_on=on)
    return on


@pytest.mark.parametrize(("days", "tone"), [(89, None), (90, "soon"), (179, "soon"), (180, "late")])
def test_coordinators_see_a_number_nobody_called_for_long(
    world: World, sign_in: SignIn, days: int, tone: str | None
) -> None:
    aged("BC", days)
    said = {}
    for site in (world.province, world.north):
        with site_scope(site.pk), timezone.override(site.time_zone):
            said[site.slug] = [(item.title, item.tone, item.chip) for item in today.items(site.slug)]
    rows = [("Is 310-6789 still right?", tone, f"called {days} days ago")] if tone else []
    assert said == {"province": rows, "north": []}
    page = sign_in(world["coordinator"]).get(PAGE).text
    assert page.count("called today") == 3
    assert f"called {days} days ago" in page


def test_one_press_dates_a_number_and_is_on_the_trail(world: World, sign_in: SignIn) -> None:
    aged("BC", 200)
    browser = sign_in(world["coordinator"])
    assert browser.post(PAGE, {"called": "BC"})["Location"] == PAGE
    assert browser.post(PAGE, {"called": "NONE"}).status_code == 404
    assert CrisisLine.objects.get(code="BC").verified_on == here()
    with site_scope(world.province.pk):
        assert [entry.action for entry in AuditEntry.objects.all()] == ["CRISIS_OK"]
    for name in ("north administrator", "advisor"):
        assert sign_in(world[name]).post(PAGE, {"called": "PHP"}).status_code in (403, 404)


def test_a_changed_number_was_called_and_is_on_every_page_and_a_release_leaves_it(
    world: World, sign_in: SignIn, client: Client
) -> None:
    aged("PHP", 30)
    browser = sign_in(world["coordinator"])
    assert "still say something else" not in browser.get(PAGE).text
    changed = PHP | {"number": "1-800-555-0199", "texts": "on"}
    asked = browser.post(f"{PAGE}PHP/", changed)
    assert asked.status_code == 422 and "Call the new number before people are sent to it" in asked.text
    assert browser.post(f"{PAGE}PHP/", PHP | {"number": "call us"}).status_code == 422
    assert browser.post(f"{PAGE}PHP/", changed | {"called": "on"})["Location"] == PAGE
    call_command("load_reference")
    line = CrisisLine.objects.get(code="PHP")
    assert (line.tel, line.sms, line.verified_on) == ("tel:18005550199", "sms:18005550199", here())
    assert 'href="tel:18005550199"' in client.get("/north/").text
    page = browser.get(PAGE).text
    assert "still say something else" in page and "Physician Health Program (1-800-555-0199)" in page


def test_every_number_of_the_list_is_known_by_the_pages_without_a_database(db: None) -> None:
    assert [line for line in CrisisLine.objects.all() if crisis_checks.differs_from_static_pages(line)] == []


def test_a_site_adds_a_number_after_the_provincial_ones_and_changes_none(
    world: World, sign_in: SignIn, client: Client
) -> None:
    browser, path = sign_in(world["north administrator"]), "/north/settings/numbers/"
    said = {"number": "604-555-0188", "label": "Our hospital’s own line", "label_fr": "Ligne de notre hôpital"}
    assert browser.post(path, {"number": "x", "label": "", "label_fr": ""}).status_code == 422
    assert browser.post(path, said).status_code == 302
    assert "This number is on your page already." in browser.post(path, said).text
    english, french = (client.get(f"/north/?lang={language}").text for language in ("en", "fr"))
    block = english.split('id="crisis-title"')[1].split("</section>")[0]
    assert [block.index(number) for number in ("9-1-1", "9-8-8", "310-6789", "604-555-0188")] == sorted(
        block.index(number) for number in ("9-1-1", "9-8-8", "310-6789", "604-555-0188")
    )
    assert 'href="tel:6045550188"' in block and "Our hospital’s own line" in block
    assert "Ligne de notre hôpital" in french
    assert "0188" not in client.get("/south/").text + client.get("/nowhere/").text
    with site_scope(world.north.pk), timezone.override(world.north.time_zone):
        LocalCrisisLine.objects.update(verified_on=here() - timedelta(days=90))
        assert [(item.title, item.tone) for item in today.items("north")] == [("Is 604-555-0188 still right?", "soon")]
    assert "called 90 days ago" in browser.get(path).text
    assert browser.post(path, {"called": "604-555-0188"}).status_code == 302
    assert "called today" in browser.get(path).text
    assert browser.post(path, {"remove": "604-555-0188"}).status_code == 302
    assert "0188" not in client.get("/north/").text
