"""The first account of a new deployment."""

import pytest
from django.core.management import CommandError, call_command

from psi.tenancy import site_scope
from sites.engine.models import Notice
from sites.tenants.models import Invitation, Role
from tests.people import World


def test_the_command_invites_a_coordinator_once(world: World) -> None:
    call_command("invite_coordinator", "first@example.org", "Cora First")
    with pytest.raises(CommandError, match="waiting already"):
        call_command("invite_coordinator", "first@example.org", "Cora First")
    with site_scope(world.province.pk):
        invitation = Invitation.objects.get(email="first@example.org")
        assert (invitation.role, invitation.name) == (Role.ADMINISTRATOR, "Cora First")
        assert Notice.objects.filter(kind="ACCOUNT", object_id=invitation.pk).count() == 1
