import pytest

from tests.device_runtime.running import JSON


@pytest.mark.parametrize(
    ("path", "type_", "message"),
    [
        ("/v1/find", "InvalidArgumentError", "give it once, as text="),
        ("/v1/find?text=a&text=b", "InvalidArgumentError", "given 2 times"),
        ("/v1/find?text=a&k=0", "InvalidCountError", "k is 0; give a whole number from 1 to 1000"),
        ("/v1/find?text=a&k=1001", "InvalidCountError", "k is 1001"),
        ("/v1/find?text=a&k=-3", "InvalidCountError", "k is -3"),
        ("/v1/find?text=a&k=2.5", "InvalidCountError", "k is '2.5'"),
        ("/v1/find?text=a&k=%D9%A3", "InvalidCountError", "whole number"),
        ("/v1/find?text=a&k=" + "9" * 5000, "InvalidArgumentError", "characters; give up to 500"),
        ("/v1/find?text=a&k=1&k=2", "InvalidArgumentError", "k is given 2 times"),
        ("/v1/find?text=a&limit=1", "InvalidArgumentError", "no argument 'limit' here; there are k, text"),
        ("/v1/find?text=" + "a" * 501, "InvalidArgumentError", "501 characters"),
        ("/v1/info?x=1", "InvalidArgumentError", "there are none"),
        ("/v1/similar?k=3", "InvalidArgumentError", "give it once, as item="),
        ("/v1/similar?item=pancakes&where=course", "InvalidArgumentError", "ATTRIBUTE=VALUE"),
        ("/v1/attributes?attribute=corse", "UnknownAttributeError", "did you mean course?"),
        ("/v1/similar?item=pancakes&where=color:red", "UnknownAttributeError", "no item has an attribute 'color'"),
        ("/v1/similar?item=pancakes&where=course:brunch", "UnknownAttributeError", "no item has 'brunch'"),
        (
            "/v1/similar?item=pancakes&diversify=2",
            "InvalidArgumentError",
            "diversify is 2.0; give a number",
        ),
        ("/v1/similar?item=pancakes&diversify=nan", "InvalidArgumentError", "diversify is 'nan'"),
        ("/v1/similar?item=pancakes&diversify=0&diversify=1", "InvalidArgumentError", "diversify is given 2 times"),
        ("/v1/similar?item=pancakes&where=a:b&where=a!:c", "InvalidArgumentError", "both asks for and forbids"),
        ("/v1/recommend?item=crepes&dislike=Cr%C3%AApes", "ContradictoryLikesError", "Crêpes is given the weights"),
        ("/v1/recommend?item=crepes&blend=both", "InvalidArgumentError", "blend is 'both'; give one of each, together"),
        ("/v1/explain?item=crepes", "InvalidArgumentError", "result is missing"),
        ("/v1/explain?result=crepes", "NoFavoritesError", "no favorites"),
        ("/v1/score?item=crepes", "InvalidArgumentError", "given 1 times; give it twice"),
        ("/v1/profile", "InvalidArgumentError", "profile is missing"),
        ("/v1/find?text=%zz", "BadRequestError", "two hexadecimal digits"),
        ("/v1/find?text=%", "BadRequestError", "two hexadecimal digits"),
        ("/v1/find?text=%ff%fe", "BadRequestError", "not percent-encoded UTF-8"),
        ("/v1/%ff", "BadRequestError", "not percent-encoded UTF-8"),
    ],
)
def test_bad_questions_in_the_url_are_400(service, path, type_, message):
    status, answer = service.ask_json(path)
    assert status == 400
    assert answer["error"]["type"] == type_
    assert message in answer["error"]["message"]


@pytest.mark.parametrize(
    ("path", "body", "type_", "message"),
    [
        ("/v1/recommend", b"{", "BadRequestError", "not JSON"),
        ("/v1/recommend", b"", "BadRequestError", "not JSON"),
        ("/v1/recommend", b'{"items": ["\xff"]}', "BadRequestError", "not JSON in UTF-8"),
        ("/v1/recommend", b"\xff\xfe{\x00}\x00", "BadRequestError", "not JSON in UTF-8"),
        ("/v1/recommend", b"[" * 60_000, "BadRequestError", "nested too deeply"),
        ("/v1/recommend", b'{"where":' * 7_000, "BadRequestError", "the body is n"),
        ("/v1/recommend", [], "BadRequestError", "not a JSON object"),
        (
            "/v1/recommend",
            {"items": ["pancakes"], "where": ["soup"]},
            "InvalidArgumentError",
            "did you mean course=soup?",
        ),
        (
            "/v1/recommend",
            {"item": ["pancakes"]},
            "InvalidArgumentError",
            "no argument 'item' here; there are blend, details, di",
        ),
        ("/v1/recommend", {"items": "pancakes"}, "InvalidArgumentError", "not a list of texts"),
        ("/v1/recommend", {"items": [3]}, "InvalidArgumentError", "not a list of texts"),
        ("/v1/recommend", {"items": [None]}, "InvalidArgumentError", "not a list of texts"),
        ("/v1/recommend", {"items": ["a\u0301\u0327" * 3_000]}, "InvalidArgumentError", "give up to 500"),
        ("/v1/recommend", {"items": ["pancakes"], "k": 0}, "InvalidCountError", "k is 0"),
        ("/v1/recommend", {"items": ["pancakes"], "k": 10**9}, "InvalidCountError", "k is 1000000000"),
        ("/v1/recommend", {"items": ["pancakes"], "k": 10**4000}, "InvalidCountError", "k is not a whole number"),
        ("/v1/recommend", {"items": ["pancakes"], "k": True}, "InvalidCountError", "k is not a whole number"),
        ("/v1/recommend", {"items": ["pancakes"], "k": 3.0}, "InvalidCountError", "k is not a whole number"),
        ("/v1/recommend", {"items": ["pancakes"], "where": 3}, "InvalidArgumentError", "where is not an object"),
        ("/v1/recommend", {"items": ["pancakes"], "where": {"diet": 3}}, "InvalidArgumentError", "not a list of texts"),
        ("/v1/recommend", {"items": ["pancakes"], "where": {"diet": [[]]}}, "InvalidArgumentError", "list of texts"),
        ("/v1/recommend", {"items": ["pancakes"], "where": {"hue": "x"}}, "UnknownAttributeError", "attribute 'hue'"),
        ("/v1/recommend", {"items": ["pancakes"], "exclude": "x"}, "InvalidArgumentError", "not a list of texts"),
        ("/v1/recommend?k=3", {"items": ["pancakes"]}, "InvalidArgumentError", "leave the query away"),
        ("/v1/recommend", b'{"\\ud800": 1}', "InvalidArgumentError", r"no argument '\ud800' here"),
        ("/v1/recommend", {"items": {"pancakes": "1"}}, "InvalidWeightError", "the weight of an item in items is not"),
        ("/v1/recommend", {"items": {"pancakes": True}}, "InvalidWeightError", "is not a number"),
        ("/v1/recommend", b'{"items": {"pancakes": 1e999}}', "InvalidWeightError", "beyond float32"),
        ("/v1/recommend", {"items": ["pancakes"], "dislikes": "x"}, "InvalidArgumentError", "not a list of texts"),
        (
            "/v1/recommend",
            {"items": ["pancakes"], "diversify": "1"},
            "InvalidArgumentError",
            "is not a number",
        ),
        ("/v1/recommend", {"items": ["pancakes"], "diversify": -1}, "InvalidArgumentError", "diversify is -1.0"),
        (
            "/v1/recommend",
            {"items": ["borscht"], "where": {"diet": {"no": "x"}}},
            "InvalidArgumentError",
            "condition on 'diet'",
        ),
        (
            "/v1/recommend",
            {"items": ["crepes"], "where": {"a": {"not": 3}}},
            "InvalidArgumentError",
            "list of texts",
        ),
        ("/v1/recommend", {"items": ["pancakes"], "profile": 3}, "InvalidArgumentError", "profile is not a text"),
        ("/v1/batch", {"baskets": ["x"]}, "InvalidArgumentError", "not a list of texts"),
        ("/v1/batch", {"baskets": {"x": 1}}, "InvalidArgumentError", "not a list of baskets"),
        ("/v1/batch", {"baskets": [["borscht"]] * 101}, "InvalidArgumentError", "101 baskets; give up to 100"),
        ("/v1/batch", {"baskets": [["borscht"]] * 11, "k": 1000}, "InvalidCountError", "k is 1000 for 11 baskets"),
        ("/v1/explain", {"items": ["borscht"]}, "InvalidArgumentError", "result is missing"),
        ("/v1/search", {}, "InvalidArgumentError", "vector is missing"),
        ("/v1/search", {"vector": "x"}, "InvalidVectorError", "not a list of numbers"),
        ("/v1/search", {"vector": ["1"] * 16}, "InvalidVectorError", "a value of vector is not a number"),
        ("/v1/search", {"vector": [True] * 16}, "InvalidVectorError", "a value of vector is not a number"),
        ("/v1/search", {"vector": [1.0] * 15}, "InvalidVectorError", "has shape [15]"),
        ("/v1/search", {"vector": []}, "InvalidVectorError", "has shape [0]"),
        ("/v1/search", {"vector": [0.0] * 16}, "InvalidVectorError", "is zero"),
        ("/v1/search", {"vector": [float("nan")] * 16}, "BadRequestError", "NaN is no JSON"),
        ("/v1/search", {"vector": [float("-inf")] * 16}, "BadRequestError", "-Infinity is no JSON"),
        ("/v1/search", b'{"vector": [1e999]}', "InvalidVectorError", "beyond float32"),
        ("/v1/search", {"vector": [1e300] * 16}, "InvalidVectorError", "beyond float32"),
        ("/v1/search", {"vector": [10**400] * 16}, "InvalidVectorError", "beyond float32"),
        ("/v1/search", b'{"vector": [' + b"9" * 5000 + b"]}", "BadRequestError", "digits"),
    ],
)
def test_bad_questions_in_the_body_are_400(service, path, body, type_, message):
    status, answer = service.ask_json(path, body, headers=JSON)
    assert status == 400
    assert answer["error"]["type"] == type_
    assert message in answer["error"]["message"]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("Application/JSON; Charset=UTF-8", 200),
        ('application/json; charset="utf-8"', 200),
        ("application/json; charset=utf-16", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
def test_bodies_are_json_or_415(service, content_type, status):
    body = b'{"items": ["pancakes"]}'
    assert service.ask("/v1/recommend", body, headers={"Content-Type": content_type})[0] == status
