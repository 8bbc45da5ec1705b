"""Nouns about the roster: who is shown on the public page."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from training.supporters.models import PeerSupporter, Photo

FEW = 3  # on the public page itself; all of them have a page of their own
PAGE = 20


@dataclass(frozen=True)
class Face:
    """A supporter as the public sees one. `spoken` is the language of the words where it is not the page's."""

    name: str
    words: str
    spoken: str
    photo: str


def published() -> QuerySet[PeerSupporter]:
    """Return the current site's supporters who agreed to be shown and are active, by name."""
    return PeerSupporter.objects.filter(published=True, state=PeerSupporter.State.ACTIVE).order_by(
        "profile__name", "pk"
    )


def few(language: str, day: int) -> tuple[list[Face], int]:
    """Return a few faces and how many there are in all; from one `day` to the next it is others' turn to be first."""
    ids = list(published().values_list("pk", flat=True))
    start = day * FEW % len(ids) if len(ids) > FEW else 0
    turn = [*ids[start:], *ids[:start]][:FEW]
    return faces(published().filter(pk__in=turn), language), len(ids)


def faces(supporters: "QuerySet[PeerSupporter] | Sequence[PeerSupporter]", language: str) -> list[Face]:
    """Return supporters as the public sees them, in two queries."""
    if isinstance(supporters, QuerySet):
        supporters = list(supporters.select_related("profile"))
    photos = dict(Photo.objects.filter(supporter__in=supporters).values_list("supporter_id", "digest"))
    return [_face(each, language, photos.get(each.pk, "")) for each in supporters]


def photo(digest: str) -> bytes | None:
    """Return the photo with this digest if whom it shows is published; None for every other reason."""
    rows = Photo.objects.filter(digest=digest, supporter__in=published().order_by())
    image = rows.values_list("image", flat=True).first()
    return None if image is None else bytes(image)


def _face(supporter: PeerSupporter, language: str, photo: str) -> Face:
    own, other = (supporter.bio, supporter.bio_fr) if language == "en" else (supporter.bio_fr, supporter.bio)
    spoken = ("fr" if language == "en" else "en") if other and not own else ""
    return Face(supporter.profile.name, own or other, spoken, photo)
