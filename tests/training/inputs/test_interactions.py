import csv
import gzip
import importlib.util
import json
import math
import os
from collections import defaultdict
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.command import main
from training.errors import InteractionsError, SettingsError
from training.inputs.catalog import Catalog, Item, read_catalog
from training.inputs.interactions import Interactions, read_interactions
from training.inputs.log_rows import LEAST_WEIGHT, MOST_WEIGHT

LOOSE = {"min_user": 1, "min_item": 1}


def written(folder: Path, text: str | bytes, name: str = "log.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def as_dict(found: Interactions) -> dict[tuple[str, str], tuple[float, int | None]]:
    matrix = found.matrix
    assert matrix.dtype == np.float32
    assert matrix.shape == (len(found.users), len(found.items))
    assert list(found.users) == sorted(found.users)
    assert list(found.items) == sorted(found.items)
    entries = {}
    for row, user in enumerate(found.users):
        places = range(matrix.indptr[row], matrix.indptr[row + 1])
        columns = [matrix.indices[place] for place in places]
        assert columns == sorted(set(columns))
        for place, column in zip(places, columns, strict=True):
            time = None if found.timestamps is None else int(found.timestamps[place])
            entries[user, found.items[column]] = (float(matrix.data[place]), time)
    return entries


def left_out(found: Interactions) -> dict[str, int]:
    assert found.report.rows == found.report.kept_rows + sum(finding.rows for finding in found.report.findings)
    return {finding.reason: finding.rows for finding in found.report.findings}


def test_reads_pairs_and_keeps_ids_as_text(tmp_path):
    found = read_interactions(written(tmp_path, 'user_id,note,item_id\n01,x,7\n1,"a, ""b""\nc",07\n1,,7\n'), **LOOSE)
    assert as_dict(found) == {("01", "7"): (1, None), ("1", "07"): (1, None), ("1", "7"): (1, None)}
    assert found.timestamps is None
    assert not found.report.findings


def test_merges_repeated_pairs(tmp_path):
    text = "user_id,item_id,weight,timestamp\nu,i,2,100\nu,i,0.5,300\nu,i,1,200\n"
    assert as_dict(read_interactions(written(tmp_path, text), **LOOSE)) == {("u", "i"): (3.5, 300)}
    counted = read_interactions(written(tmp_path, "user_id,item_id\nu,i\nu,i\n"), **LOOSE)
    assert as_dict(counted) == {("u", "i"): (2, None)}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1500000000", 1500000000),
        ("1500000000.9", 1500000000),
        ("1500000000123", 1500000000),
        ("-1", -1),
        ("0", 0),
        (" 1.5e9 ", 1500000000),
        ("1970-01-02", 86400),
        ("2017-07-14", 1499990400),
        ("2017-07-14T02:40", 1500000000),
        ("2017-07-14 02:40:00", 1500000000),
        ("2017-07-14T02:40:00.999Z", 1500000000),
        ("2017-07-14T04:40:00+02:00", 1500000000),
        ("2017-07-13T23:10:00-0330", 1500000000),
        ("1969-12-31T23:59:59", -1),
    ],
)
def test_reads_timestamps(tmp_path, text, seconds):
    found = read_interactions(written(tmp_path, f"user_id,item_id,timestamp\nu,i,{text}\n"), **LOOSE)
    assert as_dict(found) == {("u", "i"): (1, seconds)}


@pytest.mark.parametrize(
    "kind", [polars.Datetime("ms"), polars.Datetime("us"), polars.Datetime("ns"), polars.Datetime("us", "Asia/Tokyo")]
)
def test_reads_datetimes_of_parquet(tmp_path, kind):
    moments = [datetime(2017, 7, 14, 2, 40, 0, 999_000, timezone.utc), datetime(1969, 12, 31, 23, 59, 59, 500_000)]
    frame = polars.DataFrame({"user_id": [1, 2], "item_id": ["a", "a"]}).with_columns(
        timestamp=polars.Series([1_500_000_000_999_000, -500_000]).cast(polars.Datetime("us")).cast(kind)
        if kind.time_zone is None
        else polars.Series([moments[0], moments[1].replace(tzinfo=timezone.utc)], dtype=kind)
    )
    frame.write_parquet(tmp_path / "log.parquet")
    found = read_interactions(tmp_path / "log.parquet", **LOOSE)
    assert as_dict(found) == {("1", "a"): (1, 1500000000), ("2", "a"): (1, -1)}


BAD = {
    "no_user": [(None, "i", 1, 5), (" ", "i", 1, 5)],
    "no_item": [("u", None, 1, 5), ("u", "", 1, 5)],
    "control_character": [("u", "a\nb", 1, 5), ("\x07", "a", 1, 5)],
    "bad_weight": [("u", "i", weight, 5) for weight in (None, math.nan, -1.0, math.inf, -math.inf, 0.0, 1e10)],
    "bad_timestamp": [("u", "i", 1, time) for time in (None, math.nan, math.inf, 1e15)],
    "unknown_item": [("u", "x", 1, 5)],
}
GOOD = [("u", "i", 1.0, 5), ("v", "i", 1.0, 6)]


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "log.parquet", "log.jsonl", "log.jsonl.gz"])
@pytest.mark.parametrize("reason", BAD)
def test_counts_and_shows_bad_rows(tmp_path, name, reason):
    rows = [GOOD[0], *BAD[reason], GOOD[1]]
    catalog = Catalog((Item(2, "i", "I", (), {}), Item(3, "j", "J", (), {})), ())
    found = read_interactions(write_log(tmp_path / name, rows), catalog=catalog, **LOOSE)
    assert as_dict(found) == {("u", "i"): (1, 5), ("v", "i"): (1, 6)}
    assert left_out(found) == {reason: len(BAD[reason])}
    (finding,) = found.report.findings
    assert len(finding.examples) == min(3, len(BAD[reason]))
    assert finding.examples[0].startswith("row 2")
    assert finding.rule in str(found.report)
    assert json.loads(json.dumps(found.report.as_dict()))["findings"][0]["reason"] == reason


@pytest.mark.parametrize("weight", ["NaN", "inf", "-3", "x", "1,5", "", "1e-10"])
def test_weights_as_text(tmp_path, weight):
    text = f'user_id,item_id,weight\nu,i,1\nu,i,"{weight}"\n'
    found = read_interactions(written(tmp_path, text), **LOOSE)
    assert left_out(found) == {"bad_weight": 1}
    assert repr(weight) in found.report.findings[0].examples[0] or not weight


@pytest.mark.parametrize(
    "time", ["yesterday", "2017-13-01", "2017-02-30", "2017-07-14T25:00", "14.07.2017", "", "nan", "2017-07-14T"]
)
def test_timestamps_as_text(tmp_path, time):
    found = read_interactions(written(tmp_path, f"user_id,item_id,timestamp\nu,i,1\nu,i,{time}\n"), **LOOSE)
    assert left_out(found) == {"bad_timestamp": 1}


def test_json_lines_that_are_no_objects(tmp_path):
    lines = [
        '\ufeff{"user_id": 1.0, "item_id": "01"}', "", "[1]", "null", "{", '{"user_id": "u"},{"user_id": "v"}',
        '{"user_id": [1], "item_id": "i"}', '{"user_id": 1, "item_id": 1, "z": NaN, "y": 1e400}',
    ]  # fmt: skip
    found = read_interactions(written(tmp_path, "\r\n".join(lines), "log.ndjson"), **LOOSE)
    assert as_dict(found) == {("1", "01"): (1, None), ("1", "1"): (1, None)}
    assert left_out(found) == {"not_an_object": 4, "no_user": 1}
    assert found.report.findings[0].examples[0] == "row 3"
    assert found.report.rows == 7


def test_a_user_with_a_million_rows_is_reported_and_thinned(tmp_path):
    items = np.arange(1_000_000) % 2000
    frame = polars.DataFrame({"user_id": "bot", "item_id": items, "timestamp": np.arange(1_000_000)})
    people = polars.DataFrame({"user_id": ["a", "a"], "item_id": [7, 1999], "timestamp": [1, 2]})
    polars.concat([frame, people]).write_parquet(tmp_path / "log.parquet")
    found = read_interactions(tmp_path / "log.parquet", max_user=10, **LOOSE)
    (finding,) = found.report.findings
    assert (finding.reason, finding.rows, finding.ids) == ("crowded_user", 1_000_000 - 10 * 500, 1)
    assert finding.examples == ("'bot' with 1,000,000 rows, 10 of 2,000 items kept",)
    kept = [item for user, item in as_dict(found) if user == "bot"]
    assert kept == [str(item) for item in range(1990, 2000)]  # of equal weight, the latest
    assert ("a", "7") in as_dict(found)


def test_the_heaviest_items_of_a_crowded_user_stay(tmp_path):
    text = "user_id,item_id,weight\nu,a,1\nu,b,3\nu,c,1\nu,d,2\n"
    found = read_interactions(written(tmp_path, text), max_user=3, **LOOSE)
    assert [item for _, item in as_dict(found)] == ["a", "b", "d"]


def test_drops_short_users_and_rare_items_until_none_falls_short(tmp_path):
    # e is rare; without it u4 is short; without u4 d is rare; u1, u2 and a, b, c hold each other up.
    pairs = "u1 a,u1 b,u1 c,u2 a,u2 b,u2 c,u4 a,u4 d,u4 e,u1 d"
    text = "user_id,item_id\n" + pairs.replace(" ", ",").replace("u", "\nu").replace(",\n", "\n").strip() + "\n"
    found = read_interactions(written(tmp_path, text), min_user=3, min_item=2)
    assert set(as_dict(found)) == {(user, item) for user in ("u1", "u2") for item in "abc"}
    assert left_out(found) == {"short_user": 2, "rare_item": 2}
    assert {finding.reason: (finding.ids, finding.examples) for finding in found.report.findings} == {
        "short_user": (1, ("'u4'",)),
        "rare_item": (2, ("'d'", "'e'")),
    }


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("", "log.csv", "is empty"),
        (gzip.compress(b""), "log.csv.gz", "empty"),
        ("", "log.jsonl", "is empty"),
        ("user_id,item_id\n", "log.csv", "has no rows"),
        ("user_id,item_id\nu,i\n", "log.csv", "nothing is left of 1 rows"),
        ("user_id,item_id\n,i\n", "log.csv", "user_id is empty"),
        ("user,item_id\nu,i\n", "log.csv", "no column 'user_id'; its columns are user, item_id"),
        ("user_id,item\nu,i\n", "log.csv", "no column 'item_id'"),
        ("user_id,item_id,user_id\nu,i,v\n", "log.csv", "'user_id' stands twice"),
        ('{"user": 1, "item_id": 2}\n', "log.jsonl", "no column 'user_id'"),
        ("u,i\n", "log.txt", "none of the known endings"),
        ("user_id,item_id\nu,i\nu,i,j\n", "log.csv", "line 3: has 3 cells for 2 columns"),
        ("user_id,item_id,note\nu,i,n\nu,i,j,n\n", "log.csv", "line 3: has 4 cells for 3 columns"),
        ('user_id,item_id\nu,i\nu,"i\n', "log.csv", "line 3: is not CSV"),
        ("user_id,item_id\nu,i\nu,\xe9\n".encode("latin-1"), "log.csv", "line 3: byte 0xe9 is not UTF-8"),
        ('{"user_id": "\xe9"}\n'.encode("latin-1"), "log.jsonl", "line 1: byte 0xe9 is not UTF-8"),
        ("user_id,item_id\nu,i\n", "log.parquet", "is not Parquet"),
        ("user_id,item_id\nu,i\n", "log.csv.gz", "nothing is left"),
        (gzip.compress(b"user_id,item_id\n" + b"u,i\n" * 9999)[:-20], "log.csv.gz", "give the path of a whole file"),
    ],
)
def test_unusable_files_are_one_clear_error(tmp_path, text, name, message):
    with pytest.raises(InteractionsError) as error:
        read_interactions(written(tmp_path, text, name))
    assert message in str(error.value)
    assert str(tmp_path / name) in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_files_and_folders_are_errors(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for name in ("none.csv", "none.parquet", "none.jsonl", "folder.csv"):
        with pytest.raises(InteractionsError, match="cannot be read"):
            read_interactions(tmp_path / name)


@pytest.mark.parametrize(
    ("column", "values"),
    [("user_id", [1.0]), ("item_id", [[1]]), ("item_id", [b"i"]), ("weight", [True]), ("timestamp", [True])],
)
def test_columns_of_wrong_types_are_errors(tmp_path, column, values):
    polars.DataFrame({"user_id": ["u"], "item_id": ["i"], column: values}).write_parquet(tmp_path / "log.parquet")
    with pytest.raises(InteractionsError, match=f"column '{column}' holds"):
        read_interactions(tmp_path / "log.parquet")


@pytest.mark.parametrize("bounds", [{"min_user": 0}, {"min_item": 0}, {"max_user": 4}])
def test_bounds_out_of_range_are_errors(tmp_path, bounds):
    with pytest.raises(SettingsError, match="min_user"):
        read_interactions(written(tmp_path, "user_id,item_id\nu,i\n"), **bounds)


def write_log(path: Path, rows: list[tuple]) -> Path:
    names = ("user_id", "item_id", "weight", "timestamp")
    if path.suffix == ".parquet":
        kinds = (polars.String, polars.String, polars.Float64, polars.Float64)
        polars.DataFrame(rows, dict(zip(names, kinds, strict=True)), orient="row").write_parquet(path)
        return path
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8", newline="") as stream:
        if ".csv" in path.name:
            csv.writer(stream).writerows([names, *rows])
        else:
            stream.writelines(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)
    return path


def expected(rows: list[tuple], min_user: int, min_item: int) -> dict[tuple[str, str], tuple[float, int]]:
    """The rules once more, with dicts and sets."""
    weights, times = defaultdict(list), defaultdict(list)
    for user, item, weight, time in rows:
        good = weight is not None and LEAST_WEIGHT <= weight <= MOST_WEIGHT and time is not None and abs(time) < 1e14
        if user and user.strip() and item and item.strip() and good:
            weights[user.strip(), item.strip()].append(weight)
            times[user.strip(), item.strip()].append(math.floor(time / 1000 if abs(time) >= 1e11 else time))
    pairs = set(weights)
    while True:
        users, items = defaultdict(int), defaultdict(int)
        for user, item in pairs:
            users[user] += 1
            items[item] += 1
        left = {(user, item) for user, item in pairs if users[user] >= min_user and items[item] >= min_item}
        if left == pairs:
            return {pair: (float(np.float32(math.fsum(weights[pair]))), max(times[pair])) for pair in pairs}
        pairs = left


ids = st.sampled_from(["a", "b", "c", "01", "1", "é", "𝒳", 'q"u', "x,y", " a ", "", None])
weights = st.sampled_from([0.25, 1.0, 2.5, 1e6, 0.0, -1.0, None, math.nan, math.inf])
some_times = st.sampled_from([0, 5, -7, 1_500_000_000, 1_500_000_000_999, 10**16, None])
rows_of_a_log = st.lists(st.tuples(ids, ids, weights, some_times), max_size=60)


@given(rows_of_a_log, st.integers(1, 3), st.integers(1, 3), st.randoms(use_true_random=False))
def test_is_what_dicts_say_in_any_format_and_order(tmp_path_factory, rows, min_user, min_item, random):
    folder = tmp_path_factory.mktemp("logs")
    wanted = expected(rows, min_user, min_item)
    reports = []
    for name in ("log.csv", "log.csv.gz", "log.parquet", "log.jsonl"):
        random.shuffle(rows)
        path = write_log(folder / name, rows)
        if not wanted:
            with pytest.raises(InteractionsError):
                read_interactions(path, min_user=min_user, min_item=min_item)
            continue
        found = read_interactions(path, min_user=min_user, min_item=min_item)
        assert as_dict(found) == wanted
        reports.append((found.report.rows, found.report.pairs, left_out(found)))
    assert all(report == reports[0] for report in reports)


def test_sums_do_not_hang_on_the_order_of_rows(tmp_path):
    rng = np.random.default_rng(0)
    rows = [("u", "i", float(weight), 0) for weight in 10 ** rng.uniform(-9, 9, 3000)]
    sums = set()
    for _ in range(5):
        rng.shuffle(rows)
        found = read_interactions(
            write_log(tmp_path / "log.parquet", [(*r[:2], float(r[2]), 0) for r in rows]), **LOOSE
        )
        sums.add(found.matrix.data.tobytes())
    assert len(sums) == 1


def test_batches_and_merges_in_between_change_nothing(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    rows = [(f"u{u}", f"i{i}", 1.0, int(t)) for u, i, t in rng.integers(0, 30, (3000, 3))]
    path = write_log(tmp_path / "log.csv", rows)
    whole = read_interactions(path)
    monkeypatch.setattr("training.inputs.log_files.BATCH_ROWS", 17)
    monkeypatch.setattr("training.inputs.interactions._MERGED_FROM", 40)
    pieces = read_interactions(path)
    assert as_dict(pieces) == as_dict(whole) == expected(rows, 5, 5)
    assert pieces.report == whole.report


NHANES = Path(os.environ.get("MIGNON_NHANES", "nowhere"))
needs_nhanes = pytest.mark.skipif(not (NHANES / "protocol.py").is_file(), reason="MIGNON_NHANES names no folder of it")


def converted_nhanes(folder: Path, *options: str) -> Interactions:
    assert main(["convert", "nhanes", str(NHANES), "--out", str(folder), *options]) == 0
    return read_interactions(folder / "interactions.csv", catalog=read_catalog(folder / "catalog.csv"))


@needs_nhanes
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the protocol leaves files open
def test_is_what_the_nhanes_protocol_loads(tmp_path):
    spec = importlib.util.spec_from_file_location("protocol", NHANES / "protocol.py")
    protocol = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(protocol)
    matrix, persons, foods = protocol.load("all")
    found = converted_nhanes(tmp_path)
    assert (list(found.users), list(found.items)) == (persons, foods)
    assert ((found.matrix > 0) != (matrix > 0)).nnz == 0


@needs_nhanes
def test_has_as_many_eaters_of_dishes_as_the_protocol_says(tmp_path):
    assert converted_nhanes(tmp_path, "--dishes").matrix.shape == (9_777, 1_384)
