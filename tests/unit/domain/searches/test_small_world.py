"""A small world: the operator's decisions against a Job controller, with all that may go wrong.

Whatever ends how and in whatever order it is seen, no trial is lost, run twice at one time or
settled twice, and no more pods work than the budget allows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.facts import CONTEXT, batch_of, message_of, pod_of, succeeded
from winnow_operator.domain.batches import BatchFact
from winnow_operator.domain.pods import PodFact, Termination
from winnow_operator.domain.searches.planning import (
    lingering_pods,
    lost_indexes,
    read_results,
    spent_batches,
    spread_slots,
    surplus_pods,
)


@dataclass
class _Job:
    fact: BatchFact
    retries: int
    failures: dict[int, int] = field(default_factory=dict)
    uncounted: list[tuple[PodFact, str]] = field(default_factory=list)


@dataclass
class _World:
    """Jobs and pods that behave as the Job controller makes them, and an operator that looks."""

    trials: int
    per_pod: int
    retries: int
    limit: int
    jobs: list[_Job] = field(default_factory=list)
    pods: list[PodFact] = field(default_factory=list)
    book: dict[str, PodFact] = field(default_factory=dict)
    active: set[int] = field(default_factory=set)
    settled: dict[int, str] = field(default_factory=dict)
    made: int = 0

    def facts(self) -> list[BatchFact]:
        return [job.fact for job in self.jobs]

    def running(self) -> list[PodFact]:
        return [pod for pod in self.pods if not pod.is_terminal]

    # -- the cluster

    def start_pods(self) -> None:
        for job in self.jobs:
            fact = job.fact
            busy = {p.index for p in self.running() if p.batch_uid == fact.uid}
            busy |= {pod.index for pod, _ in job.uncounted}
            wanted = [i for i in fact.open_indexes() if i not in busy] if fact.is_live else []
            room = fact.parallelism - len(busy)
            for index in wanted[: max(0, room)]:
                self.pods.append(pod_of(fact, index, attempt=job.failures.get(index, 0) + 1))

    def end_pod(self, pick: int, kind: str) -> None:
        pods = self.running()
        if not pods:
            return
        pod = pods[pick % len(pods)]
        if pod.is_done:
            kind = "fine"  # its containers have ended so
        job = next(j for j in self.jobs if j.fact.uid == pod.batch_uid)
        ended = _ENDINGS[kind](pod, job.fact.trials_of(pod.index))
        self.pods[self.pods.index(pod)] = ended
        job.uncounted.append((ended, kind))

    def be_done(self, pick: int) -> None:
        """The containers of a pod end well, and the pod itself has yet to."""
        pods = self.running()
        if not pods:
            return
        pod = pods[pick % len(pods)]
        job = next(j for j in self.jobs if j.fact.uid == pod.batch_uid)
        ended = _ENDINGS["fine"](pod, job.fact.trials_of(pod.index))
        self.pods[self.pods.index(pod)] = replace(ended, phase=pod.phase)

    def count(self) -> None:
        """The Job controller counts what ended, later than the watch brings it."""
        for job in self.jobs:
            for pod, kind in job.uncounted:
                job.fact = self._counted(job, pod, kind)
            job.uncounted = []

    def _counted(self, job: _Job, pod: PodFact, kind: str) -> BatchFact:
        fact, index = job.fact, pod.index
        if kind == "fine":
            return _finish(replace(fact, completed=fact.completed | {index}))
        job.failures[index] = job.failures.get(index, 0) + 1
        if kind == "disrupted":
            return fact
        is_final = kind in {"sigterm", "bad-data"} or job.failures[index] > job.retries
        return _finish(replace(fact, failed=fact.failed | {index})) if is_final else fact

    # -- the operator

    def deliver(self, pick: int) -> None:
        fresh = [p for p in self.pods if self.book.get(p.uid) != p]
        for pod in fresh[: pick % (len(fresh) + 1)]:
            self.book[pod.uid] = pod

    def look(self) -> None:
        batches, active = self.facts(), frozenset(self.active)
        if lost_indexes(batches, self.book.values(), active):
            self.book = {pod.uid: pod for pod in self.pods}
        pods = list(self.book.values())
        reading = read_results(pods, batches, active, CONTEXT)
        for settlement in reading.settlements:
            assert settlement.number not in self.settled
            self.settled[settlement.number] = settlement.status.cause or "fine"
            self.active.remove(settlement.number)
        open_trials = frozenset(self.active)
        for batch in spent_batches(pods, batches, open_trials):
            self._delete(batch)
        for pod in surplus_pods(pods, batches, open_trials):
            self._remove(pod)
        lingering = lingering_pods(pods, batches, open_trials)
        slots = spread_slots(
            self.facts(), open_trials - reading.released, limit=self.limit, lingering=lingering
        )
        for job in self.jobs:
            change = slots.parallelism.get(job.fact.name)
            if change is not None:
                job.fact = replace(job.fact, parallelism=change)
        self._fill(slots.free, sorted({*slots.unassigned, *reading.released}))
        self._scale_down()

    def _fill(self, free: int, again: list[int]) -> None:
        new = range(len(self.active) + len(self.settled) + 1, self.trials + 1)
        numbers = (again or list(new))[: free * self.per_pod]
        if numbers:
            self.made += 1
            self.active |= set(numbers)
            batch = batch_of(
                self.made,
                numbers,
                trials_per_pod=self.per_pod,
                parallelism=min(free, -(-len(numbers) // self.per_pod)),
            )
            self.jobs.append(_Job(batch, self.retries))

    def _scale_down(self) -> None:
        for job in self.jobs:
            own = [p for p in self.running() if p.batch_uid == job.fact.uid]
            for pod in own[job.fact.parallelism :]:
                self._remove(pod)

    def _delete(self, batch: BatchFact) -> None:
        self.jobs = [job for job in self.jobs if job.fact.uid != batch.uid]
        self.pods = [pod for pod in self.pods if pod.batch_uid != batch.uid]
        self.book = {uid: pod for uid, pod in self.book.items() if pod.batch_uid != batch.uid}

    def _remove(self, pod: PodFact) -> None:
        self.pods = [p for p in self.pods if p.uid != pod.uid]
        self.book.pop(pod.uid, None)

    def check(self) -> None:
        facts = [fact for fact in self.facts() if fact.is_live]
        for number in self.active:
            owners = [f.name for f in facts for i in f.open_indexes() if number in f.trials_of(i)]
            assert len(owners) <= 1, f"trial {number} runs in {owners}"
        at_work = [
            p
            for p in self.running()
            for job in self.jobs
            if job.fact.uid == p.batch_uid
            and (p.is_done or self.active & {*job.fact.trials_of(p.index)})
        ]
        assert len(at_work) <= self.limit


def _finish(fact: BatchFact) -> BatchFact:
    return replace(fact, finished=not fact.open_indexes())


def _with(
    code: int, said: Callable[[tuple[int, ...]], str], **changes: object
) -> Callable[[PodFact, tuple[int, ...]], PodFact]:
    def end(pod: PodFact, trials: tuple[int, ...]) -> PodFact:
        termination = Termination(code, str(changes.get("why", "Error")), said(trials))
        facts = {k: v for k, v in changes.items() if k != "why"}
        phase = "Succeeded" if code == 0 else "Failed"
        return replace(pod, phase=phase, termination=termination, containers_ended=True, **facts)  # type: ignore[arg-type]

    return end


def _nothing(_: tuple[int, ...]) -> str:
    return ""


_ENDINGS: dict[str, Callable[[PodFact, tuple[int, ...]], PodFact]] = {
    "fine": _with(0, lambda trials: message_of(*map(succeeded, trials))),
    "partly": _with(1, lambda trials: message_of(*map(succeeded, trials[:1]))),
    "crash": _with(1, _nothing),
    "memory": _with(137, _nothing, why="OOMKilled"),
    "late": _with(137, _nothing, reason="DeadlineExceeded"),
    "sigterm": _with(3, lambda trials: message_of(*map(succeeded, trials[:1]))),
    "bad-data": _with(65, _nothing),
    "disrupted": _with(143, _nothing, disrupted=True),
    "rejected": lambda pod, _: replace(pod, phase="Failed", reason="OutOfcpu"),
}
_moves = st.lists(
    st.tuples(
        st.sampled_from(
            ("end", "end", "end", "done", "deliver", "deliver", "count", "look", "look", "limit")
        ),
        st.integers(0, 20),
        st.sampled_from(tuple(_ENDINGS)),
    ),
    max_size=40,
)


@settings(max_examples=examples(1.2))
@given(_moves, st.integers(1, 3), st.integers(0, 2), st.integers(1, 4))
def test_no_trial_is_lost_doubled_or_settled_twice(
    moves: list[tuple[str, int, str]], per_pod: int, retries: int, limit: int
) -> None:
    world = _World(trials=9, per_pod=per_pod, retries=retries, limit=limit)
    for move, pick, kind in moves:
        match move:
            case "end":
                world.end_pod(pick, kind)
            case "done":
                world.be_done(pick)
            case "deliver":
                world.deliver(pick)
            case "count":
                world.count()
            case "limit":
                world.limit = 1 + pick % 4
                world.look()
            case _:
                world.look()
        world.start_pods()
        world.check()
    for _ in range(60):  # from here on all goes well
        if len(world.settled) == world.trials:
            break
        world.look()
        world.count()
        world.start_pods()
        world.check()
        world.end_pod(0, "fine")
        world.book = {pod.uid: pod for pod in world.pods}
    assert sorted(world.settled) == list(range(1, 10))


def test_no_pod_is_started_beside_one_that_is_done_and_has_not_ended() -> None:
    world = _World(trials=2, per_pod=1, retries=0, limit=1)
    world.look()
    world.start_pods()
    world.be_done(0)
    world.deliver(1)
    world.look()
    world.start_pods()

    world.check()
    assert sorted(world.settled) == [1]
    assert len(world.jobs) == 1
