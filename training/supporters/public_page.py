"""The moves by which a supporter is shown on the public page, and taken off it. Only the person agrees."""

import hashlib

from django.utils.translation import gettext as _

from psi import tenancy
from sites.engine import audit
from sites.engine.audit import Actor
from sites.engine.moves import Refused
from sites.tenants.models import Membership, Role
from training.supporters import self_description
from training.supporters.models import PeerSupporter, Photo

KIND = "SUPPORTER"  # in the audit trail


def describe(supporter_id: int, *, bio: str, bio_fr: str, shown: bool, by: Actor) -> PeerSupporter:
    """Keep what a supporter says of themself, and whether they agree that it is shown.

    Agreement, and taking it back, are entries of the audit trail with their time. Taken back, the photo is deleted.

    Raises:
        Refused: the role has ended meanwhile.
    """
    supporter = _locked_in_role(supporter_id)
    if (supporter.bio, supporter.bio_fr) != (bio, bio_fr):
        supporter.bio, supporter.bio_fr = bio, bio_fr
        supporter.save(update_fields=["bio", "bio_fr"])
        audit.record("BIO", KIND, supporter.pk, by=by)
    if shown and not supporter.published:
        supporter.published = True
        supporter.save(update_fields=["published"])
        audit.record("SHOWN", KIND, supporter.pk, by=by)
    elif supporter.published and not shown:
        _take_off(supporter, by)
    return supporter


def put_photo(supporter_id: int, image: bytes, *, by: Actor) -> None:
    """Keep a photo of the supporter in place of the former one.

    Args:
        image: as `training.supporters.photos.redrawn` returned it.

    Raises:
        Refused: the role has ended meanwhile.
    """
    supporter = _locked_in_role(supporter_id)
    digest = hashlib.sha256(image).hexdigest()
    Photo.objects.update_or_create(supporter=supporter, defaults={"image": image, "digest": digest})
    audit.record("PHOTO", KIND, supporter.pk, by=by)


def remove_photo(supporter_id: int, *, by: Actor) -> None:
    """Delete the supporter's photo, if there is one."""
    supporter = _locked(supporter_id)
    if Photo.objects.filter(supporter=supporter).delete()[0]:
        audit.record("PHOTO_GONE", KIND, supporter.pk, by=by)


def take_off(supporter_id: int, *, by: Actor) -> None:
    """Take a supporter off the public page, and delete the photo; only they themselves can come back onto it."""
    _take_off(_locked(supporter_id), by)


def leave(membership: Membership, by: Actor) -> None:
    """Take a supporter whose role has ended off the public page, and forget what they said of themself."""
    if membership.role == Role.SUPPORTER:
        for supporter in PeerSupporter.objects.filter(user_id=membership.user_id):
            take_off(supporter.pk, by=by)
            self_description.forget(supporter)


def _take_off(supporter: PeerSupporter, by: Actor) -> None:
    photos, _each = Photo.objects.filter(supporter=supporter).delete()
    if supporter.published:
        supporter.published = False
        supporter.save(update_fields=["published"])
        audit.record("UNSHOWN", KIND, supporter.pk, by=by)
    elif photos:
        audit.record("PHOTO_GONE", KIND, supporter.pk, by=by)


def _locked(supporter_id: int) -> PeerSupporter:
    return PeerSupporter.objects.select_for_update(no_key=True).get(pk=supporter_id)


def _locked_in_role(supporter_id: int) -> PeerSupporter:
    # The role before the roster, as ending a role does.
    user_id = PeerSupporter.objects.values_list("user_id", flat=True).get(pk=supporter_id)
    held = Membership.objects.filter(
        site_id=tenancy.current_site_id(), user_id=user_id, role=Role.SUPPORTER, ended_at=None
    )
    held_now = held.select_for_update(no_key=True).first()
    supporter = _locked(supporter_id)
    if held_now is None or supporter.state == PeerSupporter.State.LEFT:
        raise Refused(_("Your role as a peer supporter has ended."))
    return supporter
