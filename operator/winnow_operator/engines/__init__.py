"""Search algorithms behind one small interface. They are caches of what is recorded."""

from winnow_operator.engines.auto import as_chosen, choose_algorithm
from winnow_operator.engines.base import Record, SearchEngine
from winnow_operator.engines.chains import ChainEngine
from winnow_operator.engines.registry import (
    is_adaptive,
    job_seed,
    make_engine,
    planned_trials,
)
from winnow_operator.engines.seeds import trial_seed

__all__ = [
    "ChainEngine",
    "Record",
    "SearchEngine",
    "as_chosen",
    "choose_algorithm",
    "is_adaptive",
    "job_seed",
    "make_engine",
    "planned_trials",
    "trial_seed",
]
