"""What a log of interactions is called, and how many interactions count: known before any of it is read."""

from __future__ import annotations

from pathlib import Path

from training.errors import InteractionsError, SettingsError

MIN_USER = 5
MIN_ITEM = 5
MAX_USER = 10_000
ENDINGS = (".csv", ".csv.gz", ".parquet", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")


def check_log(path: Path) -> None:
    """Refuses a log whose name says nothing of its form, or that is not there.

    Raises:
        InteractionsError: its ending is unknown, or it is missing or empty.
    """
    if not path.name.lower().endswith(ENDINGS):
        raise InteractionsError(f"{path}: has none of the known endings {', '.join(ENDINGS)}; save or rename it so")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InteractionsError(f"{path}: cannot be read ({error.strerror}); give the path of a log") from None
    if path.is_file() and size == 0:
        raise InteractionsError(f"{path}: is empty; it needs the columns user_id and item_id")


def check_bounds(min_user: int, min_item: int, max_user: int) -> None:
    """Refuses bounds that keep nothing or make no sense.

    Raises:
        SettingsError: one is below 1, or `max_user` below `min_user`.
    """
    if min(min_user, min_item) < 1 or max_user < min_user:
        raise SettingsError(
            f"min_user {min_user}, min_item {min_item}, max_user {max_user}: give 1 or more, max_user at least min_user"
        )
