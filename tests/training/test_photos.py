"""What goes on of a photo is its pixels: everything else that was sent stays behind."""

import io
import zlib
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from PIL import Image, PngImagePlugin

from training.supporters import photos

SECRET = b"Secret-4921-North"


def redrawn(sent: bytes) -> bytes:
    return photos.redrawn(io.BytesIO(sent), len(sent))


def encoded(image: Image.Image, kind: str, **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def halves(width: int = 640, height: int = 400) -> Image.Image:
    """Red above, blue below."""
    image = Image.new("RGB", (width, height), (200, 20, 20))
    image.paste((20, 20, 200), (0, height // 2, width, height))
    return image


def colours(jpeg: bytes) -> tuple[Any, Any]:
    """Return which of red and blue is strongest at the upper and at the lower edge."""
    image = Image.open(io.BytesIO(jpeg))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (photos.SIDE, photos.SIDE))
    found = [image.getpixel((photos.SIDE // 2, y)) for y in (10, photos.SIDE - 10)]
    return tuple("red" if pixel[0] > pixel[2] else "blue" for pixel in found)  # type: ignore[index, return-value]


def camera() -> bytes:
    """A JPEG as a phone takes it: place, maker, comment, profile, and turned by half."""
    exif = Image.Exif()
    exif[0x010E], exif[0x010F], exif[0x0112] = SECRET.decode(), "Maker", 3
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (49.0, 17.0, 1.5)
    exif.get_ifd(0x8825)[29] = SECRET.decode()
    xmp = b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"
    return encoded(halves(), "JPEG", exif=exif, comment=SECRET, xmp=xmp, icc_profile=SECRET)


def texts() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", SECRET.decode())
    info.add_itxt("XML:com.adobe.xmp", SECRET.decode(), zip=True)
    return encoded(halves(), "PNG", pnginfo=info)


def polyglot() -> bytes:
    """A photo that is a page and a program as well."""
    return camera() + b"<script>" + SECRET + b"</script><?php echo 1 ?>PK\x03\x04"


@pytest.mark.parametrize(("sent", "upper"), [(camera(), "blue"), (texts(), "red"), (polyglot(), "blue")])
def test_nothing_but_the_pixels_goes_on(sent: bytes, upper: str) -> None:
    assert SECRET in sent or b"iTXt" in sent
    answer = redrawn(sent)
    image = Image.open(io.BytesIO(answer))
    image.load()
    assert dict(image.getexif()) == {}
    assert set(image.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    for trace in (SECRET, b"Exif", b"http", b"ICC", b"<", b"PK\x03\x04"):
        assert trace not in answer[:200] + answer[-200:] if len(trace) < 3 else trace not in answer
    # Upright: the camera said that it was held upside down.
    assert colours(answer)[0] == upper


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_it_is_a_square_from_the_middle(kind: str) -> None:
    image = Image.new("RGB", (900, 300), (20, 20, 200))
    image.paste((200, 20, 20), (300, 0, 600, 300))
    answer = Image.open(io.BytesIO(redrawn(encoded(image, kind))))
    assert answer.size == (photos.SIDE, photos.SIDE)
    for x in (8, photos.SIDE - 8):
        red, _green, blue = answer.getpixel((x, 160))  # type: ignore[misc]
        assert red > blue


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_way_of_colouring_is_read_and_what_is_clear_becomes_white(mode: str) -> None:
    image = Image.new(mode, (64, 64))
    answer = Image.open(io.BytesIO(redrawn(encoded(image, "PNG"))))
    clear = mode in ("LA", "RGBA")
    assert answer.getpixel((5, 5)) == ((255, 255, 255) if clear else (0, 0, 0))


def test_a_second_picture_inside_a_photo_is_no_motion() -> None:
    """Phones put a depth map or a thumbnail behind the photo."""
    sent = encoded(halves(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 64))])
    assert colours(redrawn(sent)) == ("red", "blue")


def bomb(side: int) -> bytes:
    """A small PNG of very many pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)

    header = side.to_bytes(4) * 2 + bytes([1, 0, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def moving(kind: str) -> bytes:
    return encoded(halves(), kind, save_all=True, append_images=[Image.new("RGB", (640, 400))])


NOT_READ, MANY = "This is not a photo we can read", "too many pixels"
REFUSED = {
    "empty": (b"", NOT_READ),
    "text": (b"Dear all,", NOT_READ),
    "drawing": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', NOT_READ),
    "gif": (encoded(halves(), "GIF"), NOT_READ),
    "tiff": (encoded(halves(), "TIFF"), NOT_READ),
    "head alone": (camera()[:20], NOT_READ),
    "truncated": (encoded(halves(), "JPEG")[:-600], "damaged"),
    "truncated drawing": (encoded(halves(), "PNG")[:-60], "damaged"),
    "many pixels": (bomb(5_000), MANY),
    "more pixels": (bomb(10_000), MANY),
    "bomb": (bomb(60_000), MANY),
    "moving png": (moving("PNG"), "moves"),
    "moving webp": (moving("WEBP"), "moves"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_photo_is_refused_in_a_sentence(what: str) -> None:
    sent, sentence = REFUSED[what]
    with pytest.raises(ValidationError, match=sentence):
        redrawn(sent)


def test_a_file_too_large_is_not_even_opened() -> None:
    with pytest.raises(ValidationError, match="larger than 12 MB"):
        photos.redrawn(io.BytesIO(camera()), photos.MOST_BYTES + 1)
