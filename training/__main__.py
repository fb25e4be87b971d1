"""python -m training: a catalog in, a trained folder out."""

from __future__ import annotations

from training.console.quiet_tensorflow import import_tensorflow

import_tensorflow()

from training.command import main  # noqa: E402

raise SystemExit(main())
