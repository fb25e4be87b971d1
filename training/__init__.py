"""From a catalog or a log of interactions to a trained embedding, on a workstation.

`train_catalog` learns what items are like, `train_interactions` who likes them; both give a `Trained` and write the
folder that `export` reads. `python -m training` does the same from a terminal.

Importing this package imports neither TensorFlow nor polars; training does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from training.inputs.interactions import Report
    from training.trained import Trained, load

__all__ = ["Trained", "load", "train_catalog", "train_interactions"]


def train_catalog(  # noqa: PLR0913 - each is an option of its own
    catalog: str | Path | None = None,
    *,
    out: str | Path | None = None,
    triplets: str | Path | None = None,
    popularity: str | None = None,
    resume: bool = False,
    restart: bool = False,
    force: bool = False,
    on_resume: Callable[[int], None] | None = None,
    evaluate: bool = False,
    columns: Sequence[str] = (),
    progress: bool = False,
    **settings: Any,
) -> Trained:
    """Trains an embedding of the items of a catalog by what they are like.

    The same catalog and settings give the same table, to the byte, on one machine with one version of TensorFlow.

    >>> trained = train_catalog("songs.csv", out="build/songs", dims=4, epochs=5)
    >>> trained.table.shape, trained.metrics["items"]
    ((12, 4), 12)

    Args:
        catalog: CSV or Parquet with `id`, `name`, `aliases` and columns of attributes; None: the 5,000 built-in meals.
        out: a folder to write, replacing a trained one; meanwhile a checkpoint is kept beside it. None writes nothing.
        triplets: to measure with; None takes `CATALOG.triplets.csv` beside the catalog, where there is one.
        popularity: a column of numbers, how widely an item is known: of names as like, the best known comes first.
            None takes what the rules beside the catalog name, if anything.
        resume: there has to be a stopped run to `out` to continue; without it one is continued where there is one.
        restart: train anew, whatever was stopped.
        force: replace whatever is in the folder `out`.
        on_resume: called with the number of epochs that a stopped run had done, where one is continued.
        evaluate: measure against TF-IDF and its SVD as well, which trains five times more, six with triplets.
        columns: whose values `evaluate` hides and asks for; none for all.
        progress: show a bar on standard error.
        settings: any of `training.by_attributes.settings.AttributeSettings`.

    Returns:
        The trained embedding: `table` is float32 [items, dims] of unit rows, `metrics` what was measured.

    Raises:
        TrainingError: the catalog, the triplets or a setting cannot be used, `out` is something else, or the checkpoint
            is of another run; each has a class of its own in `training.errors`.
    """
    from training.by_attributes.settings import AttributeSettings
    from training.by_attributes.train import CatalogRequest, train_from_catalog
    from training.inputs.catalog import BUILT_IN_CATALOG
    from training.loop.settings import make_settings

    request = CatalogRequest(
        catalog=Path(BUILT_IN_CATALOG if catalog is None else catalog),
        out=_path(out),
        triplets=_path(triplets),
        popularity=popularity,
        resume=resume,
        restart=restart,
        force=force,
        on_resume=on_resume,
        evaluate=evaluate,
        columns=tuple(columns),
        progress=progress,
        settings=make_settings(AttributeSettings, settings),
    )
    return train_from_catalog(request)


def train_interactions(  # noqa: PLR0913 - each is an option of its own
    log: str | Path,
    *,
    catalog: str | Path | None = None,
    out: str | Path | None = None,
    min_user: int = 5,
    min_item: int = 5,
    max_user: int = 10_000,
    tune: int | None = None,
    tune_dims: Sequence[int] = (),
    tensorboard: str | Path | None = None,
    on_read: Callable[[Report], None] | None = None,
    resume: bool = False,
    restart: bool = False,
    force: bool = False,
    on_resume: Callable[[int], None] | None = None,
    evaluate: bool = False,
    progress: bool = False,
    **settings: Any,
) -> Trained:
    """Trains an embedding of items by who likes them.

    >>> trained = train_interactions("log.csv", out="build/likes", dims=8, epochs=3)
    >>> trained.table.shape[1], trained.preference.negative_columns
    (8, 4)

    Args:
        log: CSV, Parquet or JSON Lines of `user_id`, `item_id` and maybe `weight` and `timestamp`.
        catalog: of the items; new ones are placed by their attributes. None: ids are names, without attributes.
        out: a folder to write, replacing a trained one; meanwhile a checkpoint is kept beside it. None writes nothing.
        min_user: users with fewer items are left out.
        min_item: items with fewer users are left out.
        max_user: of the items of a user, the heaviest so many are kept.
        tune: search settings first, in so many trials; a search that was stopped is continued too.
        tune_dims: widths that the search may choose among; none to keep `dims`.
        tensorboard: a folder to log to for TensorBoard.
        on_read: called before training with what became of the rows of the log.
        resume: there has to be a stopped run to `out` to continue; without it one is continued where there is one.
        restart: train anew, whatever was stopped.
        force: replace whatever is in the folder `out`.
        on_resume: called with the number of epochs that a stopped run had done, where one is continued.
        evaluate: measure on a fifth of the users as well, training once more without them.
        progress: show a bar on standard error.
        settings: any of `training.by_interactions.settings.InteractionSettings`.

    Returns:
        The trained embedding: `table` is float32 [items, dims] of rows of any length, `preference` says how favorites
        become scores, `metrics` what was measured.

    Raises:
        TrainingError: the log, the catalog or a setting cannot be used, `out` is something else, or the checkpoint is
            of another run; each has a class of its own in `training.errors`.
    """
    from training.by_interactions.settings import InteractionSettings, InteractionsRequest
    from training.loop.settings import make_settings

    request = InteractionsRequest(
        log=Path(log),
        catalog=_path(catalog),
        bounds={"min_user": min_user, "min_item": min_item, "max_user": max_user},
        out=_path(out),
        tune=tune,
        tune_dims=tuple(tune_dims),
        tensorboard=_path(tensorboard),
        on_read=on_read,
        resume=resume,
        restart=restart,
        force=force,
        on_resume=on_resume,
        evaluate=evaluate,
        progress=progress,
        settings=make_settings(InteractionSettings, settings),
    )
    items = request.read_catalog()
    from training.console.quiet_tensorflow import import_tensorflow

    import_tensorflow()
    from training.by_interactions.train import train_from_interactions

    return train_from_interactions(request, items)


def _path(given: str | Path | None) -> Path | None:
    return None if given is None else Path(given)


def __getattr__(name: str) -> Any:
    if name not in ("Trained", "load"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from training import trained

    return getattr(trained, name)
