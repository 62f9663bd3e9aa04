"""`augimpact sets` and `augimpact serve`, as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import httpx
import pytest

from augimpact.cli import main
from tests.data.test_cache import free_port
from tests.impact.conftest import put_pieces


@pytest.fixture
def run(capsys):
    def run(*arguments):
        status = 0
        try:
            status = main([*map(str, arguments)]) or 0
        except SystemExit as ended:
            status = ended.code or 0
        found = capsys.readouterr()
        return status, found.out, found.err

    return run


def test_a_set_s_life(run, tmp_path):
    folder, root = put_pieces(tmp_path / "pieces", 2), ("--root", tmp_path / "sets")
    assert run("sets", "create", "Four things", *root)[:2] == (0, "1\n")
    status, told, _ = run("sets", "feed", 1, folder, "--size", 48, *root)
    assert (status, "'train': 8" in told) == (0, True)
    assert run("sets", "feed", 1, folder, "--size", 48, "--group", "test", *root)[0] == 0
    document = json.loads(run("sets", "show", 1, *root)[1])
    assert (document["count"], document["shape"], document["nclasses"]) == ({"train": 8, "test": 8}, [3, 48, 48], 4)
    assert "Four things" in run("sets", "list", "four", "--class", "tabby", *root)[1]
    assert "Four things" not in run("sets", "list", "five", *root)[1]
    assert run("sets", "publish", 1, *root)[0] == 0
    assert json.loads(run("sets", "show", 1, *root)[1])["public"]
    assert run("sets", "unpublish", 1, *root)[0] == 0
    assert run("sets", "write", 1, "-o", tmp_path / "out", *root)[0] == 0
    assert len(list((tmp_path / "out").rglob("*.png"))) == 16
    assert run("sets", "fetch", 1, *root)[1] == "100 %\n"
    assert run("sets", "delete", 1, "--yes", *root)[0] == 0
    status, _, said = run("sets", "show", 1, *root)
    assert (status, "there is no set 1; expected the id of one that you may see" in said) == (2, True)


def test_a_wrong_size_is_one_line(run, tmp_path):
    folder, root = put_pieces(tmp_path / "pieces", 2), ("--root", tmp_path / "sets")
    run("sets", "create", "a", *root)
    status, _, said = run("sets", "feed", 1, folder, *root)
    assert (status, "pair 1 of train: the image has the shape" in said.splitlines()[-1]) == (2, True)
    status, _, said = run("sets", "token", "list", "--catalog", "http://127.0.0.1:1", *root)
    assert (status, "expected the server's own database" in said) == (2, True)


def test_a_server_is_started_and_used(run, tmp_path):
    root, port = ("--root", tmp_path / "served"), free_port()
    token = run("sets", "token", "create", "ann", *root)[1].strip()
    command = [sys.executable, "-m", "augimpact.cli", "serve", *map(str, root), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert f"http://127.0.0.1:{port}" in server.stdout.readline()
            there = ("--catalog", f"http://127.0.0.1:{port}", "--root", tmp_path / "cache", "--token", token)
            for _ in range(200):
                try:
                    httpx.get(f"http://127.0.0.1:{port}/openapi.json")
                    break
                except httpx.ConnectError:
                    time.sleep(0.05)
            assert run("sets", "create", "a", *there)[:2] == (0, "1\n")
            assert run("sets", "feed", 1, put_pieces(tmp_path / "pieces", 1), "--size", 32, *there)[0] == 0
            assert "a" in run("sets", "list", *there)[1]
            assert "ann" in run("sets", "token", "list", *root)[1]
            assert run("sets", "token", "revoke", "ann", *root)[1] == "1 revoked\n"
            status, _, said = run("sets", "list", *there)
            assert (status, "expected a token" in said) == (2, True)
        finally:
            server.terminate()
