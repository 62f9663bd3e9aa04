"""Pages read back by a parser that is not a browser's."""

from __future__ import annotations

import base64
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """The elements of a page with their attributes and texts, and the tables inside each."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements = [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "attributes": dict(attrs), "text": "", "inside": []}
        for each in self.open:
            each["inside"].append(element)
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag, **attributes):
        wanted = attributes.items()
        return [each for each in self.elements if each["tag"] == tag and wanted <= each["attributes"].items()]

    def pictures(self):
        """The PNGs inside."""
        sources = [each["attributes"]["src"] for each in self.all("img")]
        return [base64.b64decode(each.removeprefix("data:image/png;base64,"), validate=True) for each in sources]
