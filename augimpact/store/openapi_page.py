"""What an OpenAPI document says, as a page that needs nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

__all__ = ["page_of"]

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 900px; margin: 2em auto; padding: 0 1em; }
:root { color-scheme: light dark; }
section { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .6em 0; }
code, h2 { font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
h2 { font-size: 1em; margin: .2em 0; }
td { padding: 0 1.2em 0 0; vertical-align: top; }
"""


def page_of(document: Mapping[str, Any]) -> str:
    """The page.

    >>> "<h1>Sets</h1>" in page_of({"info": {"title": "Sets"}, "paths": {}})
    True
    """
    routes = "".join(
        _section(method, path, route)
        for path, methods in document["paths"].items()
        for method, route in methods.items()
    )
    title = escape(document["info"]["title"])
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style><h1>{title}</h1>"
        "<p>Every request carries a token: <code>Authorization: Bearer TOKEN</code>. The whole document, for programs: "
        f"<a href=openapi.json>openapi.json</a>.</p>{routes}</html>"
    )


def _section(method: str, path: str, route: Mapping[str, Any]) -> str:
    rows = [
        (each["name"], f"{each['in']}, {_told(each.get('schema', {}))}{', required' if each.get('required') else ''}")
        for each in route.get("parameters", ())
    ]
    for kind, body in route.get("requestBody", {}).get("content", {}).items():
        rows.append(("body", f"{kind}, {_told(body.get('schema', {}))}"))
    rows += [(status, answer.get("description", "")) for status, answer in route.get("responses", {}).items()]
    lines = "".join(f"<tr><td><code>{escape(name)}</code><td>{escape(told)}" for name, told in rows)
    words = escape(route.get("description", ""))
    return f"<section><h2>{escape(method.upper())} {escape(path)}</h2>{words}<table>{lines}</table></section>"


def _told(schema: Mapping[str, Any]) -> str:
    """A type in a word or two, with its bounds."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_told(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_told(schema.get('items', {}))}"
    bounds = [
        f"{schema[name]} {word}" for name, word in (("minimum", "at least"), ("maximum", "at most")) if name in schema
    ]
    return ", ".join([str(schema.get("type", "anything")), *bounds])
