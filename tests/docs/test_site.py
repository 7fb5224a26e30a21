"""Every page of the site, in a real browser: complete, quiet, readable on a phone, accessible."""

import json
import re
from urllib.parse import unquote, urldefrag

import pytest

import publish
import vendor

pytestmark = pytest.mark.slow
NOT_PAGES = ("_static", "_sources")  # of the theme

SHORT_OF_WORDS = """() => [...document.images]
    .filter(image => !image.alt.trim() || image.alt.trim().endsWith(":")
        || image.src.includes("/_images/") && image.alt.trim().split(/\\s+/).length < 5
        || !image.getAttribute("width") || !image.getAttribute("height"))
    .map(image => image.src + ": " + image.alt)"""
OPEN_ALL = "open => document.querySelectorAll('details').forEach(one => one.open = open)"
TOO_WIDE = """width => document.documentElement.scrollWidth <= width ? [] : [
    document.documentElement.scrollWidth + " pixels",
    ...[...document.querySelectorAll("article *")]
        .filter(one => one.getBoundingClientRect().right > width)
        .map(one => one.outerHTML.slice(0, 100)).slice(0, 3)]"""


@pytest.fixture(scope="session")
def pages(site):
    """The names of all pages."""
    found = [path.relative_to(site).as_posix() for path in site.rglob("*.html")]
    return sorted(name for name in found if not name.startswith(NOT_PAGES))


def test_site_has_all_pages(pages):
    notebooks = [
        path.relative_to(publish.ROOT).with_suffix(".html").as_posix()
        for path in publish.every_notebook()
    ]
    names = ["index", "results", "own_scans", "archives", "try", "glossary", "data", "CONTRIBUTING"]
    more = [f"{name}.html" for name in [*names, "search", "api/index"]]
    assert {*notebooks, *more} <= {*pages}


def test_links_lead_to_pages_and_places(site, pages):
    texts = {name: (site / name).read_text(encoding="utf-8") for name in pages}
    places = {name: {*re.findall(r'\bid="([^"]+)"', text)} for name, text in texts.items()}
    for name, text in texts.items():
        for link in re.findall(r'<a\b[^>]*?\bhref="([^"]+)"', text):
            if re.match(r"[a-z]+:", link):
                continue
            target, place = urldefrag(unquote(link))
            path = ((site / name).parent / target).resolve() if target else site / name
            assert path.exists(), f"{name}: {link}"
            other = path.relative_to(site).as_posix()
            if place and other in places:
                assert place in places[other], f"{name}: {link}"


def test_pages_open_without_a_complaint(tab, address, pages):
    for name in pages:
        tab.goto(address + name, wait_until="networkidle")
        assert not tab.faults, name
        assert tab.evaluate(SHORT_OF_WORDS) == [], name


def test_pages_fit_a_phone(tab, address, pages):
    """None scrolls sideways, be its checks and answers folded or open."""
    tab.set_viewport_size({"width": 390, "height": 844})
    for name in pages:
        tab.goto(address + name, wait_until="load")
        tab.denoised()
        for is_open in (False, True):
            tab.evaluate(OPEN_ALL, is_open)
            assert tab.evaluate(TOO_WIDE, 390) == [], f"{name}, open: {is_open}"


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(tab, address, pages, scheme, width):
    axe = vendor.read("axe-core", "axe.min.js").decode()
    tab.set_viewport_size({"width": width, "height": 900})
    tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for name in pages:
        tab.goto(address + name, wait_until="load")
        tab.denoised()
        tab.evaluate(OPEN_ALL, True)
        tab.evaluate(axe)
        found = tab.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        serious = [
            (fault["id"], fault["nodes"][0]["html"][:200], len(fault["nodes"]))
            for fault in found
            if fault["impact"] in ("serious", "critical")
        ]
        assert serious == [], name


def _page(site, path):
    """Return the page of a notebook's file."""
    place = path.relative_to(publish.ROOT).with_suffix(".html")
    return (site / place).read_text(encoding="utf-8")


def test_notebook_pages_have_colab_and_download_buttons(site):
    repository = publish.address().removeprefix("https://github.com/")
    colab = f"https://colab.research.google.com/github/{repository}/blob/main/"
    for path in publish.every_notebook():
        text, name = _page(site, path), path.relative_to(publish.ROOT).as_posix()
        if path in publish.notebooks():
            assert f'href="{colab}{name}"' in text
        else:
            assert colab not in text  # nothing would fetch the repository there
        assert re.search(rf'href="(\.\./)+_sources/{name}"', text)
        assert (site / "_sources" / name).is_file()


def test_solutions_are_linked_from_their_notebooks(site):
    numbers = {path.stem[:2]: path for path in publish.notebooks()}
    for path in publish.solutions():
        assert f'href="solutions/{path.stem}.html"' in _page(site, numbers[path.stem[:2]])


def test_formulas_are_drawn_and_checks_are_folded(site):
    for path in publish.every_notebook():
        text = _page(site, path)
        source = path.read_text(encoding="utf-8")
        cells = json.loads(source)["cells"]
        told = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
        assert ("<math" in text) == bool(re.search(r"\$[^$]+\$", " ".join(told)))
        folded = re.findall(r'<details class="[^"]*\bhide\b', text)
        assert len(folded) == source.count('"hide-cell"') + (path in publish.notebooks())


def test_search_finds_a_word(tab, address):
    tab.goto(f"{address}search.html?q=bottleneck", wait_until="networkidle")
    tab.wait_for_selector("ul.search li a")
    assert "glossary" in " ".join(
        tab.eval_on_selector_all("ul.search li a", "links => links.map(link => link.href)")
    )
