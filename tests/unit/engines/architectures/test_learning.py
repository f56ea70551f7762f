"""What a search by Generative says of its network: trained again from the records, and bounded."""

from __future__ import annotations

from tests.support.facts import spec_of
from tests.support.replayed_search import Point, ReplayedSearch
from winnow_operator.api.searchjob_status import MAX_LEARNED
from winnow_operator.domain.searches.warm_starts import KnownTrial
from winnow_operator.domain.spaces.space import parse_space
from winnow_operator.engines import make_engine
from winnow_operator.engines.architectures.generative import Batch
from winnow_operator.engines.architectures.learning import learned, spread

SPEC = spec_of(
    {
        "algorithm": {"name": "Generative"},
        "objectives": [{"metric": "accuracy", "goal": "Maximize"}],
        "space": {
            "architecture": {"mlp": {"depth": {"min": 1, "max": 4}, "widths": [16, 32, 64]}},
            "parameters": [{"name": "rate", "double": {"min": "0.001", "max": "0.1"}}],
        },
    }
)
SPACE = parse_space(SPEC.space)


def _score(point: Point) -> float:
    """Minus an accuracy, which wide nets have."""
    return -0.5 - 0.1 * str(point["architecture"]).count("64")


def test_batches_of_the_network_beside_another_engine_are_told_in_the_metrics_sign() -> None:
    search = ReplayedSearch(lambda: make_engine(SPEC, SPACE), _score)
    search.run(40, parallel=2)

    batches = learned(SPEC, SPACE, list(search.records.values()))

    assert [batch.known for batch in batches] == [16, 24, 32]
    assert all(float(batch.entropy) > 0 for batch in batches)
    first = [-(r.score or 0.0) for n, r in search.records.items() if n <= 16]
    last = float(batches[-1].mean_value or 0)
    assert last > sum(first) / len(first)


def test_what_was_written_after_other_searches_were_learnt_from_is_the_first_batch() -> None:
    other = ReplayedSearch(lambda: make_engine(SPEC, SPACE), _score)
    other.run(24, parallel=2)
    known = [KnownTrial(r.assignment, (r.score or 0.0,), 0.0) for r in other.records.values()]
    search = ReplayedSearch(lambda: make_engine(SPEC, SPACE, known), _score)
    search.run(10, parallel=1)

    batches = learned(SPEC, SPACE, list(search.records.values()), known)

    assert [(batch.known, batch.written) for batch in batches] == [(24, 8), (32, 2)]


def test_of_many_batches_the_first_the_last_and_some_between_are_shown() -> None:
    batches = [Batch(known, 0.0, 1.0, 8, 0.5) for known in range(16, 8000, 8)]

    shown = spread(batches, MAX_LEARNED)

    assert len(shown) == MAX_LEARNED
    assert (shown[0], shown[-1]) == (batches[0], batches[-1])
