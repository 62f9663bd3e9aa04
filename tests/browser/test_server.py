"""The app's server, asked by strangers: what it serves, to whom, and how long a page's kernel lives."""

from __future__ import annotations

import asyncio
import http.client
import http.server
import itertools
import json
import re
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClosedError, websocket_connect

from augimpact.widgets.app import MAX_MESSAGE_BYTES
from augimpact.widgets.server import PROTOCOL
from tests.awaiting import run
from tests.browser.conftest import PATIENCE
from tests.browser.driving import wait_for_sweep
from tests.browser.serving import SECONDS, Server, serving

TOKEN = "a-token-of-the-tests"
# The page's own cookies, the pool's kernels: started as `augimpact app` starts them, with a shorter patience.
HURRY = (
    "from augimpact.widgets import kernels; kernels.GRACE_SECONDS = 3.0; kernels.LOOK_SECONDS = 0.5; "
    "from augimpact.cli import main; main()"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One without a token and without a waiting kernel: what runs there was asked for."""
    with serving(tmp_path_factory.mktemp("open"), "--no-warm") as server:
        yield server


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("guarded"), "--no-warm", "--token", TOKEN) as server:
        yield server


def kernel_of(page: str) -> str:
    found = re.search(r'"kernelId": ?"([0-9a-f-]{36})"', page)
    assert found, page[:2000]
    return found[1]


def request(message_type: str, channel: str = "shell", metadata: object = None, **content: object) -> bytes:
    """A message as a page sends it: offsets of its parts, their number first, then the parts."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": message_type, "username": "", "session": "s", "version": "5.3"}
    parts = [channel.encode(), *(json.dumps(each).encode() for each in (header, {}, metadata or {}, content))]
    offsets = list(itertools.accumulate(map(len, parts), initial=8 * (len(parts) + 2)))
    return b"".join(each.to_bytes(8, "little") for each in (len(offsets), *offsets)) + b"".join(parts)


def kind_of(message: bytes) -> str:
    start, end = (int.from_bytes(message[8 * place : 8 * place + 8], "little") for place in (2, 3))
    return json.loads(message[start:end])["msg_type"]


def socket_address(server: Server, kernel: str) -> str:
    return f"ws://127.0.0.1:{server.port}/api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}"


async def connected(address: str, protocol: str = PROTOCOL, **headers: str):
    asked = HTTPRequest(address, headers=headers, request_timeout=SECONDS)
    return await websocket_connect(asked, subprotocols=[protocol] if protocol else None)


@pytest.mark.parametrize(
    "path",
    [
        "/app.ipynb",
        "/secret.png",
        "/voila/files/app.ipynb",
        "/voila/files/secret.png",
        "/voila/files/../secret.png",
        "/voila/files/%2e%2e/%2e%2e/etc/passwd",
        "/../../../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/voila/static/../../../../../../../../etc/passwd",
        "/voila/static/%2e%2e/app.py",
        "/voila/static/..%2fapp.py",
        "/voila/templates/augimpact/static/../index.html.j2",
        "/voila/templates/lab/static/../../../../../../../../../etc/passwd",
        "/voila/labextensions/../../../../../etc/passwd",
        "/voila/api/themes/../../../../../etc/passwd",
        "/voila/render/app.ipynb",
        "/voila/tree",
        f"/voila/query/{uuid.UUID(int=0)}",
        "/voila/api/contents/app.ipynb",
        "/api/contents/app.ipynb",
        "/api/kernels",
        f"/api/kernels/{uuid.UUID(int=0)}",
        "/api/kernelspecs",
        "/api/sessions",
        "/api/terminals",
        "/api/config/x",
        "/nbconvert/html/app.ipynb",
    ],
)
def test_no_file_and_no_other_route_of_jupyter_is_served(server, path):
    status, text = server.ask(path)
    # Voilà's handler of templates asserts that there is a "static" in the path: 500.
    assert status in (400, 403, 404, 500), text[:500]
    for secret in ("app_explorer", "root:", "PNG", "import ", "{%"):
        assert secret not in text


def test_no_kernel_is_started_but_by_the_page(server):
    before = len(server.kernels())
    for path in ("/api/kernels", "/api/sessions", "/api/terminals"):
        assert server.ask(path, "POST", body='{"name": "python3"}')[0] in (403, 404, 405)
    assert len(server.kernels()) == before


@pytest.mark.parametrize(
    ("site", "mode", "destination", "purpose"),
    [
        ("cross-site", "no-cors", "image", ""),
        ("cross-site", "no-cors", "script", ""),
        ("cross-site", "no-cors", "empty", ""),
        ("cross-site", "cors", "empty", ""),
        ("cross-site", "navigate", "iframe", ""),
        ("cross-site", "navigate", "object", ""),
        ("cross-site", "navigate", "document", "prefetch;prerender"),
        ("same-site", "no-cors", "empty", ""),
        ("same-site", "no-cors", "image", ""),
        ("same-origin", "no-cors", "image", ""),
        ("same-origin", "navigate", "iframe", ""),
    ],
)
def test_what_another_page_embeds_or_fetches_starts_no_kernel(server, site, mode, destination, purpose):
    before = len(server.kernels())
    told = {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": mode, "Sec_Fetch_Dest": destination, "Sec_Purpose": purpose}
    status, text = server.ask("/?1", **told)
    assert status == 403
    assert text == "The app opens in a window of its own, not inside another page."
    assert len(server.kernels()) == before


def test_images_of_another_page_start_no_kernel_and_a_link_there_leads_to_the_app(server, chromium, tmp_path):
    before = len(server.kernels())
    images = "".join(f"<img src='{server.address}?from-elsewhere={index}'>" for index in range(50))
    html = f"<a href='{server.address}'>a link</a>{images}<iframe src='{server.address}?from-elsewhere'></iframe>"
    (tmp_path / "index.html").write_text(html)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    elsewhere = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"http://127.0.0.1:{elsewhere.server_port}/")
    # Chromium tells a page nothing of such answers.
    deadline = time.monotonic() + 20
    while (refused := server.log.read_text().count("403 GET /?from-elsewhere")) < 51 and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert refused == 51
    elsewhere.shutdown()
    elsewhere.server_close()
    assert len(server.kernels()) == before
    page.get_by_text("a link").click()
    page.locator(".controls").wait_for()
    server.wait_for_kernels(before + 1)
    page.close()
    server.wait_for_kernels(before, seconds=10)


def test_more_pages_than_the_limit_are_told_to_come_later(tmp_path):
    given = {"Authorization": f"token {TOKEN}"}
    with serving(tmp_path, "--no-warm", "--max-pages", "2", "--token", TOKEN) as server:
        with ThreadPoolExecutor(6) as threads:
            answers = list(threads.map(lambda _: server.ask("/", **given), range(6)))
        assert sorted(status for status, _ in answers) == [200, 200, 503, 503, 503, 503]
        for status, text in answers:
            assert status == 200 or text == "All 2 pages that this server keeps are open; try again in a while."
        assert len(server.kernels()) == 2
        assert server.ask("/")[0] == 302, "who has no token learns nothing"
        kernel = next(kernel_of(text) for status, text in answers if status == 200)
        assert server.ask(f"/api/kernels/{kernel}", "DELETE", **given)[0] == 204
        assert server.ask("/", **given)[0] == 200
        assert server.ask("/", **given)[0] == 503
        assert len(server.kernels()) == 2


def test_the_waiting_kernel_is_no_page_and_the_last_page_can_be_reloaded(tmp_path, chromium):
    with serving(tmp_path, "--max-pages", "1") as server:
        page = chromium.new_page()
        page.set_default_timeout(PATIENCE)
        # At once: the waiting kernel is only being started.
        page.goto(server.address)
        page.locator(".controls").wait_for()
        server.wait_for_kernels(2)
        assert server.ask("/")[0] == 503
        page.reload()
        page.locator(".controls").wait_for()
        server.wait_for_kernels(2)
        assert server.ask("/")[0] == 503
        page.close()
        server.wait_for_kernels(1, seconds=10)
        assert server.ask("/")[0] == 200


def test_who_comes_while_the_last_page_ends_waits_a_moment(tmp_path, chromium):
    """As the request of a page that is reloaded may be there before its farewell."""
    with serving(tmp_path, "--max-pages", "1") as server, ThreadPoolExecutor(1) as threads:
        page = chromium.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(server.address)
        page.locator(".controls").wait_for()
        asked = threads.submit(server.ask, "/")
        time.sleep(0.2)
        page.close()
        assert asked.result()[0] == 200


def test_a_page_is_asked_for_by_the_name_of_this_machine_only(server):
    assert server.ask("/", Host="evil.example")[0] == 403
    assert server.ask("/voila/static/voila.js", Host=f"evil.example:{server.port}")[0] == 403
    assert server.ask("/voila/static/voila.js", Host=f"localhost:{server.port}")[0] == 200


@pytest.mark.parametrize("query", ["template=reveal&theme=dark", "voila-template=reveal&voila-theme=dark"])
def test_the_address_changes_neither_template_nor_theme(guarded, query):
    def page_of(path: str) -> str:
        page = guarded.ask(path, Authorization=f"token {TOKEN}")[1]
        kernel = kernel_of(page)
        assert guarded.ask(f"/api/kernels/{kernel}", "DELETE", Authorization=f"token {TOKEN}")[0] == 204
        # What is new for every page: the ids of kernel, widget and cells, and an object's address.
        return re.sub(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}|0x[0-9a-f]+", "id", page)

    assert page_of(f"/?{query}") == page_of("/")


def test_a_kernel_talks_encrypted_and_its_threads_share_the_cores(server):
    kernel = kernel_of(server.ask("/")[1])
    (process,) = [each for each in server.kernels() if kernel in " ".join(each.cmdline())]
    (file,) = [each for each in process.cmdline() if each.endswith(".json")]
    connection = json.loads(Path(file).read_text())
    assert connection["signature_scheme"] == "hmac-sha256"
    assert connection["key"]
    assert connection["curve_publickey"]
    assert connection["curve_secretkey"]
    assert Path(file).stat().st_mode & 0o077 == 0
    assert process.environ()["GOMP_SPINCOUNT"] == "1000"
    process.kill()


def test_a_page_that_nobody_touches_ends_though_it_is_open(tmp_path):
    # The same settings, with seconds for hours.
    hurry = (
        "from augimpact.widgets import app; culled = app.SETTINGS['MappingKernelManager']; "
        "assert culled['cull_idle_timeout'] == 7200; culled.update(cull_idle_timeout=4, cull_interval=1); "
        "from augimpact.cli import main; main()"
    )
    with serving(tmp_path, "--no-warm", code=hurry) as server:
        kernel = kernel_of(server.ask("/")[1])

        async def stay() -> None:
            with pytest.raises(HTTPClientError, match="400"):
                await connected(socket_address(server, kernel), protocol="")
            mine = await connected(socket_address(server, kernel))
            deadline = time.monotonic() + SECONDS
            while server.kernels():
                assert time.monotonic() < deadline
                await asyncio.sleep(0.2)
            mine.close()

        run(stay())
        server.wait_for_log("Culling .* with 1 connections due to")


def test_a_page_that_fails_shows_no_traceback(tmp_path):
    (tmp_path / "failing.py").write_text(
        "import os\nif 'JPY_PARENT_PID' in os.environ:\n    raise RuntimeError('a secret of a cell')\n"
    )
    plugin = "from augimpact.cli import main; main(['--plugin', 'failing.py', *__import__('sys').argv[1:]])"
    with serving(tmp_path, "--no-warm", code=plugin) as server:
        status, page = server.ask("/")
        assert status == 200
        assert "There was an error when executing cell" in page
        for secret in ("a secret of a cell", "Traceback", "failing.py", "app_explorer()"):
            assert secret not in page


def test_nobody_runs_code_through_a_pages_kernel_and_no_other_origin_talks_to_it(server, tmp_path):
    kernel = kernel_of(server.ask("/")[1])
    address, proof = socket_address(server, kernel), tmp_path / "proof"

    async def talk() -> set[str]:
        with pytest.raises(HTTPClientError, match="403"):
            await connected(address, Origin="https://evil.example")
        mine = await connected(address, Origin=f"http://127.0.0.1:{server.port}")
        code = f"open({str(proof)!r}, 'w')"
        for channel in ("shell", "control"):
            await mine.write_message(request("execute_request", channel, code=code, silent=False), binary=True)
        await mine.write_message(request("inspect_request", code="os", cursor_pos=1, detail_level=1), binary=True)
        await mine.write_message(request("complete_request", code="os.", cursor_pos=3), binary=True)
        await mine.write_message(request("debug_request", "control", command="evaluate"), binary=True)
        await mine.write_message(request("kernel_info_request"), binary=True)
        answers: set[str] = set()
        while "kernel_info_reply" not in answers:
            message = await asyncio.wait_for(mine.read_message(), SECONDS)
            assert message is not None
            answers.add(kind_of(message))
        # What is not answered by now was not heard: the shell answers in turn.
        padding = {"x": "x" * (MAX_MESSAGE_BYTES - 1000)}
        await mine.write_message(request("kernel_info_request", metadata=padding), binary=True)
        while kind_of(await asyncio.wait_for(mine.read_message(), SECONDS)) != "kernel_info_reply":
            pass
        # Closed while it is being written, perhaps.
        with suppress(WebSocketClosedError):
            await mine.write_message("x" * (MAX_MESSAGE_BYTES + 1))
        while await asyncio.wait_for(mine.read_message(), SECONDS) is not None:
            pass
        return answers

    answers = run(talk())
    assert not answers & {"execute_reply", "execute_input", "inspect_reply", "complete_reply", "debug_reply"}
    assert not proof.exists()
    server.wait_for_log('"execute_request", which is not allowed')
    for left in server.kernels():
        left.kill()
    server.wait_for_kernels(0)


def test_a_kernel_ends_by_the_pages_farewell_and_not_by_that_of_another_origin(server):
    before = len(server.kernels())
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    connection.request("GET", "/")
    answer = connection.getresponse()
    cookies = "; ".join(each.split(";")[0] for each in answer.headers.get_all("Set-Cookie", []))
    crossed = re.search("_xsrf=([^;]+)", cookies)
    assert crossed
    farewell = f"/voila/api/shutdown/{kernel_of(answer.read().decode())}"
    form = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
    assert server.ask(farewell, "POST", body="", **form)[0] == 403
    body = f"_xsrf={crossed[1]}"
    assert server.ask(farewell, "POST", body=body, Origin="https://evil.example", **form)[0] in (403, 404)
    server.wait_for_kernels(before + 1)
    assert server.ask(farewell, "POST", body=body, **form)[0] == 204
    server.wait_for_kernels(before, seconds=5)


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/", "GET"),
        ("/voila/static/voila.js", "GET"),
        ("/voila/templates/lab/static/voila-style.js", "GET"),
        ("/voila/labextensions/anywidget/package.json", "GET"),
        (f"/api/kernels/{uuid.UUID(int=0)}", "GET"),
        (f"/api/kernels/{uuid.UUID(int=0)}", "DELETE"),
        (f"/api/kernels/{uuid.UUID(int=0)}/channels", "GET"),
        (f"/voila/api/shutdown/{uuid.UUID(int=0)}", "POST"),
        ("/voila/api/themes/x", "GET"),
    ],
)
def test_without_the_token_there_is_nothing_but_the_form_that_asks_for_it(guarded, path, method):
    for asked in (path, f"{path}?token=wrong"):
        status, text = guarded.ask(asked, method)
        assert status == 403 or (status == 302 and not text), text[:300]
    assert guarded.kernels() == []


def test_the_token_opens_page_files_kernel_and_websocket(guarded):
    given = {"Authorization": f"token {TOKEN}"}
    assert guarded.ask("/voila/static/voila.js", **given)[0] == 200
    status, page = guarded.ask(f"/?token={TOKEN}")
    assert status == 200
    kernel = kernel_of(page)
    assert guarded.ask(f"/api/kernels/{kernel}")[0] == 403
    assert guarded.ask(f"/api/kernels/{kernel}", **given)[0] == 200
    address = socket_address(guarded, kernel)

    async def talk() -> None:
        with pytest.raises(HTTPClientError, match="403"):
            await connected(address)
        with pytest.raises(HTTPClientError, match="403"):
            await connected(address, Authorization="token wrong")
        (await connected(address, **given)).close()

    run(talk())
    assert guarded.ask(f"/api/kernels/{kernel}", "DELETE", **given)[0] == 204
    guarded.wait_for_kernels(0, seconds=5)
    assert TOKEN not in guarded.log.read_text()


def test_the_token_can_be_typed(guarded, chromium):
    page = chromium.new_page()
    page.goto(guarded.address)
    page.locator("input[type=password]").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("Invalid credentials").wait_for()
    page.locator("input[type=password]").fill(TOKEN)
    page.keyboard.press("Enter")
    page.locator(".controls").wait_for(timeout=PATIENCE)
    page.close()
    guarded.wait_for_kernels(0, seconds=10)


def test_others_are_never_served_without_a_token(tmp_path):
    with serving(tmp_path, "--no-warm", "--host", "0.0.0.0") as server:
        told = server.wait_for_log(r"http://\S+/\?token=\S{20,}")
        assert server.ask("/voila/static/voila.js")[0] in (302, 403)
        assert server.ask(f"/voila/static/voila.js?{told.partition('?')[2]}")[0] == 200


def test_the_address_of_an_open_app_is_this_machines_own(server):
    assert server.wait_for_log(r"http://\S+") == server.address
    listening = [
        each.laddr.ip for each in psutil.Process(server.process.pid).net_connections() if each.status == "LISTEN"
    ]
    assert set(listening) == {"127.0.0.1"}


def test_a_pages_kernel_ends_with_the_page_also_while_it_computes(server, chromium):
    server.wait_for_kernels(0)
    pages = []
    for count in (1, 2):
        page = chromium.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(server.address)
        page.locator(".controls").wait_for()
        pages.append(page)
        server.wait_for_kernels(count)
    pages[0].close()
    server.wait_for_kernels(1, seconds=5)
    busy = pages[1]
    wait_for_sweep(busy)
    busy.get_by_label("method", exact=True).select_option("ablationcam")
    time.sleep(2)
    assert server.kernels()[0].cpu_percent(interval=0.5) > 20, "it does not compute"
    busy.close()
    server.wait_for_kernels(0, seconds=5)


def test_a_reloaded_page_has_one_kernel(server, chromium):
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(server.address)
    page.locator(".controls").wait_for()
    page.reload()
    page.locator(".controls").wait_for()
    server.wait_for_kernels(1, seconds=10)
    page.close()
    server.wait_for_kernels(0, seconds=5)


def test_a_page_that_is_cut_off_may_come_back_for_a_while_and_then_its_kernel_ends(tmp_path):
    with serving(tmp_path, "--no-warm", code=HURRY) as server:
        kernel = kernel_of(server.ask("/")[1])

        async def cut_off() -> None:
            connection = await connected(socket_address(server, kernel))
            await connection.write_message(request("kernel_info_request"), binary=True)
            await asyncio.wait_for(connection.read_message(), SECONDS)
            # No farewell, as when a network goes down.
            connection.protocol.stream.close()

        run(cut_off())
        time.sleep(1.5)
        assert len(server.kernels()) == 1
        run(cut_off())
        time.sleep(2)
        assert len(server.kernels()) == 1
        server.wait_for_kernels(0, seconds=10)


def test_the_waiting_kernel_stays_is_replaced_when_it_dies_and_when_it_is_used(tmp_path, chromium):
    with serving(tmp_path, code=HURRY) as server:
        server.wait_for_kernels(1)
        time.sleep(5)
        (waiting,) = server.kernels()
        waiting.send_signal(signal.SIGKILL)
        # The system takes a moment to end a process of a gigabyte; until then it counts as alive.
        time.sleep(1)
        page = chromium.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(server.address)
        wait_for_sweep(page)
        server.wait_for_kernels(2)
        page.close()
        server.wait_for_kernels(1, seconds=10)
        (last,) = server.kernels()
        last.send_signal(signal.SIGKILL)
        time.sleep(1)
        server.wait_for_kernels(1)


def test_what_fails_in_a_kernel_is_in_the_servers_log_with_its_traceback(tmp_path):
    plugin = tmp_path / "failing.py"
    plugin.write_text(
        "import os, threading, warnings\n"
        "if 'JPY_PARENT_PID' in os.environ:\n"
        "    from augimpact.widgets.worker import Worker\n"
        "    Worker(print).submit(lambda stop: 1 / 0)\n"
        "    threading.Thread(target=lambda: {}['of a thread']).start()\n"
        "    warnings.warn('a warning of a kernel')\n"
    )
    with serving(
        tmp_path, code="from augimpact.cli import main; main(['--plugin', 'failing.py', *__import__('sys').argv[1:]])"
    ) as server:
        server.wait_for_log(r"a job failed\nTraceback[\s\S]*?ZeroDivisionError")
        server.wait_for_log(r"a thread failed\nTraceback[\s\S]*?KeyError: 'of a thread'")
        server.wait_for_log("a warning of a kernel")
