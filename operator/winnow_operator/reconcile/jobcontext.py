"""What every part of a reconcile is given: one job as it was read, and the means to act.

The parts are modules of their own, each a few functions over this context, the same for all kinds
of jobs: `observing` looks, `recording` writes outcomes, `starting` makes batches, `explaining`
says what cannot start, `finishing` stops what runs. In what the kinds differ when batches are made
and read is here as methods; `searching` and `building` have them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from winnow_contract.assignments import TrialAssignment
from winnow_operator.clock import Clock
from winnow_operator.domain.batches import BatchFact
from winnow_operator.domain.compressions.measuring import MeasurementFact
from winnow_operator.domain.jobs import Job
from winnow_operator.domain.kinds import Kind
from winnow_operator.domain.ledger import TrialRecord
from winnow_operator.domain.pods import Blockage, PodFact
from winnow_operator.domain.searches.outcomes import TrialContext
from winnow_operator.domain.searches.planning import Reading
from winnow_operator.kube.gateway import Gateway
from winnow_operator.kube.recorder import Recorder
from winnow_operator.manifests.claims import DEFAULT_CLAIM
from winnow_operator.manifests.jobs import PodSettings
from winnow_operator.manifests.objects import Owner
from winnow_operator.metrics.objects import ObjectSeries
from winnow_operator.reconcile.jobstate import JobState
from winnow_operator.reconcile.podbook import PodBook
from winnow_operator.reconcile.queue import Key
from winnow_operator.reconcile.waiting import Waiting
from winnow_operator.settings import Settings


@dataclass(frozen=True, slots=True)
class Tools:
    """What the parts work with; the same for all jobs."""

    gateway: Gateway
    recorder: Recorder
    pods: PodBook
    settings: Settings
    clock: Clock
    waiting: Waiting = field(default_factory=Waiting)
    shown: ObjectSeries = field(default_factory=ObjectSeries)


@dataclass(frozen=True, slots=True)
class Context:
    """One object of any kind in one reconcile."""

    tools: Tools
    body: dict[str, Any]
    """The object as the API server holds it."""
    owner: Owner
    """The same as what owns all that is made for it."""

    @property
    def gateway(self) -> Gateway:
        """The way to the API server."""
        return self.tools.gateway

    @property
    def key(self) -> Key:
        """Namespace, name and kind."""
        return Key(self.owner.namespace, self.owner.name, self.owner.kind)


@dataclass(frozen=True, slots=True)
class JobContext(Context, ABC):
    """One open job in one reconcile."""

    job: Job
    state: JobState

    @property
    def artifacts_uri(self) -> str:
        """The folder of this job's artifacts; the uid keeps those of namesakes apart."""
        storage = self.job.spec.storage
        default = self.tools.settings.storage_uri or f"pvc://{DEFAULT_CLAIM}"
        root = storage.uri if storage else default
        folder = f"{self.owner.name}-{self.owner.uid[:8]}"
        return f"{root.rstrip('/')}/{self.owner.namespace}/{self.owner.kind.word}/{folder}"

    @property
    @abstractmethod
    def trials_per_pod(self) -> int:
        """How many trials one pod runs one after the other."""

    @property
    @abstractmethod
    def packing_field(self) -> str:
        """The field of the spec that says how many."""

    def pods_per_trial(self, records: Sequence[TrialRecord]) -> int:  # noqa: ARG002 -- one of a search asks
        """Over how many pods each trial of a batch is spread."""
        return 1

    @property
    @abstractmethod
    def fills_slots(self) -> bool:
        """Whether a batch is as small as the free slots, because later trials depend on results."""

    @property
    @abstractmethod
    def makes_in_order(self) -> bool:
        """Whether Trials are made one after the other, because each depends on those before it."""

    @property
    @abstractmethod
    def pod_fields(self) -> str:
        """The fields of the spec that a refused pod comes from."""

    @property
    @abstractmethod
    def trial_context(self) -> TrialContext:
        """What is the same for all trials when outcomes are read."""

    @abstractmethod
    async def new_records(self, wanted: int) -> list[TrialRecord]:
        """The next trials, at most so many; fewer if there are no more."""

    @abstractmethod
    def assignments_of(self, records: Sequence[TrialRecord]) -> str:
        """The assignment file of a batch."""

    @abstractmethod
    def record_of(self, trial: TrialAssignment) -> TrialRecord:
        """A trial as its assignment file has it.

        Raises:
            KeyError: if the file has it in a way that the operator does not write.
        """

    @abstractmethod
    def pod_settings(self, image: str) -> PodSettings:
        """What is the same for all pods of the job's batches."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one look at a job has found, and where it stands after acting."""

    batches: tuple[BatchFact, ...] = ()
    measurements: tuple[MeasurementFact, ...] = ()
    pods: tuple[PodFact, ...] = ()
    reading: Reading = field(default_factory=Reading)
    started: str | None = None
    """When the first batch was made."""
    active_pods: int = 0
    blockage: Blockage | None = None
    degraded: Blockage | None = None
    image: str | None = None
    template_hash: str | None = None
    look_again: float | None = None
    """Seconds after which to look again although no event came."""


def owner_of(body: dict[str, Any], kind: Kind) -> Owner:
    """The job as an owner of what is made for it."""
    metadata = body["metadata"]
    return Owner(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        labels=metadata.get("labels") or {},
        kind=kind,
    )


def is_owned(body: Mapping[str, Any], uid: str) -> bool:
    """Whether an object was made for the job with this uid, not for a namesake before it."""
    owners = body["metadata"].get("ownerReferences") or ()
    return any(owner.get("uid") == uid for owner in owners)
