"""Outputs of a profile read back, each by another reader than what wrote it."""

from __future__ import annotations

import re
import struct
import zlib

from tests.pages import Page


def pdf_streams(content):
    """All streams of a PDF, as they are and decompressed."""
    for found in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        yield found[1]
        try:
            # The last byte of its checksum may look like the end of a line.
            yield zlib.decompressobj().decompress(found[1])
        except zlib.error:
            continue


def pdf_lines(content):
    """The texts of a PDF, one for each run of letters; ligatures and foreign letters are lost."""
    for stream in pdf_streams(content):
        for run in re.findall(rb"BT\n(.*?)\nET", stream, re.DOTALL):
            letters = b"".join(re.findall(rb"\(((?:[^()\\]|\\.)*)\)", run, re.DOTALL))
            yield re.sub(rb"\\([()\\])", rb"\1", letters).decode("latin-1")


def png_chunks(content):
    """The chunks of a PNG: name, and content, decompressed where it is."""
    place = 8
    while place < len(content):
        (length,), name = struct.unpack(">I", content[place : place + 4]), content[place + 4 : place + 8]
        yield name, content[place + 8 : place + 8 + length]
        place += 12 + length


def layers(name, content):
    """A file's bytes, and those of all that is packed inside it."""
    yield content
    if name.endswith(".pdf"):
        yield from pdf_streams(content)
        yield "\n".join(pdf_lines(content)).encode()
    if name.endswith(".html"):
        page = Page(content.decode())
        yield "\n".join(each["text"] for each in page.elements).encode()
        yield "\n".join(str(value) for each in page.elements for value in each["attributes"].values()).encode()
        for picture in page.pictures():
            yield from layers("x.png", picture)
    if name.endswith(".png"):
        yield zlib.decompress(b"".join(data for kind, data in png_chunks(content) if kind == b"IDAT"))
    if "tfevents" in name:
        for start in [found.start() for found in re.finditer(rb"\x89PNG\r\n", content)]:
            end = content.index(b"IEND\xaeB`\x82", start) + 8
            yield from layers("x.png", content[start:end])
