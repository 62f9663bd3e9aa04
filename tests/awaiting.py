"""Coroutines in tests, beside Playwright, whose own loop runs on the main thread of the whole session."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")


def run(talking: Coroutine[Any, Any, Result]) -> Result:
    """What it gives, on a thread of its own."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, talking).result()
