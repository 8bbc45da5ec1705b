"""The province trains: someone of a site comes, is trained by it, claims, and has a certificate that others verify."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.utils.timezone import localdate
from playwright.sync_api import expect

from tests import printed
from tests.house import DESK, House, Person
from tests.journeys.test_sharing import ENTER

MAKE = """
from datetime import timedelta
from psi import tenancy
from sites.engine.audit import SYSTEM
from sites.tenants.models import Role
from sites.tenants.queries import province
from tests import people, rows
from training.attendance.transitions import note_attendance
from training.sessions.models import Session
fjord = people.site("fjord")
people.member(fjord, Role.ADMINISTRATOR, "Ada Fjord")
people.member(province(), Role.ADMINISTRATOR, "Cy Province")
finn = people.supporter(fjord, "Dr Finn Fjord", trained_on=None)
seat = rows.seat(rows.session(province(), "Hall"), finn.user, fjord)
with tenancy.site_scope(province().pk):
    Session.objects.filter(pk=seat.session_id).update(starts_at=tenancy.now() - timedelta(days=9))
    note_attendance(seat.session_id, {seat.pk: 150}, by=SYSTEM)
"""
# The evening has come.
LATER = """
from datetime import timedelta
from psi import tenancy
from sites.tenants.queries import province
from training.sessions.models import Session
with tenancy.site_scope(province().pk):
    Session.objects.filter(kind="PRACTICE").update(starts_at=tenancy.now() - timedelta(hours=4))
"""


def test_a_session_from_the_plan_to_the_roster_the_certificate_and_the_payment(
    house: House, person: Callable[..., Person]
) -> None:
    house.manage(code=MAKE)

    def enter(address: str, site: str, **options: object) -> Person:
        someone = person(house, f"{address}@{site}.example.org", **options)
        key = house.manage(code=ENTER.format(someone.address)).splitlines()[-1]
        someone.page.context.add_cookies([{"name": "sessionid", "value": key, "url": house.url}])
        return someone

    cy = enter("cy.province", "province", viewport=DESK)
    cy.open("/province/training/")
    cy.press("Plan a session")
    cy.page.get_by_label("What is it?").select_option(label="Practice")
    # Before the clocks go forward, of whatever year.
    day = date(localdate().year + 1, 3, 4)
    words = f"{day:%A %-d %B %Y}, 18:00 (Vancouver)"
    cy.fill(Day=f"{day}", Starts_at="18:00", Minutes="90")
    cy.page.get_by_label("Link to join").fill("https://example.org/practice-room")
    cy.press("Plan it")
    cy.sees("Planned. Who may come sees it now.", f"{words}, 90 minutes")

    finn = enter("drfinn.fjord", "fjord")
    finn.open("/fjord/my/training/")
    finn.sees(words, "attended, 150 minutes")
    expect(finn.page.get_by_role("link", name="Join online")).to_have_count(0)
    finn.press("Enrol")
    finn.sees("You have a place.")
    expect(finn.page.get_by_role("link", name="Join online")).to_have_attribute(
        "href", "https://example.org/practice-room"
    )
    with finn.page.expect_download() as sent:
        finn.press("Into my calendar")
    starts = datetime(day.year, day.month, day.day, 18, tzinfo=ZoneInfo("America/Vancouver")).astimezone(UTC)
    assert f"DTSTART:{starts:%Y%m%dT%H%M%SZ}" in sent.value.path().read_text()
    # The mail leads to their own page, though they are no member of the site that holds the session.
    finn.open(house.link(finn.address))
    expect(finn.page).to_have_url(f"{house.url}/fjord/my/training/")

    house.manage(code=LATER)
    cy.open("/province/today/")
    cy.press("Note attendance · Practice")
    cy.sees("Dr Finn Fjord", "Fjord Division")
    cy.press("Note attendance")
    cy.sees("Attendance is noted.")
    finn.open("/fjord/my/training/")
    finn.sees("attended, 90 minutes")
    ada = enter("ada.fjord", "fjord", viewport=DESK)
    ada.open("/fjord/supporters/")
    expect(ada.page.get_by_role("row", name="Dr Finn Fjord").get_by_text("ready", exact=True)).to_be_visible()

    finn.open("/fjord/my/statement/")
    finn.sees("4.00", "$264.27")
    finn.press("Claim $264.27")
    finn.sees("Claimed: $264.27.")
    certificate = printed.words(finn.page.request.get("/fjord/my/certificate/province.pdf").body())
    assert "Dr Finn Fjord" in certificate and "4.00 credits" in certificate
    code = re.search(r"Code ((\w{4} ){2}\w{4})", certificate).group(1)  # type: ignore[union-attr]
    stranger = person(house)
    stranger.open("/verify/")
    stranger.fill(Code=code, Surname_on_the_certificate="Fjord")
    stranger.press("Verify")
    stranger.sees("This certificate is valid.", "4.00 UBC CPD credits")
    cy.open("/province/today/")
    cy.press("Look at them")
    cy.press("Approve")
    cy.sees("1 claim, $264.27 in all.")
    cy.press("Make a payment batch")
    cy.sees("Batch 1 is made.", "Nothing approved is waiting to be paid.")
    finn.open("/fjord/my/statement/")
    finn.sees("Given to be paid")
