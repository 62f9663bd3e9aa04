"""Panels as HTML: a page of their own, in one file that asks no server, and a fragment for notebooks."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from augimpact.profiling.drawing import Drawing
from augimpact.profiling.panel import strict
from augimpact.profiling.tables import Table, tables_of

__all__ = ["fragment", "page"]

STYLE = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
# Of how many rows of cards one may be as high. With what stands around a figure, one that is 1.1 times as high as wide
# needs more than one and a half, and so on: whole rows next to it, which would else be drawn out to its height.
MOST_ROWS, ABOVE_ROWS = 12, 0.9
PART = '<p class="part">Not all samples were seen.</p>'


def page(drawings: Sequence[Drawing], document: Mapping[str, Any], *, title: str, told: str) -> str:
    """The whole page as text. Whatever a class is called is shown as it is, and never read as markup.

    Args:
        drawings: the panels, in their order.
        document: what the page carries as JSON, in `<script id="document">`; its `complete` says whether all was seen.
        title: of the page.
        told: of what it is, in a line.
    """
    data = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    links = "".join(f'<li><a href="#{_id(each)}">{_title(each)}</a></li>' for each in drawings)
    cards = "\n".join(_card(each, f' id="{_id(each)}"') for each in drawings)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-{digest}'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="augimpact">
<title>{escape(title)} · augimpact</title>
<style>{STYLE}</style>
</head>
<body>
<main class="augimpact-profile own-page">
<header>
<h1>{escape(title)}</h1>
<p class="size">{escape(told)}</p>
{"" if document["complete"] else PART}
</header>
<nav aria-label="Contents"><ol>{links}</ol></nav>
<div class="panels">
{cards}
</div>
<footer>Made by augimpact. This page is one file and asks no server.</footer>
<script type="application/json" id="document">{data}</script>
</main>
</body>
</html>
"""


def fragment(drawings: Sequence[Drawing], *, complete: bool) -> str:
    """The panels as a part of somebody else's page; without ids, of which a page may have another such."""
    cards = "\n".join(_card(each, "") for each in drawings)
    told = "" if complete else PART
    return f'<style>{STYLE}</style><div class="augimpact-profile">{told}<div class="panels">{cards}</div></div>'


def _card(drawing: Drawing, identity: str) -> str:
    panel = drawing.panel
    kind = "pictures" if panel.pictures else "chart"
    width, height = drawing.pixels
    rows = min(MOST_ROWS, int(height / width + ABOVE_ROWS))
    if rows > 1:
        kind += f" rows-{rows}"
    sentence = escape(strict(panel.sentence))
    picture = base64.b64encode(drawing.png).decode()
    numbers = "".join(map(_table, tables_of(panel.statistics, begun=True)))
    return (
        f'<section{identity} class="{kind}"><h2>{_title(drawing)}</h2><p>{sentence}</p>'
        f'<img alt="{_title(drawing)}: {sentence}" width="{width}" height="{height}"'
        f' src="data:image/png;base64,{picture}">'
        f'<details><summary>Numbers</summary><div class="numbers">{numbers}</div></details></section>'
    )


def _table(table: Table) -> str:
    caption = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    heads = "".join(f'<th scope="col">{escape(each)}</th>' for each in table.header)
    head = f"<thead><tr>{heads}</tr></thead>" if any(table.header) else ""
    rows = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(each)}</td>" for each in row[1:]) + "</tr>"
        for row in table.rows
    )
    return f"<table>{caption}{head}<tbody>{rows}</tbody></table>"


def _title(drawing: Drawing) -> str:
    return escape(strict(drawing.panel.title))


def _id(drawing: Drawing) -> str:
    return escape(f"panel-{drawing.panel.name}")
