"""The files of the page, as they lie in `page/`: no build step, nothing from elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib import resources

from device_runtime.serve.http import Request, RequestError, Response

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_METHODS = ("GET", "HEAD")


def read_page() -> dict[str, Response]:
    """Each path of the page with its answer. A client may keep it, and asks each time whether it is still the same."""
    answers = {}
    for file in resources.files("device_runtime.serve").joinpath("page").iterdir():
        kind = _TYPES.get(file.name.rpartition(".")[2])
        if kind is not None:
            body = file.read_bytes()
            headers = (
                ("Content-Security-Policy", _POLICY),
                ("Referrer-Policy", "no-referrer"),
                ("Cache-Control", "no-cache"),
                ("ETag", f'"{hashlib.sha256(body).hexdigest()[:16]}"'),
            )
            path = "/" if file.name == "index.html" else f"/{file.name}"
            answers[path] = Response(200, body, f"{kind}; charset=utf-8", headers)
    return answers


def page_answer(files: Mapping[str, Response], request: Request) -> Response | None:
    """The file that is asked for, or only that it is the same as the client's; None where it is no file of the page.

    Raises:
        RequestError: the method is neither GET nor HEAD.
    """
    found = files.get(request.path)
    if found is None:
        return None
    if request.method not in _METHODS:
        allow = ", ".join(_METHODS)
        raise RequestError(
            405, f"{request.path} does not take {request.method[:20]}; it takes {allow}", (("Allow", allow),)
        )
    known = (tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(","))
    if dict(found.headers)["ETag"] in known:
        return Response(304, b"", found.content_type, found.headers)
    return found
