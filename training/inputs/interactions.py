"""Reads logs of who liked what: `user_id`, `item_id` and, where there are any, `weight` and `timestamp`.

Batches of rows are checked, merged and given back as one sparse matrix; what is left out is counted and shown.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from training.errors import InteractionsError
from training.inputs.bounds import MAX_USER, MIN_ITEM, MIN_USER, check_bounds
from training.inputs.catalog import Catalog
from training.inputs.log_files import open_log
from training.inputs.log_rows import EXAMPLES, BadRows, Finding, check_rows, shorten

_MERGED_FROM = 1 << 20  # rows that wait at least before they are merged
_CODES = 1 << 32  # ids are numbered by 32 bits


@dataclass(frozen=True)
class Report:
    """What became of the rows of a log: `rows` = `kept_rows` + the rows of all `findings`."""

    rows: int
    kept_rows: int
    pairs: int
    users: int
    items: int
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        kept = f"{self.rows:,} rows read, {self.kept_rows:,} kept"
        return "\n".join(
            [f"{kept}: {self.pairs:,} pairs of {self.users:,} users and {self.items:,} items", *map(str, self.findings)]
        )

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Interactions:
    """Who liked what, the same for the same rows in any order and format.

    Attributes:
        users: ids, sorted by code point; row u of the matrix is `users[u]`.
        items: ids, sorted by code point; column i of the matrix is `items[i]`.
        matrix: float32 [users, items]; the sum of the weights of a pair's rows, or their number in a log without
            weights. Indices are sorted, no value is 0.
        timestamps: int64, aligned with `matrix.data`; the latest of a pair's rows in seconds since 1970 (UTC); None
            for a log without timestamps.
    """

    users: tuple[str, ...]
    items: tuple[str, ...]
    matrix: csr_matrix
    timestamps: NDArray[np.int64] | None
    report: Report


def read_interactions(
    path: str | os.PathLike[str],
    *,
    catalog: Catalog | None = None,
    min_user: int = MIN_USER,
    min_item: int = MIN_ITEM,
    max_user: int = MAX_USER,
) -> Interactions:
    """Reads a log: CSV (also .csv.gz), Parquet or JSON Lines (also .jsonl.gz), by the ending of its name.

    Rows without ids, with a weight or timestamp that makes no sense, or of an item that `catalog` lacks are left out,
    counted and shown in the report. Spaces around ids do not count. Repeated pairs of user and item are merged:
    weights are summed (1 for each row of a log without weights), the latest timestamp is kept. Users with more than
    `max_user` items keep the heaviest (of equal weight the latest, then the first by id). Users with fewer than
    `min_user` items and items with fewer than `min_item` users are dropped, both at once, again and again until none
    falls short.

    The log is read in batches; memory grows with the number of different pairs and ids, not of rows.

    Raises:
        InteractionsError: the file cannot be read, a column is missing or of the wrong type, or nothing is left.
        SettingsError: a bound is below 1, or `max_user` below `min_user`.
    """
    check_bounds(min_user, min_item, max_user)
    log = open_log(Path(path))
    known = None if catalog is None else polars.Series([item.id for item in catalog.items], dtype=polars.String)
    merger, bad = _Merger(), BadRows()
    for batch in log.batches():
        checked = check_rows(batch, known)
        bad.add(batch, checked)
        merger.add(checked)
    pairs, users, items = merger.result()
    pairs, crowded = _thin_crowded(pairs, max_user, users)
    pairs, rare = _drop_rare(pairs, min_user, min_item, users, items)
    findings = [*bad.findings(), *crowded, *rare]
    if not len(pairs.user):
        raise InteractionsError(_nothing_left(path, bad.rows, findings))
    kept_users, row = _select(pairs.user, users)
    kept_items, column = _select(pairs.item, items)
    counts = (bad.rows, int(pairs.rows.sum()), len(row), len(kept_users), len(kept_items))
    return Interactions(
        users=kept_users,
        items=kept_items,
        matrix=_matrix(pairs.weight, row, column),
        timestamps=pairs.time if "timestamp" in log.columns else None,
        report=Report(*counts, tuple(findings)),
    )


def _nothing_left(path: str | os.PathLike[str], rows: int, findings: Sequence[Finding]) -> str:
    if not rows:
        return f"{path}: has no rows; add one for each thing that a user liked"
    return (
        f"{path}: nothing is left of {rows:,} rows; mend them or lower the bounds --min-user and --min-item: "
        + ", ".join(map(str, findings))
    )


class _Pairs(NamedTuple):
    """One entry for each pair of user and item, sorted by both; `rows` of the log were merged into it."""

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    weight: NDArray[np.float64]
    time: NDArray[np.int64]
    rows: NDArray[np.int64]

    def where(self, chosen: NDArray[np.bool_]) -> _Pairs:
        return _Pairs(self.user[chosen], self.item[chosen], self.weight[chosen], self.time[chosen], self.rows[chosen])


class _Codes:
    """Numbers ids in the order in which they come."""

    def __init__(self) -> None:
        self._categories = polars.Categories.random()
        self._kind = polars.Categorical(self._categories)
        self._anchor = polars.Series(dtype=self._kind)  # polars forgets the codes once there is no series of the kind

    def of(self, column: str) -> polars.Expr:
        return polars.col(column).cast(self._kind).to_physical().cast(polars.UInt64)

    def ranks(self) -> tuple[list[str], NDArray[np.int64]]:
        """The ids, sorted, and for each code the place of its id among them."""
        names = self._categories.to_series()
        order = names.arg_sort()
        rank = np.empty(len(names), np.int64)
        rank[order.to_numpy()] = np.arange(len(names))
        return names.gather(order).to_list(), rank


class _Merger:
    """Merges rows as they come into one for each user, item and weight.

    Sorting numbered ids takes less than half of the time and two thirds of the memory of polars' `group_by` over text.

    Weights are added up only at the end, in their order, so that sums do not hang on the order of the rows.
    """

    def __init__(self) -> None:
        self._users, self._items = _Codes(), _Codes()
        self._merged = polars.DataFrame(
            schema={"key": polars.UInt64, "weight": polars.Float64, "time": polars.Int64, "rows": polars.Int64}
        )
        self._waiting: list[polars.DataFrame] = []

    def add(self, checked: polars.DataFrame) -> None:
        good = checked.filter(polars.col("reason").is_null())
        user, item = self._users.of("user"), self._items.of("item")
        rows = good.select((user * _CODES + item).alias("key"), "weight", "time", rows=polars.lit(1))
        self._waiting.append(rows.cast(self._merged.schema))
        if sum(map(len, self._waiting)) > max(len(self._merged), _MERGED_FROM):
            self._merge()

    def result(self) -> tuple[_Pairs, list[str], list[str]]:
        """The pairs, and the ids that their users and items number, sorted."""
        self._merge()
        users, user_rank = self._users.ranks()
        items, item_rank = self._items.ranks()
        code = self._merged["key"].to_numpy()
        key = polars.Series("key", user_rank[code // _CODES] * len(items) + item_rank[code % _CODES])
        ordered = self._merged.with_columns(key)
        self._merged = self._merged.clear()  # half of the memory
        ordered = ordered.sort("key", "weight")
        return _sum_up(ordered, len(items)), users, items

    def _merge(self) -> None:
        rows = polars.concat([self._merged, *self._waiting])
        self._waiting = []
        rows = rows.sort("key", "weight")
        key, weight, time, count = (rows[name].to_numpy() for name in rows.columns)
        is_first = np.ones(len(rows), np.bool_)
        is_first[1:] = (key[1:] != key[:-1]) | (weight[1:] != weight[:-1])
        first = np.flatnonzero(is_first)
        merged = (key[first], weight[first], np.maximum.reduceat(time, first), np.add.reduceat(count, first))
        self._merged = polars.DataFrame(dict(zip(rows.columns, merged, strict=True)))


def _sum_up(frame: polars.DataFrame, items: int) -> _Pairs:
    key, weight, time, rows = (frame[name].to_numpy() for name in ("key", "weight", "time", "rows"))
    first = np.flatnonzero(np.diff(key, prepend=-1))
    return _Pairs(
        (key[first] // items).astype(np.int32),
        (key[first] % items).astype(np.int32),
        np.add.reduceat(weight * rows, first),
        np.maximum.reduceat(time, first),
        np.add.reduceat(rows, first),
    )


def _thin_crowded(pairs: _Pairs, most: int, users: Sequence[str]) -> tuple[_Pairs, list[Finding]]:
    """Keeps the heaviest pairs of users with too many, and shows users with as many rows."""
    rows = np.bincount(pairs.user, pairs.rows, len(users)).astype(np.int64)
    crowded = np.flatnonzero(rows > most)
    keep = np.ones(len(pairs.user), np.bool_)
    examples = []
    for user in crowded.tolist():
        start, end = np.searchsorted(pairs.user, [user, user + 1])
        best = np.lexsort((pairs.item[start:end], -pairs.time[start:end], -pairs.weight[start:end]))
        keep[start + best[most:]] = False
        kept = min(end - start, most)
        examples.append(f"{shorten(users[user])} with {rows[user]:,} rows, {kept:,} of {end - start:,} items kept")
    if not examples:
        return pairs, []
    rule = f"of a user with over {most:,} rows only the {most:,} heaviest items, then the latest, are kept"
    left_out = int(pairs.rows[~keep].sum())
    return pairs.where(keep), [Finding("crowded_user", rule, left_out, len(crowded), tuple(examples[:EXAMPLES]))]


def _drop_rare(
    pairs: _Pairs, min_user: int, min_item: int, users: Sequence[str], items: Sequence[str]
) -> tuple[_Pairs, list[Finding]]:
    """Drops users and items with too few pairs, both at once, until none falls short."""
    left, short_rows, rare_rows = pairs, 0, 0
    while True:
        short = np.bincount(left.user, minlength=1)[left.user] < min_user
        rare = ~short & (np.bincount(left.item, minlength=1)[left.item] < min_item)
        if not (short | rare).any():
            break
        short_rows += int(left.rows[short].sum())
        rare_rows += int(left.rows[rare].sum())
        left = left.where(~(short | rare))
    short_rule = f"the user has, or is left with, fewer than {min_user} different items"
    rare_rule = f"the item has, or is left with, fewer than {min_item} different users"
    findings = [
        _dropped("short_user", short_rule, short_rows, (pairs.user, left.user), users),
        _dropped("rare_item", rare_rule, rare_rows, (pairs.item, left.item), items),
    ]
    return left, [finding for finding in findings if finding.ids]


def _dropped(
    reason: str, rule: str, rows: int, before_after: tuple[NDArray[np.int32], NDArray[np.int32]], names: Sequence[str]
) -> Finding:
    before, after = (_present(numbers, len(names)) for numbers in before_after)
    gone = np.flatnonzero(before & ~after)
    return Finding(reason, rule, rows, len(gone), tuple(shorten(names[number]) for number in gone[:EXAMPLES].tolist()))


def _select(numbers: NDArray[np.int32], names: Sequence[str]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The names that are numbered at all, and for each number its place among them."""
    present = _present(numbers, len(names))
    return tuple(names[number] for number in np.flatnonzero(present).tolist()), (np.cumsum(present) - 1)[numbers]


def _present(numbers: NDArray[np.int32], count: int) -> NDArray[np.bool_]:
    return np.bincount(numbers, minlength=count) > 0


def _matrix(weight: NDArray[np.float64], row: NDArray[np.int64], column: NDArray[np.int64]) -> csr_matrix:
    """Entries that are sorted by row and column, without a copy of their numbers in another order."""
    starts = np.concatenate([[0], np.cumsum(np.bincount(row))])
    shape = (int(row[-1]) + 1, int(column.max()) + 1)
    return csr_matrix((weight.astype(np.float32), column.astype(np.int32), starts), shape=shape)
