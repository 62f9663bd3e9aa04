"""The page's modules as one text: a front end that loads a widget from a string cannot follow its imports."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

__all__ = ["bundle", "style"]

HERE = Path(__file__).parent
IMPORT = re.compile(r'^import \{[^}]*\} from "(\./|\.\./render/)(?P<name>[\w-]+\.js)";\n', re.MULTILINE)


@cache
def bundle(entry: Path) -> str:
    """The module at `entry` and all that it imports from beside it or from this folder, each once, imports first.

    What modules name at their top level must be named once in all; only `import { … } from "./x.js"` is followed.
    """
    texts: dict[Path, str] = {}

    def add(path: Path) -> None:
        if path in texts:
            return
        source = path.read_text(encoding="utf-8")
        texts[path] = ""
        for found in IMPORT.finditer(source):
            add((path.parent / found[1] / found["name"]).resolve())
        # In the order in which they are finished, what is imported comes before what imports it.
        del texts[path]
        body = IMPORT.sub("", source)
        texts[path] = body if path == entry.resolve() else re.sub(r"^export ", "", body, flags=re.MULTILINE)

    add(entry.resolve())
    return "\n".join(texts.values())


@cache
def style(*paths: Path) -> str:
    """The colours that every part of the page shares, and the given sheets."""
    return "\n".join(path.read_text(encoding="utf-8") for path in (HERE / "theme.css", *paths))
