"""The workflow that publishes the site builds it as contributors do, and lets no test of it be skipped."""

import re

import publish

WORKFLOW = (publish.ROOT / ".github" / "workflows" / "site.yml").read_text(encoding="utf-8")
GUIDE = (publish.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_site_is_built_as_contributors_do():
    assert "sphinx-build -W docs docs/_build" in WORKFLOW
    assert "`pip install -e .[docs] && sphinx-build -W docs docs/_build`" in GUIDE


def test_no_test_is_skipped_there():
    script = (publish.ROOT / "tests" / "docs" / "conftest.py").read_text(encoding="utf-8")
    required = re.search(r'^REQUIRED = "(\w+)"', script, flags=re.MULTILINE)[1]
    assert f'{required}: "1"' in WORKFLOW
    assert "pytest tests/docs" in WORKFLOW
