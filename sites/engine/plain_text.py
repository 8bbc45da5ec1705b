"""Plain text that people write for others to read: how it is cleaned, and what it weighs on the wire."""

import unicodedata
import zlib
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


def tidy(text: str) -> str:
    """Return the text with one kind of line end, at most one blank line in a row, and nothing that cannot be seen.

    What turns the direction of writing goes as well: it could make a page say something else than was previewed.
    """
    lines = [
        "".join(c for c in line if unicodedata.category(c) not in ("Cc", "Cf", "Cs") or c in "\t\u200d").rstrip()
        for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ]
    single_spaced = [line for line, before in zip(lines, ["", *lines], strict=False) if line or before]
    return "\n".join(single_spaced).strip()


def compressed_size(text: str) -> int:
    """Return the bytes the text takes when it is sent, about."""
    return len(zlib.compress(text.encode(), level=9))


# What packing a short text on its own costs.
PACKING_OVERHEAD = 64


class PlainField(forms.CharField):
    """A few lines of plain text, at most `max_length` characters and about as many bytes on the wire."""

    def __init__(self, *, max_length: int, rows: int = 3, **kwargs: Any) -> None:
        messages = {"max_length": _("Keep this to %(limit_value)d characters; it has %(show_value)d.")}
        super().__init__(
            max_length=max_length,
            widget=forms.Textarea(attrs={"rows": rows}),
            error_messages=messages | kwargs.pop("error_messages", {}),
            **kwargs,
        )
        self.too_long = _("This is too long for a page on a bad connection. Please shorten it.")

    def to_python(self, value: Any) -> str:
        return tidy(super().to_python(value) or "")

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        # A browser would count line ends otherwise than we do, and cut off what is pasted without a word.
        return {name: value for name, value in super().widget_attrs(widget).items() if name != "maxlength"}

    def validate(self, value: str) -> None:
        super().validate(value)
        if self.max_length and len(value) <= self.max_length < compressed_size(value) - PACKING_OVERHEAD:
            raise forms.ValidationError(self.too_long)
