"""Whether LiteRT.js answers as exact integers do.

    python -m tests.export.verification.litert_js FILE... --modules NODE_MODULES

Asks `recommend_fixed` of each file in a headless Chromium, by its first graph and by its name, as pages do.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from device_runtime.format.model_file import ModelFile
from export.errors import VerificationError
from export.table import QuantizedTable
from export.tflite.plan import ALL_SIGNATURES
from export.verification.questions import FixedAnswer, compare_fixed, expect_fixed
from tests.browser import WHY_NONE, chromium, find_chromium
from tests.device_runtime.web.chromium import serving

WAYS = ("by its name", "by the first graph")  # in which each question is asked
ASK = """async ([name, questions]) => {
  const {loadAndCompile, loadLiteRt, Tensor} = await import("@litertjs/core");
  window.loaded ??= loadLiteRt("/modules/@litertjs/core/wasm/");
  await window.loaded;
  const model = await loadAndCompile(`/files/${name}`, {accelerator: "wasm"});
  const found = [];
  for (const items of questions) {
    const asked = new Tensor(Int32Array.from(items), [1, items.length]);
    for (const outputs of [await model.run("recommend_fixed", {items: asked}), await model.run({items: asked})]) {
      found.push([...outputs.ids.toTypedArray()]);
      for (const output of Object.values(outputs)) output.delete();
    }
    asked.delete();
  }
  model.delete();
  return found;
}"""


def check(browser: str, paths: Sequence[Path], modules: Path) -> Iterator[str]:
    """A line for each file that answers as it should.

    Raises:
        VerificationError: one does not.
    """
    with (
        TemporaryDirectory() as folder,
        serving({"modules": modules, "files": Path(folder)}) as address,
        chromium(browser) as launched,
    ):
        for path in paths:
            shutil.copy(path, folder)
            answers = _expected(path)
            page = launched.new_page()
            page.goto(f"{address}/")
            found = page.evaluate(ASK, [path.name, [answer.items.ravel().tolist() for answer in answers]])
            page.close()
            for answer, ids in zip([answer for answer in answers for _ in WAYS], found, strict=True):
                compare_fixed(path, "LiteRT.js", answer, np.array(ids, np.int32))
            yield f"{path}: LiteRT.js answers {len(answers)} of {len(answers)} baskets as exact integers do"


def _expected(path: Path) -> list[FixedAnswer]:
    model = ModelFile.open(path)
    manifest = model.manifest
    table = QuantizedTable(model.table, manifest.scale, manifest.bits, manifest.preference)
    return expect_fixed(table, ALL_SIGNATURES)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--modules", type=Path, required=True, help="a node_modules with @litertjs/core")
    asked = parser.parse_args(arguments)
    browser = find_chromium()
    if browser is None:
        sys.stderr.write(f"{WHY_NONE}\n")
        return 1
    try:
        for line in check(browser, asked.files, asked.modules):
            sys.stdout.write(f"{line}\n")
    except VerificationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
