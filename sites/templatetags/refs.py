"""The code of a request in running text."""

import re

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def refs(text: str) -> SafeString:
    """Keep every R-reference in one piece, for a line may break at its hyphen."""
    return mark_safe(re.sub(r"R-[0-9A-Z]+", r'<span class="ref">\g<0></span>', escape(text)))  # noqa: S308  escaped
