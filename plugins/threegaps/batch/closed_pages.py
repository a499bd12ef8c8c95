"""Pages that need no network: Great Expectations' own fetch styles, scripts and a logo from a dozen hosts.

Departments' networks reach none of them, and nobody outside needs to know when a batch is looked at. What comes from
elsewhere is taken out, and with it the pages' own scripts and switches, which do nothing without the others' scripts; a
style of our own is laid under, and the first page lists the others without a script.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from pathlib import Path
from urllib.parse import quote

from threegaps.settings import SHANGHAI

_STYLE_PATH = "static/styles/threegaps.css"
_STYLE = """
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; margin: 0 auto; max-width: 76rem;
  padding: 1rem; color: #222; }
a { color: #0b5c8f; }
img { height: 2.2rem; }
h1, h2, h3, h4, h5, h6 { margin: 1.2rem 0 .4rem; font-size: 1.05rem; }
.navbar, .navbar ul, .card, .card-body { height: auto !important; max-height: none !important; position: static; }
ol.breadcrumb, nav ul, .navbar-nav { list-style: none; padding: 0; }
table { border-collapse: collapse; margin: .4rem 0 1rem; width: 100%; }
td table { width: auto; }
th, td { border: 1px solid #d5d9dd; padding: .3rem .5rem; text-align: left; vertical-align: top; }
th { background: #f2f5f7; }
.badge { background: #eef2f5; border-radius: .2rem; padding: 0 .3rem; }
.text-danger, .text-danger * { color: #a4262c; }
.text-success, .text-success * { color: #1d7a3a; }
.fa-check-circle::before, .fa-circle-check::before { content: "✓"; }
.fa-times::before, .fa-xmark::before { content: "✗"; }
.fa-exclamation-triangle::before, .fa-triangle-exclamation::before { content: "!"; }
button, footer, .btn, #global-nav-brand, .nav-tabs, .tab-content { display: none; }
"""
_FETCHED = (
    re.compile(r"<link\b[^>]*href=\"https?://[^>]*>"),
    re.compile(r"<script\b[^>]*src=\"https?://[^>]*>\s*(?:</script>)?"),
    re.compile(r"<(script|button)\b.*?</\1>", re.DOTALL),
    # The card of the switches: all rows or those alone that break a rule.
    re.compile(
        r"<div class=\"card mb-3\">(?:(?!<div class=\"card[ \"]).)*?showAllValidations.*?</div>\s*(?:</div>\s*){4}",
        re.DOTALL,
    ),
    re.compile(r"<p\b[^>]*>\s*<a data-toggle=\"collapse\".*?</a>\s*</p>", re.DOTALL),
    re.compile(r"<footer\b.*?</footer>", re.DOTALL),
    re.compile(r"<p>[^<]*newsletter\b.*?</p>", re.DOTALL),
    re.compile(r"background: url\('https?://[^;]*;"),
)
# Tables of two columns come with a heading of two empty cells.
_HEADING = re.compile(r"<thead\b[^>]*>(?:(?!</thead>).)*</thead>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
# A suite in which one row breaks one rule is "Failed" to the library; here such a row is refused, and the others load.
_WORDED = (
    (re.compile(r"(</i>\s*)Failed\b"), r"\1有行不合规则 some rows break a rule"),
    (re.compile(r"(</i>\s*)Succeeded\b"), r"\1无行不合规则 no row breaks a rule"),
    (re.compile(r"\bData asset: None<br>"), ""),
    (re.compile(r"\bSampled Unexpected Values\b"), "Some of these rows"),
)
# They write the hour of whatever zone the process is in, and a Z behind it.
_WRITTEN_AT = re.compile(r">Run Time<(/div>\s*</td>\s*<td\b[^>]*>\s*<div\b[^>]*>)[^<]*<")
_LOGO = re.compile(r"src=\"https?://[^\"]*\"")
_ICON = re.compile(r"href=\"[./]*static/images/favicon.ico\"")


def close_pages(folder: Path, titles: dict[str, str], *, written_at: dt.datetime) -> None:
    """Make the site in *folder* stand by itself.

    Args:
        folder: A site as Great Expectations' builder writes it.
        titles: What the first page calls each page, by its path in the folder.
        written_at: When it was made, with its zone.
    """
    moment = written_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    said = f">成页时间(北京时间) written at (Beijing time)<\\g<1>{moment}<"
    (folder / _STYLE_PATH).write_text(_STYLE, encoding="utf-8")
    for path in folder.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        home = "../" * (len(path.relative_to(folder).parts) - 1)
        for fetched in _FETCHED:
            page = fetched.sub("", page)
        page = _LOGO.sub(f'src="{home}static/images/logo-long.png"', page)
        page = _HEADING.sub(lambda found: found[0] if _TAG.sub("", found[0]).strip() else "", page)
        for written, ours in _WORDED:
            page = written.sub(ours, page)
        page = _WRITTEN_AT.sub(said, page)
        page = _ICON.sub(f'href="{home}static/images/favicon.ico"', page)
        style = f'<link rel="stylesheet" href="{home}{_STYLE_PATH}">'
        page = page.replace("</head>", f"{style}</head>", 1)
        if path == folder / "index.html":
            links = "".join(f'<li><a href="{quote(to)}">{html.escape(title)}</a></li>' for to, title in titles.items())
            page = page.replace("</body>", f"<ul>{links}</ul></body>", 1)
        path.write_text(page, encoding="utf-8")
