"""The answers of a `Recommender`, worked out another way: lists, dicts and Python's own integers."""

import math

from tests import plain_ranking


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
        self.alike = plain_ranking.alike_from([item["row"] for item in self.items])

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

    def recommend(self, weights, k, exclude=(), where=None, blend="each"):
        """Ids and scores by a model of attributes; weights are whole, `where` asks for one value of an attribute."""
        liked = {id_: weight for id_, weight in weights.items() if weight > 0}
        rows = [self.item(id_)["row"] for id_ in liked]
        groups = plain_ranking.group(rows, self.alike) if blend == "each" else [list(range(len(rows)))]
        sizes = list(liked.values())
        queries = [plain_ranking.add([[x * sizes[i] for x in rows[i]] for i in group]) for group in groups]
        dislikes = [
            (plain_ranking.lengthened(self.item(id_)["row"]), -weight / max(sizes))
            for id_, weight in weights.items()
            if weight < 0
        ]
        if dislikes:
            queries = [plain_ranking.lengthened(query) for query in queries]
        banned = {*weights, *exclude}
        found = [dict(self.search(query, len(self.items), banned, where, dislikes)) for query in queries]
        best = plain_ranking.interleave([list(of)[:k] for of in found], [sum(sizes[i] for i in g) for g in groups], k)
        return [(id_, max(of[id_] for of in found)) for id_ in best]

    def search(self, query, k, banned=(), where=None, dislikes=()):
        found = []
        for place, item in enumerate(self.items):
            has = all(value in item["attributes"].get(name, ()) for name, value in (where or {}).items())
            if has and item["id"] not in banned:
                losses = (
                    plain_ranking.loss(item["row"], row, weight, 1 / self.scale, self.alike) for row, weight in dislikes
                )
                found.append((-plain_ranking.dot(item["row"], query) + sum(losses), place, item["id"]))
        length = math.sqrt(plain_ranking.dot(query, query))
        return [(id_, -score * self.scale / length) for score, _, id_ in sorted(found)[:k]]


def same(found, expected):
    """Whether neighbors have just these ids, and these scores to the precision of float32."""
    return [neighbor.id for neighbor in found] == [id_ for id_, _ in expected] and all(
        math.isclose(neighbor.score, score, abs_tol=2e-7) for neighbor, (_, score) in zip(found, expected, strict=True)
    )
