"""Settings of the site: `pip install -e .[docs] && sphinx-build -W docs docs/_build`.

Nothing is executed and nothing is fetched from a page: notebooks show their stored outputs, formulas become MathML
(`mathml`), and what the page "Try it" computes with comes from pinned npm packages (`vendor`).
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import publish  # noqa: E402
import sources  # noqa: E402
import vendor  # noqa: E402

project = "Denoising autoencoders, from MNIST to CT"
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "myst_nb",
    "mathml",
    "finish",
]
exclude_patterns = ["_*", "demo", "jupyter_execute", "**.ipynb_checkpoints"]
language = "en"

nb_execution_mode = "off"
nb_ipywidgets_js = {}
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
math_numfig = False
html_math_renderer = "mathml"

default_role = "code"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "none"
autodoc_inherit_docstrings = False
napoleon_google_docstring = False
napoleon_use_rtype = False
add_module_names = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "sphinx_book_theme"
html_title = project
html_favicon = "_theme/icon.svg"
html_context = {"default_mode": "auto"}
html_show_copyright = False
html_show_sphinx = False
html_use_index = False
html_domain_indices = False
html_copy_source = True
html_sourcelink_suffix = ""
html_static_path = ["_theme"]
html_css_files = ["site.css"]
html_extra_path = ["demo", "_vendor"]
html_theme_options = {
    "footer_content_items": [],
    "repository_url": publish.address(),
    "repository_branch": "main",
    "path_to_docs": "",  # the notebooks lie in the repository where they lie in the site
    "use_repository_button": True,
    "use_download_button": True,
    "launch_buttons": {"colab_url": "https://colab.research.google.com"},
    "navbar_persistent": [],
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "home_page_in_toc": True,
}

sources.prepare()
try:
    vendor.fetch_all()
except OSError as error:  # the page says so, too
    print(f'The page "Try it" will not compute. {error}')
    vendor.FOLDER.mkdir(parents=True, exist_ok=True)
