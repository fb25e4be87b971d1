"""Draws the page of `mignon serve` for the docs: `make pictures`, then look at them."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from device_runtime import Recommender
from device_runtime.serve.api import Api
from tests.browser import WHY_NONE, chromium, find_chromium
from tests.conftest import ROOT
from tests.device_runtime.running import running

SIZES = {"phone": (390, 844, 2), "desk": (1280, 900, 1)}
SCHEMES = ("light", "dark")
COLORS = 128
MOST_BYTES = 150_000


def main(file: Path, folder: Path) -> int:
    path = find_chromium()
    if path is None:
        print(f"make pictures: {WHY_NONE}", file=sys.stderr)
        return 1
    with running(Api(Recommender.open(file, engine="numpy", changes=False))) as service, chromium(path) as browser:
        for name, size in SIZES.items():
            for scheme in SCHEMES:
                picture = draw(browser, f"http://127.0.0.1:{service.port}/", size, scheme)
                if len(picture) > MOST_BYTES:
                    raise ValueError(f"{name}, {scheme} takes {len(picture)} bytes, more than {MOST_BYTES}")
                (folder / f"page_{name}_{scheme}.png").write_bytes(picture)
    return 0


def draw(browser: Browser, url: str, size: tuple[int, int, int], scheme: str) -> bytes:
    """The page as a PNG, after what a person would say to it."""
    width, height, scale = size
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type] # one of SCHEMES
        device_scale_factor=scale,
        reduced_motion="reduce",
    )
    page.goto(url)
    expect(page.locator("#attributes")).not_to_be_empty()
    say(page)
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLORS)
    page.close()
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def say(page: Page) -> None:
    for liked in ("Pancakes", "Borscht"):
        page.locator("#text").fill(liked)
        page.locator("#text").press("Enter")
        expect(page.locator("#likes")).to_contain_text(liked)
    expect(page.locator("#results")).to_have_attribute("aria-busy", "false")
    page.locator("#results .less").nth(3).click()
    expect(page.locator("#dislikes li")).to_have_count(1)
    expect(page.locator("#results")).to_have_attribute("aria-busy", "false")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


if __name__ == "__main__":
    sys.exit(main(ROOT / "build" / "meals.tflite", ROOT / "docs"))
