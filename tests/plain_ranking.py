"""What favorites and dislikes come to, worked out in Python's own integers, lists and loops."""

import math


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def add(rows):
    return [sum(column) for column in zip(*rows, strict=True)]


def cosine(a, b):
    return dot(a, b) / math.sqrt(max(1, dot(a, a) * dot(b, b)))


def alike_from(rows, in_a_thousand=30):
    """The cosine that 30 in a thousand pairs, or another number, of up to 256 rows, spread over all, reach."""
    count = min(256, len(rows))
    some = [rows[i * len(rows) // count] for i in range(count)]
    cosines = sorted(cosine(some[a], some[b]) for a in range(count) for b in range(a))
    return cosines[len(cosines) - 1 - len(cosines) * in_a_thousand // 1000]


def group(vectors, least_alike):
    """Places of vectors, the two groups whose sums are most alike merged while their cosine is that or more."""
    groups = [[place] for place in range(len(vectors))]
    while len(groups) > 1:
        sums = [add([vectors[place] for place in members]) for members in groups]
        pairs = [(-cosine(sums[a], sums[b]), a, b) for a in range(len(groups)) for b in range(a + 1, len(groups))]
        least, a, b = min(pairs)
        if -least < least_alike:
            break
        groups[a] = sorted(groups[a] + groups.pop(b))
    return groups


def interleave(lists, weights, k):
    """Rows in turns: of the list with the greatest weight / (2 turns + 1), then with fewest, then the first."""
    turns, taken = [0] * len(lists), []
    lists = [list(rows) for rows in lists]
    while len(taken) < k and any(lists):
        turn = min(range(len(lists)), key=lambda i: (-weights[i] / (2 * turns[i] + 1), turns[i], i))
        turns[turn] += 1
        while lists[turn]:
            row = lists[turn].pop(0)
            if row not in taken:
                taken.append(row)
                break
    return taken


def lengthened(query):
    """As long as the finest whole numbers whose scores float32 holds."""
    length = math.sqrt(sum(float(x) * float(x) for x in query))
    factor = (2**24 / (127 * math.sqrt(len(query))) - math.sqrt(len(query))) / length
    return [round(x * factor) for x in query]


def loss(row, disliked, weight, length, alike):
    """What a row loses by one dislike: twice what its likeness exceeds a bound by, in the unit of scores."""
    bound = round(math.sqrt(dot(disliked, disliked)) * ((1 + alike) / 2 * length))
    return round(2.0 * weight * max(0, dot(row, disliked) - bound))
