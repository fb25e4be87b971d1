"""Where a run writes, whether it goes on, and how it shows; checked before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from training.errors import SettingsError
from training.trained_folder import check_replaceable_folder


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What every way to train is asked.

    Attributes:
        out: the trained folder to write; None to write none, and to keep no checkpoint.
        resume: there has to be a run to continue; without it one is continued where there is one.
        restart: train anew, whatever was stopped.
        force: replace whatever is in `out`.
        progress: show a bar on standard error.
        on_resume: called with the number of epochs that a stopped run had done, where one is continued.
    """

    out: Path | None = None
    resume: bool = False
    restart: bool = False
    force: bool = False
    progress: bool = False
    on_resume: Callable[[int], None] | None = None

    def __post_init__(self) -> None:
        if self.resume and self.out is None:
            raise SettingsError("resume continues what was written beside out; give out as well")
        if self.resume and self.restart:
            raise SettingsError("--resume continues a run and --restart begins it anew; give one of them")

    @property
    def checkpoint(self) -> Path | None:
        """Beside `out`; None without."""
        return self._beside(".checkpoint.npz")

    @property
    def study_file(self) -> Path | None:
        """Where a search for settings is kept, beside `out`; None without."""
        return self._beside(".tuning.log")

    def check(self) -> None:
        """Refuses what cannot be replaced or continued.

        Raises:
            TrainedFolderError: `out` is something else than a trained folder.
            SettingsError: there is nothing to continue.
        """
        if self.out is None:
            return
        check_replaceable_folder(self.out, force=self.force)
        if self.resume and not any(path.exists() for path in self._kept):
            raise SettingsError(
                f"{self.checkpoint}: is not there, so there is no run to continue; leave out --resume to train"
            )

    def forget_if_restarted(self) -> None:
        """Removes what a stopped run left, where it is to begin anew; once all else is checked."""
        if self.restart:
            for path in self._kept:
                path.unlink(missing_ok=True)

    def remove_checkpoint(self) -> None:
        """Once all is written."""
        if self.checkpoint is not None:
            self.checkpoint.unlink(missing_ok=True)

    @property
    def _kept(self) -> list[Path]:
        return [path for path in (self.checkpoint, self.study_file) if path is not None]

    def _beside(self, ending: str) -> Path | None:
        return None if self.out is None else self.out.with_name(self.out.name + ending)
