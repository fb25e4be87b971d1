"""python -m training: a catalog or a log in, a trained folder out."""

from __future__ import annotations

from training.command import main

raise SystemExit(main())
