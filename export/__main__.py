"""python -m export: a trained folder in, one .tflite file out."""

from __future__ import annotations

from training.quiet import import_tensorflow

import_tensorflow()

from export.command import main  # noqa: E402

raise SystemExit(main())
