"""Files for those who come: of a few kinds, known by their first bytes and not by their name."""

import io
import zipfile
from typing import BinaryIO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from training.sessions.models import Material

LARGEST = 10 * 1024 * 1024  # bytes
TYPES = {
    "PDF": "application/pdf",
    "PPTX": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "DOCX": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "PNG": "image/png",
    "JPEG": "image/jpeg",
}
FIRST = {b"%PDF-": Material.Kind.PDF, b"\x89PNG\r\n\x1a\n": Material.Kind.PNG, b"\xff\xd8\xff": Material.Kind.JPEG}
# In a zip file, what makes it a presentation or a document.
PARTS = {"ppt/presentation.xml": Material.Kind.PPTX, "word/document.xml": Material.Kind.DOCX}


def read(sent: BinaryIO, size: int) -> tuple[str, bytes]:
    """Return kind and content of a file that was sent.

    Raises:
        ValidationError: it is too large, or of no kind that is taken.
    """
    if size > LARGEST:
        raise ValidationError(_("Please keep a file to 10 MB."))
    content = sent.read()
    for start, kind in FIRST.items():
        if content.startswith(start):
            return kind, content
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = set(packed.namelist())
    except Exception:  # whatever a library makes of a broken file, the answer is one sentence
        names = set()
    for part, kind in PARTS.items():
        if part in names and "vbaProject.bin" not in " ".join(names):
            return kind, content
    raise ValidationError(_("Please send a PDF, PowerPoint, Word, PNG or JPEG file, without macros."))
