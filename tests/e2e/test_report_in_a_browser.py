"""The report of `kam report` as a browser shows it: wide and narrow, dark and printed, whatever the CRM holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connectors.sandbox.seeding.hostile import NAMES
from kammodel.store import Store
from tests.benchmarks.big_book import fill
from tests.e2e.kam_process import begun, ended

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic")
"""Nothing that a browser does of itself."""
HOSTILE = ("html", "quotes", "markdown", "templates", "xml", "cjk", "right to left", "long")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}

OUTSIDE = """() => [...document.querySelectorAll('svg.plot text, svg.plot path, h1, h2, h3, h4, p, dd, li, figure')]
  .filter(one => !one.closest('.scroll')).map(one => [one.getBoundingClientRect(), one])
  .filter(([box]) => box.width && (box.left < -1 || box.right > innerWidth + 1)).map(([_, one]) => one.textContent)"""
"""What sticks out of the window at a side."""

CUT = """() => [...document.querySelectorAll('svg.plot')].flatMap(plot => {
  const card = plot.closest('.card').getBoundingClientRect()
  return [...plot.querySelectorAll('text')].filter(one => {
    const box = one.getBoundingClientRect()
    return box.left < card.left || box.right > card.right || box.bottom > card.bottom }).map(one => one.textContent)
})"""
"""Words of plots that stick out of their card."""

CONTRAST = """() => {
  const light = colour => { const part = colour.match(/[\\d.]+/g).slice(0, 3).map(n => n / 255)
    .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2] }
  const between = (one, other) => { const [low, high] = [light(one), light(other)].sort((a, b) => a - b)
    return (high + 0.05) / (low + 0.05) }
  const card = getComputedStyle(document.querySelector('.card')).backgroundColor
  const found = {}
  for (const [name, what] of [['h3', 'color'], ['dt', 'color'], ['.plot text', 'fill'], ['.plot .tick', 'fill']])
    found[name] = between(getComputedStyle(document.querySelector('.card ' + name))[what], card)
  for (const one of document.querySelectorAll('.badge')) {
    const style = getComputedStyle(one)
    found[one.className] = between(style.color, style.backgroundColor) }
  return found
}"""
"""The contrast of text with what is behind it (WCAG 2.2, 1.4.3)."""


@pytest.fixture(scope="module", autouse=True)
def demo_at_work() -> None:
    """These tests look at no demo."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser of this machine, without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright, which drives the browser, is missing")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser is installed: none of {', '.join(BROWSERS)}")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=program, args=list(QUIET))
        yield started
        started.close()


@pytest.fixture(scope="module")
def reports(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By language, the report of a book in which hostile names are those of Strategic accounts, and the reason for
    which they are; scored at the end of the quarter before, too."""
    folder = tmp_path_factory.mktemp("report")
    url = f"sqlite:///{folder / 'kam.db'}"
    told = "UPDATE account SET name=:name, tier_override_reason=:name, tier_override='strategic' WHERE source_id=:id"
    with Store(url) as store:
        fill(store, 48)
        with store.transaction() as tx:
            names = [{"id": f"001{place:015}", "name": NAMES[kind]} for place, kind in enumerate(HOSTILE)]
            assert tx.run(told, names) == len(HOSTILE)
    fixed = {"KAM_STORE_URL": url, "KAM_HOME": str(folder), "KAM_TIMEZONE": "Europe/Madrid"}
    assert ended(begun(folder, "score", "--as-of", "2026-03-31", **fixed))[0] == 0
    made = {language: folder / f"{language}.html" for language in ("en", "es")}
    most = {"en": len(HOSTILE) + 3, "es": 1}
    asked = ("report", "--as-of", "2026-06-30")
    under_way = [
        begun(folder, *asked, "--accounts", str(most[language]), "--out", str(file), KAM_LANGUAGE=language, **fixed)
        for language, file in made.items()
    ]
    for process in under_way:
        code, _, errors = ended(process)
        assert (code, errors) == (0, "")
    return made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test where it asks for anything but the file, opens a dialog, or complains."""
    complaints: list[str] = []
    with browser.new_context(viewport=WIDE) as context:  # type: ignore[arg-type]
        opened = context.new_page()
        opened.on("request", lambda one: None if one.url.startswith("file:") else complaints.append(one.url))
        opened.on("console", lambda one: complaints.append(one.text))
        opened.on("pageerror", lambda one: complaints.append(str(one)))
        opened.on("dialog", lambda one: complaints.append(one.message))
        yield opened
    assert complaints == []


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_sticks_out(page: Page, reports: dict[str, Path], language: str, size: Any) -> None:
    """On a desk and on a phone: no bar to scroll the page sideways, no word of a plot beyond its card."""
    page.set_viewport_size(size)
    page.goto(reports[language].as_uri())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(CUT) == []


def test_no_name_of_an_account_runs_or_changes_the_page(page: Page, reports: dict[str, Path]) -> None:
    """The browser finds no script, and shows the names as they are."""
    page.goto(reports["en"].as_uri())
    assert page.evaluate("document.scripts.length + document.images.length + document.forms.length") == 0
    shown = page.locator("section.account h3").all_inner_texts()
    assert {NAMES[kind] for kind in HOSTILE[:6]} <= set(shown)
    assert any("FDP.exe" in name and "\u202e" not in name for name in shown)
    assert page.evaluate("document.querySelectorAll('main b:not([aria-label]), main i:not(.swatch)').length") == 0


def test_plots_and_sections_are_found_by_those_who_do_not_see_them(page: Page, reports: dict[str, Path]) -> None:
    """Each plot is an image with a name and a description; headings go down a level at a time."""
    page.goto(reports["en"].as_uri())
    for name in ("How concentrated the revenue is", "What moved between tiers", "Signals, by tier"):
        assert page.get_by_role("img", name=name).is_visible()
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4')].map(one => +one.tagName[1])")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    page.get_by_role("link", name="Account by account").click()
    assert page.evaluate("document.querySelector('#accounts').getBoundingClientRect().top < innerHeight")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_by_day_and_by_night(page: Page, reports: dict[str, Path], scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(reports["en"].as_uri())
    is_dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 28)"
    assert is_dark == (scheme == "dark")
    found = page.evaluate(CONTRAST)
    assert len(found) > 4
    assert {name: ratio for name, ratio in found.items() if ratio < 4.5} == {}


def test_on_paper_there_is_no_navigation_and_no_night(page: Page, reports: dict[str, Path]) -> None:
    """Each account begins a page of its own."""
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(reports["en"].as_uri())
    assert not page.get_by_role("navigation").is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.account')).breakBefore") == "page"
    assert page.pdf(format="A4").startswith(b"%PDF")
