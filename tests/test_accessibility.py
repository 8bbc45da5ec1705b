"""Every page as every role, on a small phone and a large screen, forms with their errors too: WCAG 2.2 AA by axe."""

import importlib.resources
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as NotInTime

from tests.house import House, Person
from tests.screens import tour

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE = (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text()
SMALL, LARGE = {"width": 320, "height": 720}, {"width": 1200, "height": 900}
SMALLEST = 44  # CSS pixels, for a thumb
RUN = """async (tags) => (await axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]}))
    .violations.map(rule => `${rule.id}: ${rule.nodes.map(node => node.target.join(" ") + " " + node.any.concat(node.all)
        .map(check => check.message).join("; ").slice(0, 200)).join(" | ")}`)"""
# What lies outside the page is looked for where it happens: wide tables scroll in their own box.
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll"))
    .map(e => e.tagName + "." + e.className)"""
# The target of a tick is its whole label; a link inside a sentence may be as small as its words (WCAG 2.5.8).
TOO_SMALL = """(least) => [...document.querySelectorAll("main :is(button, a.button, label.pick, select, textarea, summary,"
    + "input:not([type=hidden], [type=checkbox], [type=radio])), aside .button, .crisis a.tel")]
    .filter(e => e.checkVisibility() && !e.closest("[aria-hidden=true]"))
    .map(e => [e.getBoundingClientRect(), e])
    .filter(([box]) => box.height < least - 0.5 || box.width < least - 0.5)
    .map(([box, e]) => `${e.tagName} ${e.id || e.textContent.trim().slice(0, 30)} ${box.width} x ${box.height}`)"""
FOCUS = """() => { const at = document.activeElement, heading = document.querySelector("h1");
    return at.classList.contains("summary") && !!(at.compareDocumentPosition(heading) & 4) }"""
# What a title, and so the history of a browser, may say of a public page beside the name of a site.
NEUTRAL = {
    "Request",
    "Find your site",
    "Page not found",
    "Something went wrong · Un problème est survenu",
    "Back shortly · De retour sous peu",
    "Sign in",
    "Sign out",
    "Your sign-in",
    "Invitation",
    "Authenticator app",
    "Your account",
    "Demonstration",
    "Mailbox",
    "Not open to you",
    "Verify a certificate",
}


def comes_true(page: Page, question: str) -> bool:
    """Say whether the page answers yes within two seconds: a browser may move the focus after the page has loaded."""
    try:
        page.wait_for_function(question, timeout=2000)
    except NotInTime:
        return False
    return True


def wrong_with(name: str, page: Page) -> Iterator[str]:
    """Yield a line for everything that is wrong with a page that has loaded axe."""
    page.wait_for_load_state()
    public = name.startswith(("public", "trouble", "sign-in", "join", "account"))
    if name.endswith("-errors") and not comes_true(page, FOCUS):
        yield f"{name}: the summary has no focus, or does not stand above the heading"
    # Axe is slow: it reads a page of one narrow column, or one in its error state, at one width only.
    narrow = page.locator("main.narrow").count() or name.endswith("-errors")
    # Resizing is slow too: the size at which the last page was left comes first.
    for size in (LARGE, SMALL) if page.viewport_size == LARGE else (SMALL, LARGE):
        if page.viewport_size != size:
            page.set_viewport_size(size)
        if size is SMALL or not narrow:
            for complaint in page.evaluate(RUN, WCAG):
                yield f"{name} at {size['width']}: {complaint}"
        for element in page.evaluate(TOO_WIDE):
            yield f"{name} at {size['width']} is too wide: {element}"
        if public and size is SMALL:
            for element in page.evaluate(TOO_SMALL, SMALLEST):
                yield f"{name}: too small for a thumb: {element}"
    if page.get_by_role("heading", level=1).count() != 1:
        yield f"{name}: {page.get_by_role('heading', level=1).count()} headings of the first level"


def test_every_page_is_accessible(demo_house: House, chrome: Browser) -> None:
    complaints: list[str] = []
    names: list[str] = []
    people = "|".join(name for (name,) in demo_house.sql("SELECT name FROM sites_profile", site="harbour"))
    sites = {name for (name,) in demo_house.sql("SELECT name FROM sites_site")}
    for name, page in tour(demo_house, chrome, AXE):
        names.append(name)
        complaints += wrong_with(name, page)
        title = page.title()
        if name.startswith(("public", "trouble", "sign-in", "join")) and title not in NEUTRAL | sites:
            complaints.append(f"{name}: the title says “{title}”")
        if title in people.split("|"):
            complaints.append(f"{name}: the title names somebody")
    assert not complaints, "\n".join(complaints)
    assert len(names) == len(set(names)) >= 80


def test_axe_knows_the_rules_of_2_2(demo_house: House, chrome: Browser) -> None:
    """An older axe would take the tag and look for nothing."""
    person = Person(demo_house, chrome)
    person.open("/")
    person.page.evaluate(AXE)
    assert person.page.evaluate("axe.getRules(['wcag22aa']).map(rule => rule.ruleId)") == ["target-size"]
    person.page.evaluate("document.querySelector('main').innerHTML = '<img src=\"/static/img/favicon.svg\"><h2>x</h2>'")
    found: list[Any] = list(wrong_with("public", person.page))
    assert any("image-alt" in complaint for complaint in found)
    person.close()


@pytest.mark.parametrize("path", ["/", "/harbour/", "/harbour/request/", "/harbour/status/", "/harbour/colleague/"])
def test_the_first_press_of_tab_offers_to_skip_to_the_content(demo_house: House, chrome: Browser, path: str) -> None:
    person = Person(demo_house, chrome)
    person.open(path)
    person.page.keyboard.press("Tab")
    expect(person.page.locator(":focus")).to_have_text("Skip to the content")
    person.page.keyboard.press("Enter")
    expect(person.page.locator(":focus")).to_have_id("main")
    person.close()
