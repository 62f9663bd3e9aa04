"""Voilà for one page that strangers may visit: every route behind the token, no file, no kernel but the page's own."""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from typing import Any

from jupyter_server.base.handlers import FileFindHandler, JupyterHandler
from jupyter_server.log import log_request
from tornado.httputil import HTTPHeaders
from tornado.web import HTTPError, authenticated
from traitlets import Bool
from voila.app import Voila
from voila.request_info_handler import RequestInfoSocketHandler
from voila.static_file_handler import AllowListFileHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler
from voila.voila_identity_provider import VoilaIdentityProvider

from augimpact.widgets.addresses import is_loopback

__all__ = ["AppServer"]

# Files of the notebook's folder; what the visitor's request was, token and all.
CLOSED = (AllowListFileHandler, RequestInfoSocketHandler)
# https://jupyter-server.readthedocs.io/en/latest/developers/websocket-protocols.html
PROTOCOL = "v1.kernel.websocket.jupyter.org"
# RFC 6455, 7.4.1: what a browser says when it leaves a page.
GOING_AWAY = 1001
# So long a visitor waits for a page that may be about to end, and how often it is looked whether it has.
MOMENT_SECONDS, LOOK_SECONDS = 3.0, 0.05
EVERYWHERE = ("", "0.0.0.0", "::")


class TokenGuard(VoilaIdentityProvider):
    """Lets in who brings the token, and everybody where there is none."""

    def process_login_form(self, handler: Any) -> Any:
        """A visitor who typed the token, or None."""
        typed = str(handler.get_argument("password", default=""))
        if self.token and not secrets.compare_digest(typed.encode(), self.token.encode()):
            return None
        return self.generate_anonymous_user(handler)


class Page(TornadoVoilaHandler):
    """The page, at the root and nowhere else."""

    @authenticated  # type: ignore[untyped-decorator]
    async def get(self, path: str | None = None) -> None:
        """Answers with the page, and gives it a kernel."""
        if path:
            # Voilà would answer with the file of this name.
            raise HTTPError(404)
        if not is_visit(self.request.headers):
            return self._refuse(403, "The app opens in a window of its own, not inside another page.")
        # Makes the cookie without which the page's farewell, by which its kernel ends, would be refused.
        _ = self.xsrf_token
        await self.kernel_manager.drop_dead()
        most, until = self.kernel_manager.max_pages, time.monotonic() + MOMENT_SECONDS
        # Of a page that is reloaded the request may come before the farewell.
        while self.kernel_manager.count_pages() >= most and time.monotonic() < until:
            await asyncio.sleep(LOOK_SECONDS)
        # Nothing is awaited from here to the reservation: who comes at the same time is counted.
        if self.kernel_manager.count_pages() >= most:
            self.set_header("Retry-After", "10")
            return self._refuse(503, f"All {most} pages that this server keeps are open; try again in a while.")
        self.kernel_manager.arriving.add(self)
        try:
            await super().get(path)
        finally:
            self.kernel_manager.arriving.discard(self)

    def _refuse(self, status: int, sentence: str) -> None:
        """Answers with the sentence; Voilà's page of errors would leave it out."""
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(sentence)

    def write(self, chunk: Any) -> None:
        """Sends a piece of the page; at the first its kernel runs, and is counted itself."""
        self.kernel_manager.arriving.discard(self)
        super().write(chunk)


def is_visit(headers: HTTPHeaders) -> bool:
    """Whether a person may have asked for the page, by the request's Fetch Metadata (https://www.w3.org/TR/fetch-metadata/).

    An image, a frame or a `fetch` of any other page, one from another port of this machine too, could start kernels
    by the dozen; a link from there may lead here. Who sends no such headers is no browser, or one on plain HTTP.
    """
    elsewhere = headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
    if elsewhere and headers.get("Sec-Fetch-Mode") != "navigate":
        return False
    # A page that is fetched ahead is perhaps never looked at; the browser asks again when it is.
    ahead = "prefetch" in headers.get("Sec-Purpose", "")
    return not ahead and headers.get("Sec-Fetch-Dest", "document") in ("document", "empty")


class PageSocket(VoilaKernelWebsocketHandler):
    """The connection of a page with its kernel."""

    async def pre_get(self) -> None:
        """Refuses, of those who may come in, who speaks an older protocol than pages do.

        Of that Voilà takes a message with a picture in it for one of billions of offsets, and reads them all, while
        nobody else is answered.
        """
        offered = self.request.headers.get("Sec-WebSocket-Protocol", "")
        if PROTOCOL not in [each.strip() for each in offered.split(",")]:
            raise HTTPError(400, f"expected a websocket that speaks {PROTOCOL}")
        await super().pre_get()

    async def open(self, kernel_id: str) -> None:
        """Answers at once: else each message would wait, some 40 ms, for the page to acknowledge the one before it."""
        self.set_nodelay(True)
        await super().open(kernel_id)

    def on_close(self) -> None:
        """Has the kernel end soon if the page was closed, reloaded or left, not if it was merely cut off."""
        super().on_close()
        if self.close_code == GOING_AWAY:
            self.kernel_manager.end_soon(self.kernel_id)


class AppServer(Voila):
    """Voilà with fewer routes, all of them guarded."""

    tell_token = Bool(False, config=True, help="Whether the address in the log has the token in it.")

    def init_settings(self) -> dict[str, Any]:
        """Voilà's settings; on a loopback address only requests for such a host are answered.

        Any web page can have its own name resolve to 127.0.0.1 (DNS rebinding); the browser then takes the app for a
        part of that page, unless the app looks at the name that it was called by.
        """
        settings: dict[str, Any] = super().init_settings()
        # The log names no token.
        return settings | {"allow_remote_access": not is_loopback(self.ip), "log_function": log_request}

    def init_handlers(self) -> list[Any]:
        """Voilà's routes, as far as the page needs them."""
        return [
            (pattern, _guarded(handler), *rest)
            for pattern, handler, *rest in super().init_handlers()
            if not issubclass(handler, CLOSED)
        ]

    @property
    def display_url(self) -> str:
        """The address for people. A token that was made up is told; one that was given is known."""
        host = socket.gethostname() if self.ip in EVERYWHERE else self.ip
        address = self._url(f"[{host}]" if ":" in host else host)
        return f"{address}?token={self.identity_provider.token}" if self.tell_token else str(address)


# In the place of Voilà's.
OWN = {TornadoVoilaHandler: Page, VoilaKernelWebsocketHandler: PageSocket}


def _guarded(handler: type[Any]) -> type[Any]:
    """The handler, which asks who is there; Voilà's handlers of static files do not."""
    if handler in OWN:
        return OWN[handler]
    if issubclass(handler, FileFindHandler):
        # Jupyter opens these to everybody.
        asking = {name: authenticated(getattr(handler, name)) for name in ("get", "head")}
        return type(f"Guarded{handler.__name__}", (handler,), asking)
    if issubclass(handler, JupyterHandler):
        return handler
    return type(f"Guarded{handler.__name__}", (JupyterHandler, handler), {})
