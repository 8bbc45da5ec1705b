"""The moves by which a supporter is shown on the public page, and taken off it. Only the person agrees."""

import hashlib

from django.utils.translation import gettext_lazy as _

from psi import tenancy
from sites.engine import audit
from sites.engine.audit import Actor
from sites.engine.moves import Refusal, Refused
from sites.tenants.models import Membership, Role
from training.supporters import self_description
from training.supporters.models import PeerSupporter, Photo

ROLE_ENDED: Refusal = ("ROLE_ENDED", _("Your role as a peer supporter has ended."))


def save_page(
    supporter_id: int, *, bio: str, bio_fr: str, shown: bool, photo: bytes | None = None, by: Actor
) -> PeerSupporter:
    """Save the words and the photo a supporter shows of themself, and whether they agree that they are shown.

    Agreement, and taking it back, are entries of the audit trail with their time. Taken back, the photo is deleted.

    Args:
        photo: a new one, as `training.supporters.photos.redrawn` returned it; None leaves the former one. It is not
            saved where the agreement is taken back.

    Returns:
        The supporter as saved.

    Raises:
        Refused: the role has ended meanwhile.
    """
    supporter = _lock_in_role(supporter_id)
    if photo and (shown or not supporter.published):
        _save_photo(supporter, photo, by)
    if (supporter.bio, supporter.bio_fr) != (bio, bio_fr):
        supporter.bio, supporter.bio_fr = bio, bio_fr
        supporter.save(update_fields=["bio", "bio_fr"])
        audit.record("BIO", PeerSupporter.KIND, supporter.pk, by=by)
    if shown and not supporter.published:
        supporter.published = True
        supporter.save(update_fields=["published"])
        audit.record("SHOWN", PeerSupporter.KIND, supporter.pk, by=by)
    elif supporter.published and not shown:
        _take_off(supporter, by)
    return supporter


def put_photo(supporter_id: int, image: bytes, *, by: Actor) -> None:
    """Save a photo of the supporter in place of the former one.

    Args:
        image: as `training.supporters.photos.redrawn` returned it.

    Raises:
        Refused: the role has ended meanwhile.
    """
    _save_photo(_lock_in_role(supporter_id), image, by)


def remove_photo(supporter_id: int, *, by: Actor) -> None:
    """Delete the supporter's photo, if there is one."""
    supporter = _lock(supporter_id)
    if Photo.objects.filter(supporter=supporter).delete()[0]:
        audit.record("PHOTO_GONE", PeerSupporter.KIND, supporter.pk, by=by)


def take_off(supporter_id: int, *, by: Actor) -> None:
    """Take a supporter off the public page, and delete the photo; only they themselves can come back onto it."""
    _take_off(_lock(supporter_id), by)


def leave(membership: Membership, by: Actor) -> None:
    """Take a supporter whose role has ended off the public page, and forget what they said of themself."""
    if membership.role == Role.SUPPORTER:
        for supporter in PeerSupporter.objects.filter(user_id=membership.user_id):
            take_off(supporter.pk, by=by)
            self_description.erase(supporter)


def _save_photo(supporter: PeerSupporter, image: bytes, by: Actor) -> None:
    digest = hashlib.sha256(image).hexdigest()
    Photo.objects.update_or_create(supporter=supporter, defaults={"image": image, "digest": digest})
    audit.record("PHOTO", PeerSupporter.KIND, supporter.pk, by=by)


def _take_off(supporter: PeerSupporter, by: Actor) -> None:
    photos, _each = Photo.objects.filter(supporter=supporter).delete()
    if supporter.published:
        supporter.published = False
        supporter.save(update_fields=["published"])
        audit.record("UNSHOWN", PeerSupporter.KIND, supporter.pk, by=by)
    elif photos:
        audit.record("PHOTO_GONE", PeerSupporter.KIND, supporter.pk, by=by)


def _lock(supporter_id: int) -> PeerSupporter:
    return PeerSupporter.objects.select_for_update(no_key=True).get(pk=supporter_id)


def _lock_in_role(supporter_id: int) -> PeerSupporter:
    # The role before the roster, as ending a role does.
    user_id = PeerSupporter.objects.values_list("user_id", flat=True).get(pk=supporter_id)
    memberships = Membership.objects.filter(
        site_id=tenancy.current_site_id(), user_id=user_id, role=Role.SUPPORTER, ended_at=None
    )
    membership = memberships.select_for_update(no_key=True).first()
    supporter = _lock(supporter_id)
    if membership is None or supporter.state == PeerSupporter.State.LEFT:
        raise Refused(*ROLE_ENDED)
    return supporter
