"""The conformance set in a browser: `python -m tests.device_runtime.web.chromium FOLDER [--modules NODE_MODULES]`.

Prints a line of JSON for the JavaScript reader and, where `NODE_MODULES` has @litertjs/core, one for LiteRT.js.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.browser import WHY_NONE, chromium, find_chromium
from tests.conftest import ROOT

MODULES = {"@litertjs/core": "dist/index.js", "@litertjs/wasm-utils": "dist/index.js"}
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json"}
WEB = "tests/device_runtime/web"
READ = "const read = async path => new Uint8Array(await (await fetch(`/golden/${path}`)).arrayBuffer());"
CONFORMANCE = (
    f"async ([names, version]) => {{ {READ} const {{run}} = await import('/root/{WEB}/conformance.mjs');"
    " const engine = navigator.userAgent.match(/Chrome\\/[0-9]+/)[0].replace('/', ' ');"
    " return run(read, names, `javascript (${engine})`, version); }"
)
LITERT = (
    f"async ([names, version]) => {{ {READ} const {{run}} = await import('/root/{WEB}/litert.mjs');"
    " return run(read, names, version); }"
)


@contextmanager
def serving(folders: Mapping[str, Path]) -> Iterator[str]:
    """The address of a server on this machine that gives the files below some folders, and an empty page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, name, *rest = self.path.split("/")
            path = folders.get(name, ROOT).joinpath(*rest)
            if rest and not path.is_file():
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            content = path.read_bytes() if rest else _page().encode()
            self.send_response(HTTPStatus.OK)
            self.send_header(
                "Content-Type", TYPES.get(path.suffix, "application/octet-stream") if rest else "text/html"
            )
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _page() -> str:
    imports = {name: f"/modules/{name}/{path}" for name, path in MODULES.items()}
    return f'<!doctype html><script type="importmap">{json.dumps({"imports": imports})}</script>'


def run(path: str, golden: Path, modules: Path | None = None) -> list[dict[str, Any]]:
    """What the browser at `path` says of each reader."""
    names = sorted(
        str(file.relative_to(golden).with_suffix("")).replace("files/", "") for file in golden.rglob("files/*.tflite")
    )
    version = json.loads((ROOT / "device_runtime" / "web" / "package.json").read_text("utf-8"))["version"]
    folders = {"root": ROOT, "golden": golden} | ({} if modules is None else {"modules": modules})
    with serving(folders) as address, chromium(path) as browser:
        page = browser.new_page()
        page.goto(f"{address}/")
        said = [page.evaluate(CONFORMANCE, [names, version])]
        if modules is not None:
            core = json.loads((modules / "@litertjs" / "core" / "package.json").read_text("utf-8"))
            said.append(page.evaluate(LITERT, [[name for name in names if "/" not in name], core["version"]]))
        return said


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("golden", type=Path)
    parser.add_argument("--modules", type=Path, help="a node_modules with @litertjs/core")
    asked = parser.parse_args(arguments)
    path = find_chromium()
    if path is None:
        sys.stderr.write(f"{WHY_NONE}\n")
        return 1
    said = run(path, asked.golden, asked.modules)
    sys.stdout.write("".join(f"{json.dumps(one)}\n" for one in said))
    return 1 if any(one["failed"] for one in said) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
