"""Reading what was set as PDF, for tests: its words, and its pages as pictures."""

import re

import pypdfium2
from PIL import Image


def words(pdf: bytes) -> str:
    """Return everything that can be read in a PDF, white space folded."""
    text = " ".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    return re.sub(r"\s+", " ", text)


def pages(pdf: bytes, dots_per_inch: int) -> list[Image.Image]:
    """Return each page as a picture."""
    return [page.render(scale=dots_per_inch / 72).to_pil() for page in pypdfium2.PdfDocument(pdf)]
