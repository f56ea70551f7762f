"""How the network of a Generative search has learnt, from the trials that are recorded.

Nothing of it is kept while the search runs: the network is trained again as the histories say, which
gives the same network.
"""

from __future__ import annotations

from collections.abc import Sequence

from winnow_operator.api.fields import decimal_text
from winnow_operator.api.searchjob import Goal, LearnedBatch, SearchJobSpec
from winnow_operator.api.searchjob_status import MAX_LEARNED
from winnow_operator.domain.searches.warm_starts import KnownTrial
from winnow_operator.domain.spaces.space import Space
from winnow_operator.engines.architectures.generative import Batch, GenerativeEngine
from winnow_operator.engines.base import Record, known_records
from winnow_operator.engines.registry import job_seed

DIGITS = 6
"""Decimals of a figure."""


def learned(
    spec: SearchJobSpec, space: Space, records: Sequence[Record], known: Sequence[KnownTrial] = ()
) -> tuple[LearnedBatch, ...]:
    """What the network has learnt, batch by batch, of many batches some evenly.

    Args:
        spec: of a search by Generative.
        space: the same, parsed.
        records: its trials.
        known: trials of other searches that it had learnt from before.
    """
    if space.nets is None:
        return ()
    engine = GenerativeEngine(space.nets, job_seed(spec), known=known_records(known))
    for record in sorted(records, key=lambda r: r.number):
        engine.observe(record)
    batches, sign = engine.batches(), -1 if spec.objectives[0].goal is Goal.MAXIMIZE else 1
    return tuple(_shown(batch, sign) for batch in spread(batches, MAX_LEARNED))


def spread(batches: Sequence[Batch], most: int) -> list[Batch]:
    """At most so many, evenly, with the first and the last."""
    if len(batches) <= most:
        return list(batches)
    return [batches[place * (len(batches) - 1) // (most - 1)] for place in range(most)]


def _shown(batch: Batch, sign: int) -> LearnedBatch:
    mean = batch.mean_score
    return LearnedBatch(
        known=batch.known,
        loss=decimal_text(round(batch.loss, DIGITS)),
        entropy=decimal_text(round(batch.entropy, DIGITS)),
        written=batch.written,
        mean_value=None if mean is None else decimal_text(round(sign * mean, DIGITS)),
    )
