"""Reads the ledgers of jobs that are met for the first time, many of them in one list.

    watch begins: expect(a), expect(b), ...       read(a) --> one list: a, b, ... --> a's
                                                  read(b) --> was read --> b's

For a list by label the API server looks at every Trial of the namespace, however few match. So where
many jobs wait for their first look, as when a replica begins to lead, the first of them reads for the
others too. What was read for another one is for its next look alone, and is not used if a Trial of that
job has left the watch meanwhile. That a job is expected is only a hint: one that nobody expects, or that a
list which failed was to read too, reads its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from winnow_operator.domain.ledger import Ledger
from winnow_operator.kube.gateway import Gateway
from winnow_operator.manifests.objects import Owner
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.trialbook import read_ledgers

MOST_JOBS = 64
"""That one list reads: its selector stays short, and who reads for others has an end."""
MOST_TRIALS = 5000
"""The same as trials, as far as the jobs' statuses tell; a job that has more by itself is read alone."""


@dataclass(frozen=True, slots=True)
class Expected:
    """An open job that has not been looked at."""

    uid: str
    trials: int


@dataclass(slots=True)
class Reading:
    """One list under way."""

    uids: dict[Key, str]
    """Jobs whose Trials it reads, without those whose Trials have changed meanwhile."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class FirstLedgers:
    """The ledgers of the jobs of one kind until their first look."""

    gateway: Gateway
    _expected: dict[str, dict[Key, Expected]] = field(default_factory=dict)
    """By namespace."""
    _readings: dict[Key, Reading] = field(default_factory=dict)
    _read: dict[Key, tuple[str, Ledger]] = field(default_factory=dict)
    """With the uid of the job that each is of."""

    def expect(self, key: Key, uid: str, trials: int) -> None:
        """A job will be looked at soon, and has about so many Trials."""
        self._expected.setdefault(key.namespace, {})[key] = Expected(uid, trials)

    def drop(self, key: Key) -> None:
        """Do not use what was read, or is being read, of a job before this moment."""
        self._forget_expected(key)
        self._read.pop(key, None)
        reading = self._readings.pop(key, None)
        if reading is not None:
            del reading.uids[key]

    async def read(self, owner: Owner) -> Ledger:
        """All Trials of a job; those of a deleted namesake never count.

        Raises:
            KubernetesError: if they cannot be listed.
        """
        key = Key(owner.namespace, owner.name, owner.kind)
        while True:
            uid, ledger = self._read.pop(key, ("", Ledger()))
            if uid == owner.uid:
                return ledger
            reading = self._readings.get(key)
            if reading is None:
                await self._read_with_others(key, owner.uid)
            else:
                await reading.ended.wait()

    async def _read_with_others(self, key: Key, uid: str) -> None:
        reading = Reading({key: uid, **self._others(key)})
        self._readings |= dict.fromkeys(reading.uids, reading)
        uids = {asked.name: uid for asked, uid in reading.uids.items()}
        try:
            found = await read_ledgers(self.gateway, key.namespace, key.kind, uids)
            self._read |= {k: (uid, found[k.name]) for k, uid in reading.uids.items()}
        finally:
            for asked in reading.uids:
                del self._readings[asked]
            reading.ended.set()

    def _others(self, key: Key) -> dict[Key, str]:
        """Jobs that are read with this one, with their uids; they are expected no more."""
        own = self._forget_expected(key)
        room, chosen = MOST_TRIALS - own.trials, dict[Key, str]()
        for other, expected in self._expected.get(key.namespace, {}).items():
            if len(chosen) + 1 < MOST_JOBS and expected.trials <= room:
                chosen[other] = expected.uid
                room -= expected.trials
        for other in chosen:
            self._forget_expected(other)
        return chosen

    def _forget_expected(self, key: Key) -> Expected:
        """A job is expected no more; gives what was known of it."""
        jobs = self._expected.get(key.namespace, {})
        found = jobs.pop(key, Expected("", 0))
        if not jobs:
            self._expected.pop(key.namespace, None)
        return found
