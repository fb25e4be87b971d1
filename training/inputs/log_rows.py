"""What is checked of each row of a log of interactions, and how those left out are counted and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars

from device_runtime.format.layout import CONTROL_CHARACTERS
from training.inputs.log_files import BROKEN, IDS, OPTIONAL, ROW

LEAST_WEIGHT = 1e-9
MOST_WEIGHT = 1e9
EXAMPLES = 3

_MILLISECONDS_FROM = 1e11  # seconds until the year 5138, milliseconds from 1973
_TIME_LIMIT = 1e14
_CONTROL = f"[{''.join(sorted(CONTROL_CHARACTERS))}]"
_ISO = (
    r"^(?<date>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?<hour>[01]\d|2[0-3]):(?<minute>[0-5]\d)(?::(?<second>[0-5]\d)(?:\.\d+)?)?"
    r"(?:Z|(?<sign>[+-])(?<ahead_hours>[01]\d|2[0-3]):?(?<ahead_minutes>[0-5]\d))?)?$"
)
_SECONDS = {"hour": 3600, "minute": 60, "second": 1}
_SECONDS_AHEAD = {"ahead_hours": 3600, "ahead_minutes": 60}
_SHOWN = 40  # characters of an id in a message

_ROW_RULES: Mapping[str, str] = {
    "not_an_object": "the line is not a JSON object",
    "no_user": "user_id is empty",
    "no_item": "item_id is empty",
    "control_character": "an id holds a control character or line break",
    "bad_weight": f"weight is not a number from {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}",
    "bad_timestamp": "timestamp is neither seconds or milliseconds since 1970 nor an ISO 8601 date or time",
    "unknown_item": "the catalog has no such item",
}


@dataclass(frozen=True)
class Finding:
    """What was left out for one reason.

    Attributes:
        reason: one of a row (`not_an_object`, `no_user`, `no_item`, `control_character`, `bad_weight`, `bad_timestamp`,
            `unknown_item`), a user (`crowded_user`, `short_user`) or an item (`rare_item`).
        rule: what that means, for people.
        rows: rows of the log left out; 0 for users with very many rows of few items, who are shown and kept.
        ids: how many users or items that concerns; 0 where the reason is one of a row.
        examples: up to three: the first rows of the log, or the first ids.
    """

    reason: str
    rule: str
    rows: int
    ids: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        of = f" of {self.ids:,} {'items' if self.reason == 'rare_item' else 'users'}" if self.ids else ""
        return f"{self.rows:,} rows{of} left out: {self.rule} (as {'; '.join(self.examples)})"


def check_rows(batch: polars.DataFrame, known: polars.Series | None) -> polars.DataFrame:
    """Columns `user`, `item`, `weight`, `time` and `reason`, the first of `_ROW_RULES` that a row breaks or null."""
    ids = [polars.col(column).cast(polars.String).fill_null("") for column in IDS]
    user, item = (column.str.strip_chars() for column in ids)
    weight = _weights(batch["weight"]) if "weight" in batch.columns else polars.repeat(1.0, len(batch), eager=True)
    time = _times(batch["timestamp"]) if "timestamp" in batch.columns else polars.repeat(0, len(batch), eager=True)
    breaks = {
        "not_an_object": polars.col(BROKEN),
        "no_user": user == "",
        "no_item": item == "",
        "control_character": ids[0].str.contains(_CONTROL) | ids[1].str.contains(_CONTROL),
        "bad_weight": ~polars.lit(weight).is_between(LEAST_WEIGHT, MOST_WEIGHT).fill_null(value=False),
        "bad_timestamp": polars.lit(time).is_null(),
    }
    if known is not None:
        breaks["unknown_item"] = ~item.is_in(known.implode())
    reason = polars.coalesce(polars.when(broken).then(polars.lit(name)) for name, broken in breaks.items())
    return batch.select(
        user.alias("user"),
        item.alias("item"),
        polars.lit(weight).alias("weight"),
        polars.lit(time).alias("time"),
        reason.alias("reason"),
    )


def _weights(column: polars.Series) -> polars.Series:
    text = column.str.strip_chars() if column.dtype == polars.String else column
    return text.cast(polars.Float64, strict=False).fill_nan(None)


def _times(column: polars.Series) -> polars.Series:
    """Whole seconds since 1970 as int64, rounded down; null where there is no telling."""
    if column.dtype in (polars.Date, polars.Datetime):
        return column.cast(polars.Datetime("us")).dt.timestamp("us") // 1_000_000
    text = column.str.strip_chars() if column.dtype == polars.String else column
    number = text.cast(polars.Float64, strict=False)
    frame = polars.DataFrame({"number": number.set(number.is_nan() | (number.abs() >= _TIME_LIMIT), None)})
    unit = polars.when(polars.col("number").abs() >= _MILLISECONDS_FROM).then(1000).otherwise(1)
    seconds = frame.select((polars.col("number") / unit).floor().cast(polars.Int64))["number"]
    if column.dtype != polars.String or not seconds.null_count():
        return seconds
    return polars.select(polars.coalesce(seconds, _iso_seconds(text)))[seconds.name]


def _iso_seconds(text: polars.Series) -> polars.Series:
    """Seconds of ISO 8601 dates and times; those without a zone are UTC."""
    parts = polars.col("").struct
    clock = _sum_of(parts, _SECONDS)
    ahead = _sum_of(parts, _SECONDS_AHEAD) * polars.when(parts.field("sign") == "-").then(-1).otherwise(1)
    days = parts.field("date").str.to_date("%Y-%m-%d", strict=False).cast(polars.Int64)
    found = text.str.extract_groups(_ISO).alias("").to_frame()
    return found.select((days * 86_400 + clock - ahead).alias("seconds"))["seconds"]


def _sum_of(parts: Any, factors: Mapping[str, int]) -> polars.Expr:
    return polars.sum_horizontal(
        parts.field(name).cast(polars.Int64).fill_null(0) * factor for name, factor in factors.items()
    )


class BadRows:
    """Counts rows, and those left out by reason, with the first examples of each."""

    def __init__(self) -> None:
        self.rows = 0
        self._counts = dict.fromkeys(_ROW_RULES, 0)
        self._examples: dict[str, list[str]] = {reason: [] for reason in _ROW_RULES}

    def add(self, batch: polars.DataFrame, checked: polars.DataFrame) -> None:
        """Counts the rows of a batch; `checked` is what `check_rows` makes of it."""
        self.rows += len(batch)
        reasons = checked["reason"]
        if reasons.null_count() == len(reasons):
            return
        for reason, count in reasons.drop_nulls().value_counts().iter_rows():
            self._counts[reason] += count
            examples = self._examples[reason]
            first = batch.filter(reasons.eq_missing(reason)).head(EXAMPLES - len(examples))
            examples += [_row_text(row) for row in first.iter_rows(named=True)]

    def findings(self) -> list[Finding]:
        """What was left out, in the order of the rules."""
        found = ((reason, count) for reason, count in self._counts.items() if count)
        return [Finding(reason, _ROW_RULES[reason], count, 0, tuple(self._examples[reason])) for reason, count in found]


def _row_text(row: Mapping[str, Any]) -> str:
    cells = [f"{name} {shorten(row[name])}" for name in (*IDS, *OPTIONAL) if row.get(name) is not None]
    return f"row {row[ROW]}: {', '.join(cells)}" if cells else f"row {row[ROW]}"


def shorten(value: object) -> str:
    """A value as a message shows it: text in quotes, and only the start of what is long."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
