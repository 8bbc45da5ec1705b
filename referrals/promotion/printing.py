"""What is printed: the code as a picture, and posters, pagers, cards and a slide with it, set by typst.

One set of templates (templates/print/) and one dictionary of words make all of them.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import segno
import typst
from django.conf import settings
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from sites.reference.queries import crisis_lines
from sites.tenants.models import Site
from sites.tenants.palettes import PALETTES, Palette

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

TEMPLATES = settings.BASE_DIR / "templates" / "print"
QUIET_ZONE = 4  # modules, as ISO/IEC 18004 asks


@dataclass(frozen=True)
class Format:
    """Something to print: the typst file of the same name, and what it is called."""

    name: str
    label: "StrOrPromise"
    paper: "StrOrPromise"


FORMATS = (
    Format("poster", _("Poster"), _("letter, one")),
    Format("pagers", _("Quarter pages"), _("letter, four to cut")),
    Format("cards", _("Cards"), _("letter, ten to cut")),
    Format("slide", _("Slide"), _("16:9, for a screen")),
)
BY_NAME = {each.name: each for each in FORMATS}


def _code(address: str) -> segno.QRCode:
    # Level Q still reads with a quarter of it scratched or covered.
    return segno.make(address, error="q", micro=False)


def qr_svg(address: str) -> bytes:
    """Return the code as SVG, with its quiet zone."""
    out = io.BytesIO()
    _code(address).save(out, kind="svg", border=QUIET_ZONE, scale=8, light="#fff", xmldecl=True)
    return out.getvalue()


def qr_png(address: str) -> bytes:
    """Return the code as a PNG large enough to print at 8 cm with 300 dots an inch."""
    out = io.BytesIO()
    _code(address).save(out, kind="png", border=QUIET_ZONE, scale=24)
    return out.getvalue()


def pdf(name: str, site: Site, address: str, language: str) -> bytes:
    """Return a printable PDF.

    Args:
        name: one of `FORMATS`.
        address: the whole address that the code opens.
        language: "en" or "fr".
    """
    with override(language):
        words = _words(site, address)
    return _typeset(name, json.dumps(words, sort_keys=True), language)


@lru_cache(maxsize=64)
def _typeset(name: str, data: str, language: str) -> bytes:
    return typst.compile(
        TEMPLATES / f"{name}.typ",
        root=TEMPLATES,
        ignore_system_fonts=True,
        sys_inputs={"data": data, "language": language},
    )


def _words(site: Site, address: str) -> dict[str, object]:
    palette = PALETTES[Palette(site.palette)]
    return {
        "title": gettext("Talk with a colleague who understands the work"),
        "intro": gettext(
            "A trained physician will listen, in confidence, for one to three conversations."
            " It is not therapy or medical care, and nobody takes notes."
        ),
        "short": gettext("In confidence, one to three conversations. Nobody takes notes."),
        "scan": gettext("Scan to ask for peer support"),
        "or_type": gettext("or type"),
        "window": gettext("Once you are matched, your peer contacts you within 72 hours."),
        "help": gettext("Need help right now?"),
        "crisis": [{"number": line.number, "label": line.words} for line in crisis_lines()],
        "site": site.name,
        "address": address.split("://", 1)[-1].rstrip("/"),
        "link": address,
        "qr": qr_svg(address).decode(),
        "ink": palette.ink,
        "paper": palette.paper,
    }


Maker = Callable[[str], bytes]
PICTURES: dict[str, tuple[str, Maker]] = {"svg": ("image/svg+xml", qr_svg), "png": ("image/png", qr_png)}
