"""Search algorithms behind one small interface. They are caches of what is recorded.

base            the interface, and a trial as engines know it
registry, auto  which engine a spec asks for, and which one Auto takes
grid, sampling, qmc, tpe, cmaes, nsgaii   one algorithm each (sampling: Random)
architectures   those that search nets, beside one of the others for the rest of a point
chains          writes candidates of a compression
started         points of the user's own before those of an engine
sequences, replays, generations   what engines without memory, with a past, and by generations share
seeds, permutations, sifting, unseen, distributions, quality, quick_normal   what they are made of
importances     which parameters mattered, once a search has ended
"""

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
