"""Bring the local run's database, reference data, demonstration data and static files up to date.

One process for all four, because starting Django takes longer than finding that nothing is to be done.
"""

import django
from django.core.management import call_command

if __name__ == "__main__":
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("load_reference")
    call_command("load_demo")
    call_command("collectstatic", interactive=False, verbosity=0)
