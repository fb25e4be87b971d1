"""A real Chromium for tests of pages and for pictures of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WHY_NONE = (
    f"no browser was found: install Debian's chromium, or name one in CHROMIUM ({', '.join(NAMES)} were looked for)"
)


def find_chromium() -> str | None:
    """The path of the browser that CHROMIUM names, or else of one that is installed."""
    return os.environ.get("CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def chromium(path: str) -> Iterator[Browser]:
    """A browser without a window, until the end of the context."""
    arguments = [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]  # root cannot have the sandbox
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()
