"""Bring the provincial reference data up to `sites/reference/reference.toml`."""

import hashlib
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils.translation import gettext_noop

from psi import tenancy
from sites.reference.models import CrisisLine, Rate, Specialty, TextVersion
from sites.tenants.models import PROVINCE_SLUG, Site

FILE = Path(__file__).resolve().parents[2] / "reference" / "reference.toml"


class Command(BaseCommand):
    help = "Load crisis numbers, specialties and wordings, and make the province's site. Safe to repeat."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        data, at = tomllib.loads(FILE.read_text()), tenancy.now()
        Site.objects.get_or_create(
            slug=PROVINCE_SLUG,
            defaults={
                "name": gettext_noop("Provincial peer support"),
                "kind": Site.Kind.PROVINCE,
                "privacy_officer": "Privacy Officer, Physician Health Program",
                "is_open": True,
                "created_at": at,
            },
        )
        for position, line in enumerate(data["crisis"]):
            # From then on it is the coordinators': what they called or changed is not taken back to the file.
            CrisisLine.objects.get_or_create(code=line["code"], defaults=line | {"position": position})
        for code, name in data["specialties"].items():
            Specialty.objects.update_or_create(
                code=code, defaults={"name": name}, create_defaults={"name": name, "valid_from": date(2024, 1, 1)}
            )
        for rate in data["rate"]:
            Rate.objects.get_or_create(valid_from=rate["valid_from"], defaults={"hourly": rate["hourly"]})
        for wording in data["text"]:
            sha256 = hashlib.sha256(wording["text"].encode()).hexdigest()
            TextVersion.objects.get_or_create(sha256=sha256, defaults=wording | {"valid_from": at})
