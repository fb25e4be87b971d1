"""python -m training: a catalog in, a trained folder out."""

from __future__ import annotations

from training.quiet import import_tensorflow

import_tensorflow()

from training.command import main  # noqa: E402

raise SystemExit(main())
