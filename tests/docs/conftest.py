"""The site, built once, served from this machine, and opened in a real browser."""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import vendor

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DENOISED = """() => {
    const message = document.querySelector("#try-message");
    return !message || message.textContent.startsWith("Denoised in");
}"""
MILLISECONDS = 120_000  # a busy machine may take its time
REQUIRED = "SITE_TESTS_REQUIRED"  # where this variable is set, what is missing is a failure


def _missing(sentence):
    if os.environ.get(REQUIRED):
        pytest.fail(sentence)
    pytest.skip(sentence)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the site, built without a warning."""
    try:
        import myst_nb  # noqa: F401
        import sphinx_book_theme  # noqa: F401
    except ImportError:
        _missing("the site is not tested: pip install -e .[docs]")
    try:
        vendor.package("onnxruntime-web")
        vendor.package("axe-core")
    except OSError as error:
        _missing(f"the site is not tested: {error}")
    folder = tmp_path_factory.mktemp("site") / "pages"
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", ROOT / "docs", folder]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(scope="session")
def address(site):
    """Where the site is served."""
    handler = functools.partial(_Quiet, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def chromium():
    """A headless browser."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("the site is not opened in a browser: pip install -e .[docs]")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        _missing(
            "the site is not opened in a browser: install Chromium (Debian: apt-get install chromium)"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium, address):
    """A fresh tab of 1280 x 900 pixels.

    `tab.faults` collects what a page complains of, or asks of other machines. `tab.denoised()` waits until the page
    "Try it" has denoised; on other pages there is nothing to wait for.
    """
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(MILLISECONDS)
    page = context.new_page()
    page.faults = faults = []
    page.denoised = functools.partial(page.wait_for_function, DENOISED)
    page.on("console", lambda said: said.type == "error" and faults.append(said.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: faults.append(f"not loaded: {request.url}"))
    page.on(
        "request",
        lambda request: (
            request.url.startswith((address, "blob:", "data:"))
            or faults.append(f"asks another machine: {request.url}")
        ),
    )
    yield page
    context.close()
