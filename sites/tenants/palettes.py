"""Colours a site may print and publish in. Each is dark enough to read in grey: tests/sites/test_palettes.py."""

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Colours:
    """Headings and bands in `ink`, the ground in `paper`; as #rrggbb."""

    ink: str
    paper: str


class Palette(models.TextChoices):
    EVERGREEN = "EVERGREEN", _("Evergreen")
    OCEAN = "OCEAN", _("Ocean")
    PLUM = "PLUM", _("Plum")
    CEDAR = "CEDAR", _("Cedar")
    SLATE = "SLATE", _("Slate")


PALETTES = {
    Palette.EVERGREEN: Colours("#153f36", "#eef4f1"),
    Palette.OCEAN: Colours("#123a5a", "#edf3f8"),
    Palette.PLUM: Colours("#4a2147", "#f6eff5"),
    Palette.CEDAR: Colours("#6b2f0f", "#faf1ea"),
    Palette.SLATE: Colours("#2b3440", "#f1f3f5"),
}
