"""python -m benchmarks answers: whether answers make sense after a dislike, for several tastes, and to a reader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchmarks.base import WritingBenchmark, model_option, option


@dataclass(frozen=True)
class AnswersBenchmark(WritingBenchmark):
    """Whether answers make sense: after a dislike, for several tastes, of models of likes, and thirty to read."""

    name: ClassVar[str] = "answers"
    writes: ClassVar[tuple[str, ...]] = ("answers.json", "answers.md")

    model: Path = model_option()
    log: Path | None = option(
        "measure dislikes of a model of what people like, too, trained on this log (users, items)",
        default=None,
        type=Path,
    )
    ratings: bool = option(
        "measure low ratings as dislikes, too, in a generated log of 4,000 persons", default=False, action="store_true"
    )

    def run(self) -> None:
        """See `Benchmark.run`."""
        from benchmarks.answers import dislikes, questions, tastes
        from benchmarks.answers.neighbors import find_neighborhood
        from benchmarks.output import write_json
        from device_runtime import Recommender

        recommender = Recommender.open(self.model, engine="numpy", changes=False)
        near = find_neighborhood(recommender)
        after_dislike, of_tastes = dislikes.measure(recommender, near), tastes.measure(recommender, near)
        print(f"{dislikes.format_outcomes(after_dislike)}\n\n{tastes.format_outcomes(of_tastes)}")
        results = {"dislikes": after_dislike, "tastes": of_tastes}
        if self.log is not None:
            from benchmarks.answers import logs

            of_likes = logs.measure(self.log)
            print(f"\n{logs.format_outcomes(of_likes)}")
            results["log"] = of_likes
        if self.ratings:
            from benchmarks.answers import logs

            by_ratings = logs.measure_rated()
            print(f"\n{logs.format_outcomes(by_ratings)}")
            results["ratings"] = by_ratings
        write_json(results, self.out / "answers.json")
        questions.write(recommender, self.out / "answers.md")
        print(f"\nwrote {self.out / 'answers.json'} and {self.out / 'answers.md'}")
