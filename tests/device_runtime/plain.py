"""The answers of a `Recommender`, worked out another way: lists, dicts and Python's own integers."""

import math


class Plain:
    """The items of a model file and the changes made to them."""

    def __init__(self, model):
        self.scale = model.manifest.scale
        self.items = [
            {"id": id_, "name": name, "row": row, "attributes": {}}
            for id_, name, row in zip(
                model.lines("ids.txt"), model.lines("names.txt"), model.table.tolist(), strict=True
            )
        ]
        for row, (attribute, values) in model.records("attributes.tsv", 2):
            self.items[row]["attributes"][attribute] = values.split("|")
        self.profiles = {}

    def ids(self):
        return [item["id"] for item in self.items]

    def item(self, id_):
        return next(item for item in self.items if item["id"] == id_)

    def add(self, id_, name, row, attributes):
        self.items.append({"id": id_, "name": name, "row": list(row), "attributes": attributes})

    def remove(self, id_):
        self.items = [item for item in self.items if item["id"] != id_]
        self.profiles = {
            name: {other: weight for other, weight in likes.items() if other != id_}
            for name, likes in self.profiles.items()
        }

    def rename(self, id_, name):
        self.item(id_)["name"] = name

    def like(self, profile, id_, weight):
        likes = self.profiles.setdefault(profile, {})
        likes.pop(id_, None)
        if weight:
            likes[id_] = weight

    def recommend(self, weights, k, exclude=(), where=None):
        """Ids and scores; the weights are whole, and `where` asks for one value of each attribute."""
        favorites = [(self.item(id_)["row"], weight) for id_, weight in weights.items()]
        query = [sum(row[column] * weight for row, weight in favorites) for column in range(len(favorites[0][0]))]
        return self.search(query, k, {*weights, *exclude}, where)

    def search(self, query, k, banned=(), where=None):
        found = []
        for place, item in enumerate(self.items):
            has = all(value in item["attributes"].get(name, ()) for name, value in (where or {}).items())
            if has and item["id"] not in banned:
                score = sum(a * b for a, b in zip(item["row"], query, strict=True))
                found.append((-score, place, item["id"]))
        length = math.sqrt(sum(entry * entry for entry in query))
        return [(id_, -score * self.scale / length) for score, _, id_ in sorted(found)[:k]]


def same(found, expected):
    """Whether neighbors have just these ids, and these scores to the precision of float32."""
    return [neighbor.id for neighbor in found] == [id_ for id_, _ in expected] and all(
        math.isclose(neighbor.score, score, abs_tol=2e-7) for neighbor, (_, score) in zip(found, expected, strict=True)
    )
