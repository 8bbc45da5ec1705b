"""Invite a provincial coordinator: how the first account of a new deployment comes to be."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from psi.tenancy import site_scope
from sites.engine.audit import SYSTEM
from sites.engine.moves import Refused
from sites.people import transitions as people
from sites.tenants.models import Role
from sites.tenants.queries import province


class Command(BaseCommand):
    help = "Invite a provincial coordinator by mail. Coordinators then set up sites and invite everyone else."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("name", help="the name they go by, in quotes")

    def handle(self, *args: Any, **options: Any) -> None:
        site = province()
        with site_scope(site.pk):
            try:
                people.invite(site, email=options["email"], name=options["name"], role=Role.ADMINISTRATOR, by=SYSTEM)
            except Refused as refused:
                raise CommandError(refused.sentence) from refused
        self.stdout.write("The invitation is on its way. It can be used for fourteen days.")
