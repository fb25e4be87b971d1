"""Whether CompiledModel, LiteRT's newer interface, answers from a file as exact integers do.

Apps in Kotlin and C++ ask through it, and cannot resize an input; Python has the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_runtime.errors import MissingEngineError
from export.tflite.plan import FIXED
from export.verification.questions import FixedAnswer, compare_fixed
from training.console.quiet_tensorflow import without_chatter

COMPILED_MODEL = "compiled_model"
_PACKAGE = "ai_edge_litert"


def is_installed() -> bool:
    """Whether there is one to ask; LiteRT is not loaded for it."""
    return find_spec(_PACKAGE) is not None and find_spec(f"{_PACKAGE}.{COMPILED_MODEL}") is not None


def check_compiled_model(path: Path, answers: Sequence[FixedAnswer]) -> None:
    """Asks `recommend_fixed` by its name, in buffers of the sizes that the file declares.

    Raises:
        VerificationError: an answer is another.
        MissingEngineError: it is installed and cannot be imported.
    """
    with without_chatter():  # it tells of its environment when that goes, too
        try:
            library = import_module(f"{_PACKAGE}.{COMPILED_MODEL}")
        except (ImportError, AttributeError) as error:
            raise MissingEngineError(
                f"{_PACKAGE}.{COMPILED_MODEL} is installed but cannot be imported ({error})"
            ) from error
        found = _ask(library.CompiledModel.from_file(str(path)), answers)
    for answer, ids in zip(answers, found, strict=True):
        compare_fixed(path, COMPILED_MODEL, answer, ids)


def _ask(model: Any, answers: Sequence[FixedAnswer]) -> list[NDArray[np.int32]]:
    """The ids that come back to each question."""
    index = model.get_signature_index(FIXED)
    inputs, outputs = model.create_input_buffers(index), model.create_output_buffers(index)
    place = model.get_signature_by_index(index)["outputs"].index("ids")
    found = []
    for answer in answers:
        inputs[0].write(answer.items.ravel())
        model.run_by_index(index, inputs, outputs)
        found.append(outputs[place].read(len(answer.rows), np.int32))
    return found
