"""The runbook as HTML: within a page, and as pages beside ``status.html``, so that an incident leads to what to do."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from threegaps.watch.files import write_whole
from threegaps.watch.kinds import anchor

if TYPE_CHECKING:
    from markdown_it.token import Token

_STYLE = (
    ":root{color-scheme:light dark}body{max-width:900px;margin:0 auto;padding:16px;"
    'font:15px/1.6 system-ui,-apple-system,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}'
    "pre{overflow-x:auto;padding:8px;border:1px solid #8886;border-radius:6px}code{overflow-wrap:anywhere}"
    "table{border-collapse:collapse;display:block;overflow-x:auto}th,td{border:1px solid #8886;padding:4px 8px}"
    "nav ul{columns:2 300px}"
    ":target{scroll-margin-top:12px;background:#fc03}"
)


_ANCHOR = re.compile(r'<a id="([^"]+)"></a>')
_PAGES = {"runbook.md": "runbook.html", "runbook.zh.md": "runbook.zh.html"}


def page_name(*, is_zh: bool) -> str:
    """The file that the runbook is written to, in Chinese or in English."""
    return _PAGES["runbook.zh.md" if is_zh else "runbook.md"]


def write_runbook(docs: Path, folder: Path) -> bool:
    """Write the runbook's pages into *folder* where they are missing or older than what lies in *docs*.

    Returns:
        Whether they lie there; False where the installation has no runbook.

    Raises:
        OSError: They cannot be written.
    """
    for is_zh in (True, False):
        source = docs / ("runbook.zh.md" if is_zh else "runbook.md")
        page = folder / page_name(is_zh=is_zh)
        if not source.is_file():
            return False
        if not page.exists() or page.stat().st_mtime < source.stat().st_mtime:
            write_whole(page, _page(source.read_text(encoding="utf-8"), is_zh=is_zh), mode=0o644, is_kept=False)
    return True


def runbook_body(text: str, *, is_zh: bool, pages: Mapping[str, str]) -> str:
    """The runbook as HTML that stands within a page, its contents first.

    Its sections have the English headings' anchors in both languages.

    Args:
        text: What docs/runbook.md, or docs/runbook.zh.md, says.
        is_zh: Whether it is the Chinese one, which names its anchors itself.
        pages: Where ``runbook.md`` and ``runbook.zh.md`` lie beside the page; links elsewhere lead nowhere from it.
    """
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(text)
    for token, content in itertools.pairwise(tokens):
        if token.type == "heading_open" and not is_zh:
            token.attrSet("id", anchor(content.content))
    contents = _contents(tokens, is_zh=is_zh)
    for token in tokens:
        token.children = _own_links(token.children or [], pages)
    # Below the title.
    title = next((place for place, token in enumerate(tokens, 1) if token.type == "heading_close"), 0)
    tokens[title:title] = contents
    return str(markdown.renderer.render(tokens, markdown.options, {}))


def _contents(tokens: Sequence[Token], *, is_zh: bool) -> list[Token]:
    """A list of the sections that leads to each; nothing where there is none."""
    from markdown_it.token import Token

    found: list[str] = []
    place: str | None = None
    for token, content in itertools.pairwise(tokens):
        named = _ANCHOR.fullmatch(token.content) if token.type == "inline" else None
        place = named[1] if named else place
        if token.type == "heading_open" and token.tag == "h2":
            place = str(token.attrGet("id") or place or "")
            said = "".join(child.content for child in content.children or ())
            found.append(f'<li><a href="#{escape(place)}">{escape(said)}</a></li>\n')
    if not found:
        return []
    head = "目录" if is_zh else "Contents"
    listed = f'<nav class="contents" aria-label="{head}"><b>{head}</b>\n<ul>\n{"".join(found)}</ul></nav>\n'
    return [Token("html_block", "", 0, content=listed)]


def _page(text: str, *, is_zh: bool) -> str:
    body = runbook_body(text, is_zh=is_zh, pages=_PAGES)
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if is_zh else "en"}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape('值班手册' if is_zh else 'Runbook')} · ThreeGaps</title><style>{_STYLE}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def _own_links(tokens: Sequence[Token], pages: Mapping[str, str]) -> list[Token]:
    """*tokens* with links to places on the runbook's own pages alone: other pages do not lie beside it."""
    kept: list[Token] = []
    is_dropping = False
    for token in tokens:
        if token.type == "link_open":
            page, hash_, place = str(token.attrGet("href")).partition("#")
            is_dropping = page not in pages and page != ""
            token.attrSet("href", f"{pages.get(page, '')}{hash_}{place}")
        if not (is_dropping and token.type in {"link_open", "link_close"}):
            kept.append(token)
    return kept
