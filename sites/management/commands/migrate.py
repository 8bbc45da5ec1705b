"""Migrate as the owner of the tables, then give the application's role its rights."""

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate
from django.db import connections

from psi.tenancy import grant_app_role


class Command(migrate.Command):
    help = migrate.Command.help + " Uses the role in DATABASE_OWNER_URL."

    def handle(self, *args: Any, **options: Any) -> None:
        if options["database"] == "default" and "owner" in settings.DATABASES:
            options["database"] = "owner"
        super().handle(*args, **options)
        if not (options["plan"] or options["check_unapplied"] or options["app_label"]):
            grant_app_role(connections[options["database"]], settings.DATABASES["default"]["USER"])
