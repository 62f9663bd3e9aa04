"""One self-contained page: the player, what it plays, the table of frames and the recipe, in one text.

The player's data lie inside as JSON with base64. A security policy lets nothing run but the page's own script, and
nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from augimpact.render.look import COLOUR_MAPS
from augimpact.render.overlay import colour_table
from augimpact.render.page import bundle, style

__all__ = ["Cell", "html_page"]

HERE = Path(__file__).parent
# A cell of the table: its text, and whether it is a number.
Cell = tuple[str, bool]


def html_page(
    payload: Mapping[str, Any],
    *,
    title: str,
    subtitle: str = "",
    columns: Sequence[str] = (),
    rows: Sequence[Sequence[Cell]] = (),
    facts: Sequence[tuple[str, str]] = (),
    recipe: str = "",
    look: Mapping[str, Any] | None = None,
    reference: Mapping[str, Any] | None = None,
) -> str:
    """The page as text. Whatever a label or a file's name holds is shown as it is and never read as markup.

    Args:
        payload: what the player plays, see `augimpact.payload.payload_of`; bytes may stand anywhere in it.
        title: the heading, and the title of the window.
        subtitle: a line under it.
        columns: the heads of the table, without the frame's number.
        rows: a row a frame, a cell a column.
        facts: of the recipe, name and text.
        recipe: the same as JSON, to be copied.
        look: what the player begins with: `opacity`, `colours`, `scale`, `loop`, `milliseconds`.
        reference: what frames are compared with, as a `Reference` has its `payload`.
    """
    script = bundle(HERE / "document.js")
    sheet = style(HERE / "player.css", HERE / "document.css")
    colour_maps = {name: colour_table(name).tobytes() for name in COLOUR_MAPS}
    data = _embedded({"payload": payload, "colourMaps": colour_maps, "look": look or {}, "reference": reference})
    policy = f"default-src 'none'; script-src {_source(script)}; style-src {_source(sheet)}; img-src blob: data:"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="augimpact">
<title>{escape(title)} · augimpact</title>
<style>{sheet}</style>
</head>
<body>
<main class="augimpact own-page">
<header>
<h1>{escape(title)}</h1>
<p>{escape(subtitle)}</p>
</header>
<div id="player"><noscript>The player needs JavaScript.</noscript></div>
<section class="card" aria-labelledby="frames">
<h2 id="frames">Every frame</h2>
<div class="table-box" tabindex="0" role="region" aria-labelledby="frames">
{_table(columns, rows)}
</div>
</section>
<section class="card" aria-labelledby="recipe-title">
<h2 id="recipe-title">Recipe</h2>
<dl>
{_definitions(facts)}
</dl>
<div class="source">
<details>
<summary>as JSON</summary>
<pre id="recipe">{escape(recipe)}</pre>
</details>
<button type="button" data-copy="#recipe">Copy</button>
</div>
</section>
<footer>Made by augimpact. This page is one file and asks no server.</footer>
<script type="application/json" id="data">{data}</script>
</main>
<script type="module">{script}</script>
</body>
</html>
"""


def _table(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    numeric = [cell[1] for cell in rows[0]] if rows else [False] * len(columns)
    heads = "".join(f"<th{_number(right)}>{escape(name)}</th>" for name, right in zip(columns, numeric, strict=True))
    lines = []
    for index, row in enumerate(rows):
        cells = "".join(f"<td{_number(right)}>{escape(text)}</td>" for text, right in row)
        button = f'<button type="button" aria-label="show frame {index + 1}">{index + 1}</button>'
        lines.append(f'<tr><th scope="row" class="number">{button}</th>{cells}</tr>')
    body = "\n".join(lines)
    return f'<table>\n<thead><tr><th class="number">frame</th>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>'


def _number(right: bool) -> str:
    return ' class="number"' if right else ""


def _definitions(facts: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts)


def _embedded(value: Any) -> str:
    """JSON in which bytes are base64, and which no text inside can end: `<` is written as its number."""

    def encoded(content: Any) -> dict[str, str]:
        return {"base64": base64.b64encode(content).decode()}

    text = json.dumps(value, default=encoded, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _source(text: str) -> str:
    """What the policy calls this script or sheet by."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
