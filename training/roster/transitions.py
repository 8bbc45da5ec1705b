"""What an administrator writes to one line of the roster."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from sites.engine.audit import Actor
from sites.engine.moves import Refused
from training.recruitment import transitions as recruitment
from training.recruitment.models import Recruit
from training.supporters import transitions as supporters


def save_supporter(
    user_id: int, columns: Mapping[str, Any], *, departments: Iterable[int], state: str | None, by: Actor
) -> None:
    """Add a person who holds the role to the roster, or change their line.

    Args:
        columns: column of `PeerSupporter` → value, without the state.
        departments: ids of those whose physicians they evaluate.
        state: the state of the line from now on; None leaves it as it is. Somebody on the way keeps theirs: reviewed,
            trained and agreed, they become active by themselves (docs/rules.md#recruitment).

    Raises:
        Refused: they joined, and their interest form, which makes their line, is awaited.
    """
    recruit = recruitment.lock_on_the_way(user_id)  # before their line, as every move of recruitment
    if recruit is not None and recruit.state == Recruit.State.INVITED:
        raise Refused("FORM_AWAITED", _("Their line of the roster comes with their interest form."))
    supporters.save_line(user_id, columns, departments=departments, state=None if recruit is not None else state, by=by)
