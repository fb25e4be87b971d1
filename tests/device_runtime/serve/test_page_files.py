import re

import pytest

from device_runtime.serve.page_files import read_page
from tests.device_runtime.running import POST

FILES = read_page()


@pytest.mark.parametrize("path", FILES)
def test_a_file_needs_nothing_from_elsewhere_and_runs_no_text(path):
    text = FILES[path].body.decode("utf-8")
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|\burl\(", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|style=|\bon\w+=", text)
    assert all(
        f"/{name}" in FILES
        for name in re.findall(r"""(?:src|href)="(\w+\.\w+)"|from "\./([\w.]+)\"""", text)
        for name in name
        if name
    )


def test_the_page_is_small_and_its_logic_knows_no_server():
    assert sum(len(file.body) for file in FILES.values()) < 60_000
    for name, file in FILES.items():
        assert b"fetch(" not in file.body or name == "/client.js"


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_kept_and_asked_for_again(service, path):
    status, headers, body = service.ask(path)
    kind = {"": "html", "css": "css"}.get(path[1:].rpartition(".")[2], "javascript")
    assert (status, headers["Content-Type"]) == (200, f"text/{kind}; charset=utf-8")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers.get_all("Cache-Control") == ["no-cache"]
    assert body == FILES[path].body
    for tag in (headers["ETag"], f'"other", W/{headers["ETag"]}'):
        status, again, nothing = service.ask(path, headers={"If-None-Match": tag})
        assert (status, again["ETag"], again["Content-Length"], nothing) == (304, headers["ETag"], None, b"")
    assert service.ask(path, headers={"If-None-Match": '"other"'})[0] == 200
    status, headers, _ = service.ask(path, b"{}", headers={"Content-Type": "application/json"})
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_the_same_connection_goes_on_after_what_was_not_modified(service):
    ask = b"GET / HTTP/1.1\r\nHost: x\r\nIf-None-Match: %s\r\n\r\n" % dict(FILES["/"].headers)["ETag"].encode()
    answer = service.send(ask + ask + POST + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer)[:2] == [b"304", b"304"]
    assert answer.count(b"HTTP/1.1 ") == 3
