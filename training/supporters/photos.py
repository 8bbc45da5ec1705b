"""A photo as it is shown: whatever was sent is drawn anew, so that nothing but its pixels goes on."""

import io
from typing import IO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

SIDE = 320  # pixels; four times what the page shows is enough for every screen
MOST_BYTES = 12 * 1024 * 1024
MOST_PIXELS = 50_000_000  # phones take up to 48 million
# Others are decoded as a whole before they are made smaller; a JPEG is made smaller while it is decoded.
MOST_DECODED = 16_000_000
FORMATS = ("JPEG", "PNG", "WEBP")
TYPE, SUFFIX = "image/jpeg", "jpg"


def redrawn(sent: IO[bytes], size: int) -> bytes:
    """Return a square JPEG of `SIDE` pixels, upright, cut from the middle, without any metadata.

    Args:
        sent: what was uploaded; neither its name nor its declared type is looked at.
        size: its bytes.

    Raises:
        ValidationError: it is empty, too large, no photo, broken, or moves.
    """
    if size > MOST_BYTES:
        raise ValidationError(_("This file is larger than 12 MB. Please choose a smaller photo."))
    # Whatever a library makes of a broken file, the answer is one sentence.
    try:
        image: Image.Image = Image.open(sent, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValidationError(_too_many()) from error
    except Exception as error:
        raise ValidationError(_("This is not a photo we can read. Please choose a JPEG, PNG or WebP file.")) from error
    with image:
        jpeg = image.format in ("JPEG", "MPO")  # cameras put a second picture into a JPEG: its kind is MPO then
        if image.width * image.height > (MOST_PIXELS if jpeg else MOST_DECODED):
            raise ValidationError(_too_many())
        if not jpeg and getattr(image, "is_animated", False):
            raise ValidationError(_("This picture moves. Please choose a still photo."))
        try:
            return _drawn(image)
        except Exception as error:
            raise ValidationError(_("This photo is damaged. Please choose another one.")) from error


def _drawn(image: Image.Image) -> bytes:
    image.draft("RGB", (2 * SIDE, 2 * SIDE))
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        ground = Image.new("RGBA", upright.size, "white")
        upright = Image.alpha_composite(ground, upright)
    square = ImageOps.fit(upright.convert("RGB"), (SIDE, SIDE), Image.Resampling.LANCZOS)
    # A picture of its own: comments and profiles hang on the one that was read.
    clean = Image.new("RGB", square.size)
    clean.paste(square)
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=80, optimize=True)
    return out.getvalue()


def _too_many() -> str:
    return _("This picture has too many pixels. Please choose a smaller one.")
