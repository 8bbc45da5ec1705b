"""How templates are laid out; that their formatter would change nothing is said by `make lint`."""

from django.conf import settings

TEMPLATES = settings.BASE_DIR / "templates"
COLUMNS = 120


def test_no_line_of_a_template_is_longer_than_120_columns() -> None:
    pages = sorted(TEMPLATES.rglob("*.html"))
    assert len(pages) > 150
    assert [
        f"{page.relative_to(TEMPLATES)}:{number}"
        for page in pages
        for number, line in enumerate(page.read_text().splitlines(), 1)
        if len(line) > COLUMNS
    ] == []
