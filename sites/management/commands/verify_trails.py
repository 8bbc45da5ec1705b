"""Check every audit trail and the chain of sign-ins."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sites.engine import audit


class Command(BaseCommand):
    help = "Check every audit trail and the chain of sign-ins; the log says where each ends. A worker does it nightly."

    def handle(self, *args: Any, **options: Any) -> None:
        if wrong := audit.verify():
            raise CommandError(" ".join(wrong))
        self.stdout.write("Every chain fits.")
