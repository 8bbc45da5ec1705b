"""A quarter is released as its people do it: prepared, checked by the worker, looked at, published, read."""

import re
from collections.abc import Callable

from django.utils.timezone import localdate
from playwright.sync_api import expect

from tests import printed
from tests.house import DESK, PATIENCE, House, Person
from tests.journeys.test_sharing import ENTER
from tests.tracker import crawl
from tracker.figures import periods

# A quarter that ended more than thirty days ago, whatever today is.
QUARTER = periods.later(periods.quarter_of(localdate()), -2 * periods.QUARTER)
MAKE = f"""
from datetime import date
from sites.engine import agenda
from sites.tenants.models import Role
from sites.tenants.queries import province
from tests import people
from tests.tracker.releasing import happen, note
from tracker.figures import periods
home, reef = province(), people.site("reef", name="Reef Division")
people.member(home, Role.ADMINISTRATOR, "Pat Province")
people.member(home, Role.ADVISOR, "Avi Advisor")
people.member(reef, Role.ADMINISTRATOR, "Ada Reef")
for at in (home, reef):
    for month in periods.months(date({QUARTER:%Y, %-m}, 1), periods.last_month(date({QUARTER:%Y, %-m}, 1))):
        happen(at, month, 30)
        note(at, month, [("CONTACT", "IN_TIME"), ("TO_CONTACT", "20"), ("TALK", "ALL")] * 20)
for month in periods.months(date({QUARTER:%Y, %-m}, 1), periods.last_month(date({QUARTER:%Y, %-m}, 1))):
    happen(reef, month, 2, ("LIFE",))
agenda.sweep()
"""


def test_a_coordinator_releases_a_quarter_and_an_advisor_reads_it(house: House, person: Callable[..., Person]) -> None:
    house.manage(code=MAKE)

    def enter(address: str, **options: object) -> Person:
        someone = person(house, **options)
        key = house.manage(code=ENTER.format(address)).splitlines()[-1]
        someone.page.context.add_cookies([{"name": "sessionid", "value": key, "url": house.url}])
        return someone

    words = periods.label(QUARTER, periods.last_month(QUARTER))
    folder = f"/province/figures/{periods.code(QUARTER)}"
    public = f"/province/published/{periods.code(QUARTER)}/"
    pat, avi = enter("pat.province@province.example.org", viewport=DESK), enter("avi.advisor@province.example.org")
    avi.open("/province/figures/")
    avi.sees("Nothing is published yet")

    pat.open("/province/figures/")
    pat.press("Releases")
    pat.sees(words)
    pat.press("Prepare and check")
    # The page looks again by itself while the worker checks.
    expect(pat.page.get_by_role("heading", name="It passed")).to_be_visible(timeout=PATIENCE * 1000)
    pat.page.get_by_text("The numbers").first.click()
    pat.sees("186", words, "The closest anyone can come to a hidden count")
    assert avi.page.request.get(f"{folder}/report.pdf").status == 404
    avi.open("/province/figures/")
    avi.sees("Nothing is published yet")

    pat.page.get_by_label("Everybody may read it").check()
    pat.press("Publish")
    pat.sees("Published. From now on nothing of it changes.")

    avi.open("/province/figures/")
    avi.page.get_by_text("The numbers").first.click()
    avi.sees("186")
    assert "Reef" not in avi.page.get_by_role("main").inner_text()
    assert avi.page.evaluate("document.documentElement.scrollWidth") <= 390
    with avi.page.expect_download() as waited:
        avi.page.get_by_role("link", name=re.compile("^Report PDF")).click()
    report = printed.words(waited.value.path().read_bytes())
    assert "186 requests" in report and "Reach-in" in report and crawl.small(report) == []
    for name in ("tables.xlsx", "p1.csv", "p1.svg", "p1.png", "dictionary.csv"):
        assert avi.page.request.get(f"{folder}/{name}").status == 200
    assert avi.page.request.get("/province/figures/releases/").status == 403

    anybody = person(house)
    anybody.open(public)
    anybody.sees(words, "Requests by period")
    anybody.press("How the figures are made")
    anybody.sees("The attack")
    local = enter("ada.reef@reef.example.org", viewport=DESK)
    assert local.page.request.get("/province/figures/").status == 404
    pat.press("Stop showing it to everybody")
    pat.sees("Only advisors and coordinators read it now.")
    assert anybody.page.request.get(public).status == 404
