"""Today: what a new site has to do before it opens, and what is said beside the rows."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.test import Client

from psi import tenancy
from psi.tenancy import site_scope
from sites.engine import today
from sites.engine.audit import SYSTEM
from sites.people import transitions as people
from sites.program import opening
from sites.templatetags.refs import refs
from sites.tenants.models import Role, Site
from tests import line, rows
from tests import people as cast
from training.supporters.models import Department

SignIn = Callable[[Any], Client]


def steps(client: Client, site: Site) -> list[str]:
    return [item.title for item in client.get(f"/{site.slug}/today/").context["steps"]]


def test_a_new_site_is_told_what_to_do_before_it_opens(world: cast.World, sign_in: SignIn) -> None:
    site = cast.site("valley", is_open=False, privacy_officer="")
    client = sign_in(cast.member(site, Role.ADMINISTRATOR, "Val Valley"))
    todo = [
        "Name who answers for privacy",
        "Invite a physician lead",
        "List your departments",
        "Invite peer supporters",
        "Read your public page",
        "Open for requests",
    ]
    assert steps(client, site) == todo
    with site_scope(site.pk):
        Department.objects.create(name="Obstetrics")
        for role in (Role.LEAD, Role.SUPPORTER):
            people.invite(site, email="guest@example.org", name="Guest", role=role, by=SYSTEM)
    assert steps(client, site) == [todo[0], "Add your peer supporters to the roster", *todo[-2:]]
    cast.supporter(site, "Dr First")
    # Every step leads somewhere, and the form there closes it; an open program without a door is not open.
    form = {"is_open": "on", "privacy_officer": "Office, 250 555 0100", "time_zone": site.time_zone}
    client.post("/valley/settings/", form)
    client.post("/valley/settings/wording/en/", {})
    seen = client.get("/valley/settings/wording/preview/").context["draft"].at.isoformat()
    client.post("/valley/settings/wording/preview/", {"seen": seen})
    assert steps(client, site) == [todo[-1]]
    client.post("/valley/settings/", form | {"reach_in": "on"})
    assert steps(client, site) == []
    assert "All is quiet" in client.get("/valley/today/").content.decode()


def test_nothing_is_said_to_be_well_beside_a_row_that_is_late(world: cast.World, sign_in: SignIn) -> None:
    client, well = sign_in(world["north administrator"]), "Everything else is on its way"
    rows.match(line.request(world.north), rows.supporter(world.north, "Dr Free"))
    assert well in client.get("/north/today/").content.decode()
    line.request(world.north, now=tenancy.now() - timedelta(hours=30))
    assert well not in client.get("/north/today/").content.decode()


def test_a_reference_stays_in_one_piece_and_a_name_is_escaped() -> None:
    assert refs("Dr <b> is invited to R-K58N") == 'Dr &lt;b&gt; is invited to <span class="ref">R-K58N</span>'


def test_apps_made_ready_twice_say_nothing_twice(world: cast.World) -> None:
    before = [len(known) for known in (today._sources, people._joins, people._leaves, people._checks, opening._steps)]
    for app in ("sites", "training", "referrals", "matching", "tracker"):
        apps.get_app_config(app).ready()
    after = [len(known) for known in (today._sources, people._joins, people._leaves, people._checks, opening._steps)]
    assert after == before
