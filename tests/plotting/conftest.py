"""What the tests of figures share."""

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def every_figure_is_closed():
    """Also where a function refuses its arguments: an open figure would appear in a notebook."""
    yield
    left_open = plt.get_fignums()
    plt.close("all")
    assert left_open == []
