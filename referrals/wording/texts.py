"""What the public page says: a site's own texts, over the province's, over those in `texts.toml`.

A text someone wrote is truer here than one from further up, whatever its language: where a site wrote only
English, its French page shows that English, marked as such (docs/decisions/0011-site-wording.md).
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from django.utils.translation import gettext as _

from psi import tenancy
from referrals.wording.models import Wording
from sites.engine import audit
from sites.engine.audit import Actor
from sites.engine.moves import Refused
from sites.tenants.models import Site
from sites.tenants.queries import province

Language = Literal["en", "fr"]
Text = str | list[list[str]]
# Language → name → text, of those that were written; `faq` is a list of [question, answer].
Texts = Mapping[str, Mapping[str, Text]]
NAMES = ("intro", "promise", "hours", "faq")
OTHER: dict[str, Language] = {"en": "fr", "fr": "en"}
KIND = "WORDING"


def _shipped() -> Texts:
    read = tomllib.loads(Path(__file__).with_name("texts.toml").read_text())
    return {
        language: {name: text.strip() if isinstance(text, str) else text for name, text in texts.items()}
        for language, texts in read.items()
    }


SHIPPED = _shipped()


@dataclass(frozen=True)
class PageText:
    """A text as a page says it; `spoken` is its language where that is not the page's."""

    text: Any
    spoken: str = ""


def page_texts(layers: Sequence[Texts], language: str) -> dict[str, PageText]:
    """Return each text in `language` from the first layer that has it, in this language or else in the other."""
    return {name: _page_text(layers, name, language) for name in NAMES}


def _page_text(layers: Sequence[Texts], name: str, language: str) -> PageText:
    for layer in layers:
        for spoken in (language, OTHER[language]):
            if text := layer.get(spoken, {}).get(name):
                return PageText(text, "" if spoken == language else spoken)
    raise LookupError(name)


def published_layers(site: Site) -> list[Texts]:
    """Return the texts published by the site in scope, and those behind them."""
    return [_latest_published(), *fallback_layers(site)]


def fallback_layers(site: Site) -> list[Texts]:
    """Return what a site's own texts stand over: the province's and those the program comes with."""
    if site.is_province:
        return [SHIPPED]
    with tenancy.site_scope(province().pk):
        return [_latest_published(), SHIPPED]


def _latest_published() -> Texts:
    texts = Wording.objects.filter(published=True).order_by("-pk").values_list("texts", flat=True).first()
    return texts or {}


def draft() -> Wording | None:
    """Return what the current site has written and not published."""
    return Wording.objects.filter(published=False).first()


def current_texts() -> Texts:
    """Return the texts to go on with: the draft's, else the published ones."""
    row = draft()
    return row.texts if row else _latest_published()


# Moves


def save_draft(language: str, own: Mapping[str, Text], *, by: Actor) -> Wording:
    """Keep the texts of one language in the draft; nothing of it is public."""
    row, _new = Wording.objects.select_for_update().get_or_create(
        published=False, defaults={"texts": _latest_published(), "at": tenancy.now(), "by_id": by.user_id}
    )
    row.texts = {**row.texts, language: dict(own)}
    row.at, row.by_id = tenancy.now(), by.user_id
    row.save(update_fields=["texts", "at", "by"])
    return row


def publish(seen: datetime | None, *, by: Actor) -> Wording:
    """Publish the draft as a new version.

    Args:
        seen: when the draft that was previewed had last changed.

    Raises:
        Refused: there is none, or it is another one than was previewed.
    """
    row = Wording.objects.select_for_update().filter(published=False).first()
    if row is None:
        raise Refused("NO_DRAFT", _("There is no draft any more. Somebody may have published it."))
    if row.at != seen:
        raise Refused("DRAFT_CHANGED", _("The draft has changed since you looked. Please look at it once more."))
    row.delete()
    return _publish_texts(row.texts, "WORDING", by)


def restore(version: Wording, *, by: Actor) -> Wording:
    """Publish an earlier version's texts once more; a draft stays as it is."""
    return _publish_texts(version.texts, "WORDING_BACK", by)


def discard_draft() -> None:
    """Throw the draft away."""
    Wording.objects.filter(published=False).delete()


def _publish_texts(texts: Texts, action: str, by: Actor) -> Wording:
    # A row of its own each time: the newest is what the page says.
    row = Wording.objects.create(texts=texts, published=True, at=tenancy.now(), by_id=by.user_id)
    audit.record(action, KIND, row.pk, by=by)
    return row
