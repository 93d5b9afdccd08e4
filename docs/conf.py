"""Configuration of Sphinx: `make docs`."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))

import actc  # noqa: E402

project = "actc"
author = "the authors of actc"
copyright = "the authors of actc; BSD-3-Clause"
version = release = actc.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "actc_pages"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "_ext", "explorer"]
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
highlight_language = "python"
default_role = "code"
smartquotes = False  # f' is a derivative

html_theme = "furo"
html_title = "actc"
html_static_path = ["_static"]
html_css_files = ["actc.css"]
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {"color-brand-primary": "#0b57d0", "color-brand-content": "#0b57d0"},
    "dark_css_variables": {"color-brand-primary": "#8ab4f8", "color-brand-content": "#8ab4f8"},
}
html_copy_source = False
html_show_sourcelink = False
