import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_runtime import (
    DamagedOverlayError,
    InvalidArgumentError,
    ItemExistsError,
    MignonError,
    OverlayError,
    OverlayLockedError,
    ReadOnlyError,
    Recommender,
    UnknownAttributeError,
    UnknownItemError,
)
from device_runtime.changes.device_changes import place_added
from device_runtime.changes.kinds import Added, Liked, Removed, Renamed
from device_runtime.changes.overlay import Overlay, overlay_path
from device_runtime.items.items import Items
from device_runtime.ranking.placement import place
from device_runtime.scoring.objectives import objective_of
from tests.device_runtime.format.test_model_file import repacked
from tests.device_runtime.plain import Plain, same

SOUP = {"form": "creamy soup", "course": "soup", "ingredients": ["tomato", "basil"]}
WELL_KNOWN = ["borscht", "pancakes", "baklava", "tiramisu", "hummus"]


@pytest.fixture(params=["numpy", "tflite"])
def meals(request, model_copy):
    with Recommender.open(model_copy, engine=request.param, writable=True) as opened:
        yield opened


@pytest.fixture
def plain(model):
    return Plain(model)


def added_row(meals):
    """The integers of what was added last, as the overlay has them."""
    return next(change.vector for change in reversed(meals.changes) if isinstance(change, Added))


# Adding


def test_an_item_placed_by_its_attributes_is_one_like_any_other(meals, plain):
    assert meals.add("Grandma's soup", SOUP) == "grandmas-soup"
    plain.add("grandmas-soup", "Grandma's soup", added_row(meals), {"course": ["soup"]})
    assert len(meals) == 301
    assert meals.row("Grandma's soup") == meals.row("GRANDMA’S SOUP") == 300
    assert meals.find("grandma soup", 1)[0].id == "grandmas-soup"
    assert meals.search(meals.place(SOUP), 1)[0].id == "grandmas-soup"
    assert same(meals.similar("Grandma's soup", 30), plain.recommend({"grandmas-soup": 1}, 30))
    weights = {"grandmas-soup": 2, "borscht": 1, "baklava": -1}
    assert same(meals.recommend(weights, 300), plain.recommend(weights, 300))
    assert same(meals.recommend(["borscht"], 300), plain.recommend({"borscht": 1}, 300))
    soups = meals.recommend(["borscht"], 300, where={"course": "soup"}, exclude=["baklava"])
    assert same(soups, plain.recommend({"borscht": 1}, 300, ["baklava"], {"course": "soup"}))
    assert "grandmas-soup" in [neighbor.id for neighbor in soups]
    assert "grandmas-soup" not in [n.id for n in meals.similar("borscht", 300, exclude=["Grandma's soup"])]
    assert meals.score("borscht", "grandmas-soup") == pytest.approx(meals.score("grandmas-soup", "borscht"), abs=0.02)
    why = meals.explain(["grandmas-soup"], "borscht")
    assert ("course", "soup") in [(shared.attribute, shared.value) for shared in why.shared]


def test_its_row_points_where_it_was_placed_and_is_no_longer_than_others(meals, model):
    meals.add("Grandma's soup", SOUP)
    row, target = np.array(added_row(meals), float), meals.place(SOUP)
    assert row @ target / np.linalg.norm(row) > 0.9995
    norms = np.linalg.norm(model.table.astype(float), axis=1)
    assert norms.min() * 0.98 < np.linalg.norm(row) <= norms.max()
    assert meals.vector("grandmas-soup") == pytest.approx(row * model.manifest.scale, abs=1e-6)


def test_an_item_can_be_placed_by_neighbors(meals, model):
    meals.add("Between", {"owner": "grandma"}, neighbors=["Borscht", "Baklava"])
    total = model.table[meals.row("borscht")].astype(float) + model.table[meals.row("baklava")]
    row = np.array(added_row(meals), float)
    assert row @ total / np.linalg.norm(row) / np.linalg.norm(total) > 0.9995
    assert [n.id for n in meals.similar("borscht", 5, where={"owner": "grandma"})] == ["between"]
    assert meals.add("Between again", neighbors=["between"]) == "between-again"
    assert meals.similar("between again", 1)[0].id == "between"


def test_ids_are_made_from_names_and_are_not_taken(meals):
    assert meals.add("Plötzliche  Brühe", neighbors=["borscht"]) == "plotzliche-bruhe"
    meals.remove("plotzliche-bruhe")
    meals.remove("baklava")
    assert meals.add("Plötzliche Brühe", neighbors=["borscht"]) == "plotzliche-bruhe"
    assert meals.add("Plotzliche Bruhe", neighbors=["borscht"]) == "plotzliche-bruhe-2"
    assert meals.add("Baklava", neighbors=["borscht"]) == "baklava-2"  # the model has the first, though it is removed
    assert meals.add("Борщ", neighbors=["borscht"]) == "борщ"
    assert meals.add("★", neighbors=["borscht"]) == "item"
    assert meals.add("Another", id="baklava", neighbors=["borscht"]) == "baklava"
    assert meals.row("baklava") == meals.row("Another") == 305


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (["Borscht", SOUP], {}, ItemExistsError, r"'Borscht' is the id or name of Borscht \(borscht\)"),
        (["borscht", SOUP], {}, ItemExistsError, "'borscht' is the id or name"),
        (["New", SOUP], {"id": "borscht"}, ItemExistsError, "'borscht' is the id or name"),
        (["New", {"planet": "Mars"}], {}, UnknownAttributeError, "no item has an attribute 'planet'; give neighbors"),
        (["New", {"form": "brunch"}], {}, UnknownAttributeError, "no 'brunch' as form"),
        (
            ["New"],
            {},
            InvalidArgumentError,
            "where 'New' belongs; give neighbors, or attributes of course, ",
        ),
        (["New"], {"neighbors": ["nothing of the kind"]}, UnknownItemError, "nothing of the kind"),
        (["", SOUP], {}, InvalidArgumentError, "the name is empty"),
        (["a\nb", SOUP], {}, InvalidArgumentError, "control character"),
        ([3, SOUP], {}, InvalidArgumentError, "is 3; give a text"),
        (["New", {"form": 3}], {}, InvalidArgumentError, "neither a text nor a list"),
        (["New", SOUP], {"id": ""}, InvalidArgumentError, "the id is empty"),
    ],
)
def test_what_cannot_be_added_changes_nothing(meals, arguments, options, error, message):
    with pytest.raises(error, match=message):
        meals.add(*arguments, **options)
    assert meals.changes == []
    assert len(meals) == 300


# Removing and renaming


def test_a_removed_item_never_comes_back_and_is_unknown(meals, plain):
    first = meals.similar("pancakes", 1)[0]
    meals.remove(first.name)
    plain.remove(first.id)
    assert len(meals) == 299
    assert same(meals.similar("pancakes", 300), plain.recommend({"pancakes": 1}, 300))
    vector = meals.vector("pancakes")
    assert first.id not in [n.id for n in meals.search(vector, 300)]
    assert first.id not in [n.id for n in meals.recommend(["pancakes"], 300, where={"course": {"not": []}})]
    assert first.id not in [match.id for match in meals.find(first.name, 50)]
    for ask in (meals.row, meals.vector, meals.similar, meals.remove, lambda item: meals.rename(item, "New")):
        for name in (first.id, first.name):
            with pytest.raises(UnknownItemError):
                ask(name)


def test_a_renamed_item_is_found_by_its_new_name_id_and_aliases_alone(meals, model):
    row, alias = next((row, alias) for row, (alias,) in model.records("aliases.tsv", 1) if row > 20)
    id_, old = model.lines("ids.txt")[row], model.lines("names.txt")[row]
    before = meals.similar("pancakes", 300)
    meals.rename(id_, "Zwölf Zebras")
    assert meals.row("Zwölf Zebras") == meals.row("zwolf zebras") == meals.row(id_) == meals.row(alias) == row
    assert meals.find("zebras", 1)[0][:2] == (id_, "Zwölf Zebras")
    assert meals.find(alias, 1)[0][:2] == (id_, "Zwölf Zebras")
    assert old not in [match.name for match in meals.find(old, 50)]
    after = meals.similar("pancakes", 300)
    assert [n.id for n in after] == [n.id for n in before]
    assert {n.name for n in after} - {n.name for n in before} == {"Zwölf Zebras"}
    with pytest.raises(ItemExistsError, match="is the id or name of Pancakes"):
        meals.rename(id_, "Pancakes")
    meals.rename(id_, "Zwölf Zebras")
    meals.rename(id_, old)
    assert meals.row(old) == row


def test_an_added_item_can_be_renamed_and_removed(meals):
    meals.add("Grandma's soup", SOUP)
    meals.rename("Grandma's soup", "Grandpa's soup")
    assert meals.find("grandpas soup", 1)[0][:2] == ("grandmas-soup", "Grandpa's soup")
    with pytest.raises(UnknownItemError):
        meals.row("Grandma's soup")
    meals.remove("Grandpa's soup")
    assert len(meals) == 300
    with pytest.raises(UnknownItemError):
        meals.row("grandmas-soup")


def test_everything_may_be_removed(model_copy):
    with Overlay.open(overlay_path(model_copy)) as overlay:
        for id_ in Recommender.open(model_copy)._items.ids[1:]:
            overlay.append(Removed(id_))
    meals = Recommender.open(model_copy)
    (left,) = meals.find(meals._items.names[0], 1)
    assert len(meals) == 1
    assert meals.similar(left.id) == []
    assert meals.recommend_many([[left.id]]) == [[]]
    assert [n.id for n in meals.search(meals.vector(left.id))] == [left.id]


# Opening


def test_an_overlay_beside_the_model_is_applied_unless_it_is_to_be_ignored(model_copy, tmp_path):
    with Recommender.open(model_copy, writable=True) as meals:
        meals.add("Grandma's soup", SOUP)
        kept = meals.similar("grandmas-soup")
        assert Recommender.open(model_copy).similar("grandmas-soup") == kept  # reading takes no lock
    assert Recommender.open(model_copy).similar("Grandma's soup") == kept
    assert len(Recommender.open(model_copy, changes=False)) == 300
    elsewhere = shutil.move(overlay_path(model_copy), tmp_path / "elsewhere")
    assert len(Recommender.open(model_copy)) == 300
    assert len(Recommender.open(model_copy, changes=elsewhere)) == 301
    with pytest.raises(OverlayError, match="cannot be opened"):
        Recommender.open(model_copy, changes=tmp_path / "missing")
    with pytest.raises(InvalidArgumentError, match="writable=True needs a place for changes"):
        Recommender.open(model_copy, changes=False, writable=True)


def test_reading_leaves_no_trace(model_copy):
    Recommender.open(model_copy).similar("pancakes")
    assert list(model_copy.parent.iterdir()) == [model_copy]


def test_one_writer_at_a_time(model_copy):
    with Recommender.open(model_copy, writable=True) as meals:
        with pytest.raises(OverlayLockedError):
            Recommender.open(model_copy, writable=True)
        meals.close()
        with pytest.raises(OverlayError, match="is closed"):
            meals.remove("borscht")
        assert meals.similar("borscht")
    with Recommender.open(model_copy, writable=True) as meals:
        meals.remove("borscht")


def test_what_is_read_only_takes_no_changes(model_copy):
    with Recommender.open(model_copy, writable=True) as meals:
        meals.profile("anna").like("borscht")
    for changes in (True, False):
        meals = Recommender.open(model_copy, changes=changes)
        for change in (
            lambda meals=meals: meals.add("New", SOUP),
            lambda meals=meals: meals.remove("borscht"),
            lambda meals=meals: meals.rename("borscht", "New"),
            lambda meals=meals: meals.profile("anna").like("borscht"),
            lambda meals=meals: meals.profile("anna").forget(),
            lambda meals=meals: meals.compact(),
        ):
            with pytest.raises(ReadOnlyError, match="writable=True"):
                change()
        meals.close()


def test_a_damaged_overlay_is_refused(model_copy):
    with Recommender.open(model_copy, writable=True) as meals:
        meals.remove("borscht")
        meals.remove("baklava")
    path = overlay_path(model_copy)
    path.write_bytes(path.read_bytes().replace(b"borscht", b"hot-dog"))
    for writable in (False, True):
        with pytest.raises(DamagedOverlayError, match="line 2"):
            Recommender.open(model_copy, writable=writable)
    assert len(Recommender.open(model_copy, changes=False)) == 300


def test_compaction_changes_no_answer(model_copy):
    with Recommender.open(model_copy, writable=True) as meals:
        for weight in (1, 2, 3):
            meals.profile("anna").like("borscht", weight)
        meals.add("Grandma's soup", SOUP)
        meals.rename("pancakes", "Flapjacks")
        meals.remove("grandmas-soup")
        before = meals.profile("anna").recommend(300)
        meals.compact()
        assert len(meals.changes) == 2
        assert meals.profile("anna").recommend(300) == before
        meals.add("Grandma's soup", SOUP)
        meals.remove("Flapjacks")
    meals = Recommender.open(model_copy)
    assert len(meals) == 300
    assert meals.row("Grandma's soup") == 300


# Another model


def test_a_row_is_kept_in_its_model_and_placed_anew_in_another(model):
    kept = tuple(range(16))
    here = Added("a", "A", {"form": ["creamy soup", "lost"], "lost": ["x"]}, kept, model=model.digest)
    assert place_added(Items(model), here, {}.get).tolist() == list(kept)
    elsewhere = Added("a", "A", here.attributes, kept, model="other")
    expected = objective_of(model).row_towards(place(model, {"form": "creamy soup"}))
    assert place_added(Items(model), elsewhere, {}.get).tolist() == expected.tolist()
    by_neighbors = Added("a", "A", here.attributes, kept, ("b", "c", "lost"), "other")
    rows = {"b": model.table[3], "c": model.table[4]}
    expected = objective_of(model).row_towards(model.table[3].astype(int) + model.table[4])
    assert place_added(Items(model), by_neighbors, rows.get).tolist() == expected.tolist()
    for lost, reason in (
        (Added("a", "A", {"lost": ["x"]}), "none of the attributes"),
        (by_neighbors, "none of the items"),
    ):
        with pytest.raises(MignonError, match=reason):
            place_added(Items(model), lost, {}.get)


@pytest.fixture
def update(model_copy):
    """Makes another model of `model_copy`, whose item `borscht` has another id and which knows no `creamy soup`."""

    def renamed(entries):
        replaced = dict(entries)
        for name, old, new in [
            ("ids.txt", b"\nborscht\n", b"\nborsch\n"),
            ("vocabulary.tsv", b"creamy soup", b"a mash"),
        ]:
            assert replaced[name].count(old) == 1
            replaced[name] = replaced[name].replace(old, new)
        return replaced.items()

    return lambda: repacked(model_copy, renamed)


def test_changes_survive_a_model_update_or_are_dropped_with_a_reason(model_copy, update):
    with Recommender.open(model_copy, writable=True) as meals:
        meals.add("By attributes", SOUP)
        meals.add("By one", {"form": "creamy soup"})
        meals.add("By neighbors", neighbors=["borscht", "baklava"])
        meals.add("By a lost one", neighbors=["borscht"])
        meals.rename("borscht", "Red soup")
        meals.rename("baklava", "Sweet")
        meals.remove("hummus")
        for item in ("borscht", "baklava", "By one", "By attributes"):
            meals.profile("anna").like(item)
        meals.profile("anna").dislike("By a lost one")
        assert meals.dropped == []
    update()
    with Recommender.open(model_copy, writable=True) as meals:
        assert meals.dropped == [
            "By one (by-one) cannot be added: the model knows none of the attributes it was placed by",
            "By a lost one (by-a-lost-one) cannot be added: the model has none of the items it was placed by, borscht",
            "borscht cannot be renamed to Red soup: the model has no item 'borscht'",
            "anna cannot like borscht: the model has no item 'borscht'",
            "anna cannot like by-one: the model has no item 'by-one'",
            "anna cannot dislike by-a-lost-one: the model has no item 'by-a-lost-one'",
        ]
        assert len(meals) == 301
        assert meals.profile("anna").likes == {"baklava": 1, "by-attributes": 1}
        assert meals.row("Sweet") == meals.row("baklava")
        assert meals.search(meals.place({"ingredients": ["tomato", "basil"], "course": "soup"}), 1)[0].id == (
            "by-attributes"
        )
        assert meals.similar("baklava", 1)[0].id == "by-neighbors"
        for item in ("hummus", "by-one", "Red soup"):
            with pytest.raises(UnknownItemError):
                meals.row(item)
        assert meals.add("By one", neighbors=["baklava"]) == "by-one"
        assert not [message for message in meals.dropped if "by-one" in message]
        meals.compact()
        assert len(meals) == 302


def test_an_item_that_the_model_has_by_now_is_the_models(model_copy):
    with Overlay.open(overlay_path(model_copy)) as overlay:
        overlay.append(Added("borscht", "My borscht", {"course": ["soup"]}))
        overlay.append(Liked("anna", "borscht"))
        overlay.append(Renamed("nothing", "Something"))
    meals = Recommender.open(model_copy)
    assert meals.dropped == [
        "My borscht (borscht) cannot be added: the model now has an item 'borscht' of its own",
        "nothing cannot be renamed to Something: the model has no item 'nothing'",
    ]
    assert meals.profile("anna").recommend(5) == meals.recommend(["borscht"], 5)


# Any changes at all

NEW = {"Alpha": "x1", "Beta": "x2", "Gamma": "x3"}
names = st.sampled_from(list(NEW))
items = st.sampled_from([*WELL_KNOWN, *NEW.values()])
step = st.one_of(
    st.tuples(st.just("add"), names, st.lists(st.sampled_from(WELL_KNOWN), min_size=1, max_size=2, unique=True)),
    st.tuples(st.just("remove"), items),
    st.tuples(st.just("rename"), items, names),
    st.tuples(st.just("like"), st.sampled_from(["anna", "bob"]), items, st.integers(-2, 3)),
    st.tuples(st.just("forget"), st.sampled_from(["anna", "bob"])),
    st.tuples(st.just("compact")),
    st.tuples(st.just("reopen")),
)


def make(meals, plain, kind, *rest):
    """Makes one change to both, if it is possible in `plain`; if it is not, an error has to say so."""
    known = {item["id"] for item in plain.items}
    taken = known | {item["name"] for item in plain.items}
    if kind == "add":
        name, neighbors = rest
        possible = not {name, NEW[name]} & taken and known.issuperset(neighbors)
        if possible:
            meals.add(name, {"letter": name}, id=NEW[name], neighbors=neighbors)
            plain.add(NEW[name], name, added_row(meals), {"letter": [name]})
        else:
            with pytest.raises((ItemExistsError, UnknownItemError)):
                meals.add(name, {"letter": name}, id=NEW[name], neighbors=neighbors)
    elif kind == "forget":
        meals.profile(rest[0]).forget()
        plain.profiles.pop(rest[0], None)
    elif (rest[1] if kind == "like" else rest[0]) not in known:
        with pytest.raises(UnknownItemError):
            change(meals, kind, *rest)
    elif kind == "rename" and rest[1] in taken - {plain.item(rest[0])["name"]}:
        with pytest.raises(ItemExistsError):
            change(meals, kind, *rest)
    else:
        change(meals, kind, *rest)
        getattr(plain, kind)(*rest)


def change(meals, kind, *rest):
    if kind == "like":
        profile, item, weight = rest
        user = meals.profile(profile)
        (user.like if weight > 0 else user.dislike if weight else user.unlike)(item, *([abs(weight)] * bool(weight)))
    else:
        getattr(meals, kind)(*rest)


def check(meals, plain):
    """Whether all answers are those of `plain`."""
    assert len(meals) == len(plain.items)
    for id_ in [*WELL_KNOWN, *NEW.values()]:
        if id_ in plain.ids():
            name = plain.item(id_)["name"]
            assert meals.row(id_) == meals.row(name) == meals.row(name.upper())
            assert meals.find(name, 1)[0][:2] == (id_, name)
        else:
            with pytest.raises(UnknownItemError):
                meals.row(id_)
    letters = sorted(item["attributes"]["letter"][0] for item in plain.items if "letter" in item["attributes"])
    found = [n.id for letter in letters for n in meals.similar("crepes", where={"letter": letter})]
    assert found == [NEW[letter] for letter in letters]
    assert same(meals.similar("crepes", 400), plain.recommend({"crepes": 1}, 400))
    profiles = {name: likes for name, likes in plain.profiles.items() if likes}
    assert {name: meals.profile(name).likes for name in meals.profiles} == profiles
    for name, likes in profiles.items():
        if any(weight > 0 for weight in likes.values()):
            assert same(meals.profile(name).recommend(50), plain.recommend(likes, 50))


@given(st.lists(step, max_size=10))
@settings(max_examples=60)
def test_any_changes_come_to_what_they_come_to_in_plain_dicts(model, model_path, tmp_path_factory, steps):
    path = shutil.copy(model_path, tmp_path_factory.mktemp("changes") / "meals.tflite")
    plain = Plain(model)
    meals = Recommender.open(path, engine="numpy", writable=True)
    for kind, *rest in steps:
        if kind == "reopen":
            meals.close()
            meals = Recommender.open(path, engine="numpy", writable=True)
        elif kind == "compact":
            meals.compact()
        else:
            make(meals, plain, kind, *rest)
    check(meals, plain)
    meals.close()
    check(Recommender.open(path, engine="numpy"), plain)


# Threads and crashes


def test_answers_are_right_for_the_items_before_or_after_a_change(meals, plain):
    weights, states, done = {"pancakes": 2, "borscht": 1}, [], []
    for number in range(12):
        states.append(plain.recommend(weights, 20))
        plain.add(f"new-{number}", f"New {number}", plain.item("pancakes")["row"], {})

    def ask(_):
        seen = []
        while not done or len(seen) < 3:
            found = meals.recommend(weights, 20)
            seen.append(next((i for i, state in enumerate(states) if same(found, state)), None))
        return seen

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, number) for number in range(8)]
        for number in range(11):
            meals.add(f"New {number}", neighbors=["pancakes"])
        done.append(True)
        answers = [future.result() for future in asked]
    for seen in answers:
        assert None not in seen
        assert seen == sorted(seen)


WRITER = """
import sys
from device_runtime import Recommender
meals = Recommender.open(sys.argv[1], engine="numpy", writable=True)
print("ready", flush=True)
for number in range(100000):
    meals.add(f"New {number}", neighbors=["borscht"])
    print("made", flush=True)
    meals.profile("anna").like(f"New {number}", number + 1)
    print("made", flush=True)
"""


def test_killed_at_random_moments_at_most_the_last_change_is_lost(model_copy):
    path = overlay_path(model_copy)
    for seed in range(5):
        path.unlink(missing_ok=True)
        command = [sys.executable, "-c", WRITER, str(model_copy)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            time.sleep(random.Random(seed).uniform(0.01, 0.1))
            process.send_signal(signal.SIGKILL)
            made = process.stdout.read().count("made\n")
        meals = Recommender.open(model_copy, engine="numpy", writable=True)
        assert len(meals.changes) in (made, made + 1)
        assert len(meals) - 300 == (len(meals.changes) + 1) // 2
        likes = meals.profile("anna").likes
        assert likes == {f"new-{number}": number + 1 for number in range(len(meals.changes) // 2)}
        assert meals.add("Another", neighbors=["borscht"]) == "another"
        meals.close()
