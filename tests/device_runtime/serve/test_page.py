"""The page in a real browser, by keyboard alone, on a phone and a desk, light and dark."""

import re
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from device_runtime import Recommender
from device_runtime.serve.api import Api
from tests.browser import WHY_NONE, chromium, find_chromium
from tests.conftest import ROOT
from tests.device_runtime.running import running

GOLDEN = ROOT / "tests" / "golden" / "files"
SIZES = {"phone": (390, 844), "desk": (1280, 900)}
LEAST_CONTRAST = ("serious", "critical")
FOCUSED = "document.activeElement.id || document.activeElement.dataset.does || document.activeElement.tagName"


@pytest.fixture(scope="module")
def browser():
    path = find_chromium()
    if path is None:
        pytest.skip(WHY_NONE)
    with chromium(path) as started:
        yield started


@pytest.fixture(scope="module")
def meals():
    return Recommender.open(GOLDEN / "meals-8.tflite", engine="numpy")


@pytest.fixture(scope="module")
def meals_url(meals):
    with running(Api(meals)) as service:
        yield f"http://127.0.0.1:{service.port}/"


@contextmanager
def visiting(browser, url, size="desk", scheme="light", **options):
    """The page, opened anew; whatever it asks of others, and whatever goes wrong in it, fails."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "policy" in said.text.lower() else None)
    page.on("request", lambda asked: None if asked.url.startswith((url, "data:")) else faults.append(asked.url))
    page.set_default_timeout(10_000)
    page.goto(url)
    expect(page.locator("#attributes")).not_to_be_empty()
    expect(page.locator("#results")).to_have_attribute("aria-busy", "false")
    yield page
    assert faults == []
    context.close()


@pytest.fixture
def desk(browser, meals_url):
    with visiting(browser, meals_url) as page:
        yield page


def names(page, of="#results .name"):
    return [text.strip() for text in page.locator(of).all_inner_texts()]


def chips(page, of):
    return page.locator(f"#{of} button").evaluate_all("all => all.map(chip => chip.firstChild.textContent)")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def like(page, text):
    page.locator("#text").fill(text)
    page.locator("#text").press("Enter")
    expect(page.locator("#likes")).to_contain_text(text)
    settle(page)


def settle(page):
    expect(page.locator("#results")).to_have_attribute("aria-busy", "false")


def tab_to(page, test, backwards=False):
    """Tabs until `test`, an expression of the focused element `at`, holds; the focus never falls out of the page."""
    for _ in range(80):
        press(page, "Shift+Tab" if backwards else "Tab")
        assert page.evaluate("document.activeElement !== document.body")
        if page.evaluate(f"(at => {test})(document.activeElement)"):
            return
    raise AssertionError(f"no key leads to {test}")


def no_violations(page):
    found = Axe().run(page).response["violations"]
    bad = [(one["id"], node["html"]) for one in found if one["impact"] in LEAST_CONTRAST for node in one["nodes"]]
    assert bad == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_whole_journey_by_keyboard_alone(browser, meals_url, size, scheme):
    with visiting(browser, meals_url, size, scheme) as page:
        no_violations(page)
        tab_to(page, "at.id === 'text'")
        page.keyboard.type("panc")
        expect(page.locator("#options li").first).to_have_text("Pancakes")
        press(page, "ArrowDown")
        assert page.locator("#text").get_attribute("aria-activedescendant") == "options-0"
        no_violations(page)
        press(page, "Enter")
        expect(page.locator("#likes")).to_contain_text("Pancakes")
        assert page.evaluate(FOCUSED) == "text"
        settle(page)
        first = page.locator("#results li").first
        assert first.bounding_box()["y"] + 60 < SIZES[size][1]  # it is in view
        expect(first.locator(".because")).to_contain_text("Like Pancakes: ")

        tab_to(page, "at.dataset.does === 'open'")
        press(page, "Enter")
        expect(first.locator(".panel dl")).to_be_visible()
        expect(first.locator(".parts")).to_contain_text("Pancakes")
        no_violations(page)
        before = names(page)
        tab_to(page, "at.dataset.does === 'less'")
        press(page, "Enter")
        expect(page.locator("#dislikes")).to_contain_text(before[0])
        settle(page)
        assert page.evaluate(FOCUSED) == "less"
        tab_to(page, "at.id === 'undo'", backwards=True)
        press(page, "Enter")
        expect(page.locator("#dislikes")).to_be_empty()
        settle(page)
        assert names(page) == before
        assert page.evaluate(FOCUSED) == "open"

        tab_to(page, "at.dataset.does === 'hide'")
        press(page, "Space")
        expect(page.locator("#excluded")).to_contain_text(before[0])
        settle(page)
        assert page.evaluate(FOCUSED) == "hide"
        no_violations(page)
        take_back(page, "excluded")


def take_back(page, chip):
    """The one chip there, by keyboard; the focus goes to the box."""
    tab_to(page, f"at.closest('#{chip}')", backwards=True)
    press(page, "Enter")
    expect(page.locator(f"#{chip}")).to_be_empty()
    assert page.evaluate(FOCUSED) == "text"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_filters_by_keyboard_alone(browser, meals_url, meals, size, scheme):
    with visiting(browser, meals_url, size, scheme) as page:
        like(page, "Pancakes")
        tab_to(page, "at.matches('#refine > summary')")
        if size == "phone":
            press(page, "Enter")
        tab_to(page, "at.matches('.attribute summary') && at.textContent.startsWith('course')")
        press(page, "Enter")
        tab_to(page, "at.value === 'soup'")
        press(page, "Space")
        expect(page.locator("#filters")).to_contain_text("course: soup")
        settle(page)
        assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
        assert names(page) == [neighbor.name for neighbor in meals.recommend(["pancakes"], where={"course": "soup"})]
        no_violations(page)
        take_back(page, "filters")


def test_words_that_are_not_sure_ask_with_the_three_best(desk):
    desk.locator("#text").fill("oatmeal")
    desk.locator("#text").press("Enter")
    expect(desk.locator("#hint")).to_have_text("Nothing is called “oatmeal”. Which of these do you mean?")
    expect(desk.locator("#options li")).to_have_count(3)
    expect(desk.locator("#likes")).to_be_empty()
    press(desk, "ArrowDown", "ArrowDown", "Enter")
    expect(desk.locator("#likes li")).to_have_count(1)
    expect(desk.locator("#hint")).to_be_empty()
    desk.locator("#text").fill("zzzz")
    desk.locator("#text").press("Enter")
    expect(desk.locator("#hint")).to_have_text("Nothing here is called like “zzzz”.")
    expect(desk.locator("#options")).to_be_hidden()


def test_suggestions_close_and_clear_by_escape_and_go_round(desk):
    text = desk.locator("#text")
    text.fill("pizza")
    expect(desk.locator("#options")).to_be_visible()
    last = desk.locator("#options li").count() - 1
    press(desk, "ArrowUp")
    assert text.get_attribute("aria-activedescendant") == f"options-{last}"
    press(desk, "ArrowDown")
    assert text.get_attribute("aria-activedescendant") == "options-0"
    press(desk, "Escape")
    expect(desk.locator("#options")).to_be_hidden()
    assert (text.get_attribute("aria-expanded"), text.input_value()) == ("false", "pizza")
    press(desk, "ArrowDown")
    expect(desk.locator("#options")).to_be_visible()
    press(desk, "Escape", "Escape")
    assert text.input_value() == ""


def test_a_kind_is_a_favorite_or_a_filter(desk):
    like(desk, "soup")
    assert chips(desk, "likes") == ["soup"]
    expect(desk.locator("#results .because").first).to_contain_text("Like soup")
    desk.locator("#text").fill("soup")
    desk.get_by_role("option", name="Only soup").click()
    assert chips(desk, "filters") == ["course: soup"]


def test_likes_and_dislikes_survive_a_reload(desk, meals):
    like(desk, "Pancakes")
    like(desk, "Borscht")
    desk.locator("#results .less").nth(1).click()
    expect(desk.locator("#dislikes li")).to_have_count(1)
    settle(desk)
    kept = chips(desk, "likes"), chips(desk, "dislikes"), names(desk)
    desk.reload()
    expect(desk.locator("#likes li")).to_have_count(2)
    settle(desk)
    assert (chips(desk, "likes"), chips(desk, "dislikes"), names(desk)) == kept
    saved = desk.evaluate("Object.keys(localStorage)")
    assert saved == [f"mignon {meals.file.digest}"]


def test_a_new_file_of_the_same_name_starts_with_the_likes_of_the_one_before(desk, meals):
    like(desk, "Pancakes")
    desk.evaluate("localStorage['mignon old'] = Object.values(localStorage)[0]")
    desk.evaluate(f"localStorage.removeItem('mignon {meals.file.digest}')")
    desk.reload()
    expect(desk.locator("#likes")).to_contain_text("Pancakes")


def test_a_browser_that_keeps_nothing_still_answers(browser, meals_url):
    with visiting(browser, meals_url) as page:
        page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no'); }})")
        page.reload()
        like(page, "Pancakes")
        assert len(names(page)) == 10
        expect(page.locator("#kept")).to_contain_text("keeps nothing")


def test_the_focus_stays_after_every_press(desk):
    like(desk, "Pancakes")
    for does in ("more", "less", "hide"):
        shown = names(desk)
        pressed = desk.locator(f"#results .{does}").nth(2)
        pressed.focus()
        press(desk, "Enter")
        expect(desk.locator("#results .name").nth(2)).not_to_have_text(shown[2])
        settle(desk)
        assert desk.evaluate(FOCUSED) == does
    like(desk, "Borscht")
    desk.locator("#likes button").first.focus()
    for left in (2, 1):
        press(desk, "Enter")
        expect(desk.locator("#likes li")).to_have_count(left)
        assert desk.evaluate("document.activeElement.closest('#likes') !== null")
    press(desk, "Enter")
    assert desk.evaluate(FOCUSED) == "text"


def test_more_results_are_shown_and_the_first_new_one_is_focused(desk):
    like(desk, "Pancakes")
    first = names(desk)
    desk.locator("#further").focus()
    press(desk, "Enter")
    expect(desk.locator("#results > li")).to_have_count(20)
    assert names(desk)[:10] == first
    assert desk.evaluate("document.activeElement.textContent") == names(desk)[10]


def test_a_filter_that_forbids_leaves_none_with_the_value(desk):
    like(desk, "Pancakes")
    desk.locator(".attribute summary", has_text="ingredients").click()
    values = desk.locator(".attribute[open]")
    values.get_by_role("searchbox").fill("egg")
    values.locator(".chips button", has_text=re.compile("^egg[0-9]")).click()
    expect(desk.locator("#filters")).to_contain_text("ingredients: egg")
    values.get_by_label("none of these").check()
    expect(desk.locator("#filters")).to_contain_text("ingredients: not egg")
    settle(desk)
    desk.locator("#results .name").first.click()
    expect(desk.locator(".panel dl").first).to_be_visible()
    assert "egg" not in re.split("[,\\s]+", desk.locator(".panel dl").first.inner_text())


def test_bars_of_likes_are_shares_of_the_best_and_no_cosines(browser):
    likes = Recommender.open(GOLDEN / "likes.tflite", engine="numpy")
    with running(Api(likes)) as service, visiting(browser, f"http://127.0.0.1:{service.port}/") as page:
        like(page, "Pancakes")
        shares = [int(text.split()[0]) for text in page.locator(".match").all_inner_texts()]
        assert shares[0] == 100
        assert shares == sorted(shares, reverse=True)
        assert len(set(shares)) > 3
        expect(page.locator("#legend")).to_contain_text("with the best of this list")
        like(page, "Borscht")
        expect(page.get_by_label("one mix")).to_be_checked()


def test_with_leave_likes_are_kept_in_a_profile_and_items_are_added(browser, tmp_path):
    path = tmp_path / "meals.tflite"
    path.write_bytes((GOLDEN / "meals-8.tflite").read_bytes())
    with Recommender.open(path, engine="numpy", writable=True) as meals, running(Api(meals)) as service:
        url = f"http://127.0.0.1:{service.port}/"
        with visiting(browser, url) as page:
            like(page, "Pancakes")
            page.locator("#results .less").first.click()
            expect(page.locator("#dislikes li")).to_have_count(1)
            settle(page)
            page.reload()
            expect(page.locator("#likes li")).to_have_count(1)
            assert sorted(meals.profile("me").likes.values()) == [-1, 1]
            page.get_by_text("Add an item of your own").click()
            page.get_by_label("Its name").fill("Sunday pancakes")
            page.locator("#near").fill("tiramisu")
            page.locator("#near").press("Enter")
            expect(page.locator("#nearby")).to_contain_text("Tiramisu")
            no_violations(page)
            page.get_by_role("button", name="Add it").click()
            expect(page.locator("#likes")).to_contain_text("Sunday pancakes")
            assert page.evaluate(FOCUSED) == "text"
            page.get_by_label("Name of the profile").fill("anna")
            press(page, "Tab")
            expect(page.locator("#likes li")).to_have_count(0)
            like(page, "Borscht")
            page.reload()
            expect(page.locator("#likes")).to_contain_text("Borscht")
        assert meals.profile("anna").likes == {"borscht": 1}
        assert meals.profile("me").likes["sunday-pancakes"] == 1


def test_weights_of_a_profile_are_kept_and_asked(browser, tmp_path):
    path = tmp_path / "meals.tflite"
    path.write_bytes((GOLDEN / "meals-8.tflite").read_bytes())
    with Recommender.open(path, engine="numpy", writable=True) as meals, running(Api(meals)) as service:
        for item, weight in (("pancakes", 3), ("borscht", 1)):
            meals.profile("me").like(item, weight)
        with visiting(browser, f"http://127.0.0.1:{service.port}/") as page:
            expect(page.locator("#likes")).to_contain_text("× 3")
            assert names(page) == [neighbor.name for neighbor in meals.profile("me").recommend(10)]


def test_nothing_is_wider_than_a_small_phone_and_nothing_moves_where_that_is_asked(browser, meals_url):
    with visiting(browser, meals_url, reduced_motion="reduce") as page:
        page.set_viewport_size({"width": 320, "height": 640})
        like(page, "Pancakes")
        page.locator("#results .name").first.click()
        page.locator("#refine > summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") == 320
        moving = (
            "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration !== '0s').length"
        )
        assert page.evaluate(moving) == 0


def test_a_server_that_is_gone_is_told_and_the_page_goes_on(desk):
    like(desk, "Pancakes")
    desk.context.set_offline(True)
    desk.locator("#results .more").first.click()
    expect(desk.locator("#problem")).to_contain_text("Is the server running?")
    desk.context.set_offline(False)
    desk.locator("#likes button").nth(1).click()
    settle(desk)
    assert len(names(desk)) == 10


def test_how_several_tastes_are_served_may_be_chosen(browser, meals_url, meals):
    with visiting(browser, meals_url) as page:
        like(page, "Pancakes")
        expect(page.locator("#blends")).to_be_hidden()
        like(page, "Borscht")
        expect(page.get_by_label("each its share")).to_be_checked()
        for words, blend in (("one mix", "together"), ("each its share", "each")):
            page.get_by_label(words).check()
            settle(page)
            assert names(page) == [n.name for n in meals.recommend(["pancakes", "borscht"], blend=blend)]


def test_without_favorites_the_best_known_come_without_bars(desk, meals):
    expect(desk.locator("#heading")).to_have_text("To start with")
    assert names(desk) == [neighbor.name for neighbor in meals.recommend([])]
    expect(desk.locator(".match")).to_have_count(0)
    desk.locator("#results .name").first.click()
    expect(desk.locator(".panel dl").first).to_be_visible()
    desk.locator("#results .less").first.click()
    expect(desk.locator("#dislikes li")).to_have_count(1)
