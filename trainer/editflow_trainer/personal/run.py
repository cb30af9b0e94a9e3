"""One training from the history to an installed adapter, or to the reason why there is none."""

from __future__ import annotations

import resource
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor

from editflow.adapters.adapter import REPORT, Adapter, AdapterError, write_adapter
from editflow.adapters.private import make_private, saying
from editflow.adapters.store import AdapterStore
from editflow.checkpoint import Checkpoint
from editflow.device import choose_device
from editflow.document import shown
from editflow.engine import Engine
from editflow.errors import EditFlowError
from editflow_trainer.personal.card import card
from editflow_trainer.personal.cases import Cases
from editflow_trainer.personal.feedback import feedback_for
from editflow_trainer.personal.fit import Fitting, base_tensors, chosen_method, fit
from editflow_trainer.personal.gate import decide
from editflow_trainer.personal.listener import Listener
from editflow_trainer.personal.material import Gathered, gather, mine
from editflow_trainer.personal.options import Options, Target
from editflow_trainer.personal.prepare import prepare
from editflow_trainer.personal.probe import Probe, with_tensors
from editflow_trainer.personal.result import Cost, Result, material_of
from editflow_trainer.personal.scores import Scores, score
from editflow_trainer.personal.settle import Allowed, settle
from editflow_trainer.personal.workspace import Workspace, claimed
from editflow_trainer.training.machine import Machine
from editflow_trainer.training.state import newest_step

TRAINED_SHARE = 0.3
"""Of the budget at least, whatever mining and measuring take."""
MEASURED = 2.5
"""Times that measuring the base takes, in which the adapter is settled and measured."""
Write = Callable[[Result, Gathered, Engine, Engine, Workspace], None]
"""Writes the report to the workspace: given the base's engine, and the adapter's."""


@dataclass
class Training:
    """A training of one repository; `run` goes through its stages."""

    target: Target
    options: Options
    listener: Listener
    write_report: Write
    store: AdapterStore = field(default_factory=AdapterStore)
    output: Path | None = None
    """Folder that the adapter is written to instead of being installed."""
    _seconds: dict[str, float] = field(default_factory=dict)
    _started: float = field(default_factory=time.monotonic)

    def run(self, *, resume: bool = False) -> Result:
        """Train, prove, decide, install.

        Raises:
            InterruptedTrainingError: the person stopped it; `resume` goes on.
            EditFlowError: it cannot be done; nothing was installed.
        """
        base = _base(self.options.model)
        self._check_destination()
        with claimed(self.target.root) as space, _saying_what_failed(space.folder):
            space.begin(self.target, base, self.options, resume=resume)
            device = choose_device(self.options.device)
            self._set_threads()
            gathered = self._gather(space, base)
            engine = Engine(base, device)
            before, allowed = self._measure(space, engine, gathered)
            tensors, steps = self._fit(space, base, engine, gathered, before)
            settled = self._settled(engine, tensors, gathered.tuning, allowed)
            result = self._prove(space, base, engine, settled, tensors, gathered, before, steps)
            result = self._deliver(space, base, result)
            space.end(self.target.head)
        return result

    def _check_destination(self) -> None:
        """EditFlowError where the adapter could not be put in the end."""
        if self.output is None:
            with saying(f"{shown(self.store.folder)} cannot be written"):
                make_private(self.store.folder)
        elif self.output.exists():
            raise EditFlowError(f"{shown(self.output)} is there already: name a new folder")

    def _set_threads(self) -> None:
        if self.options.threads:
            torch.set_num_threads(self.options.threads)

    def _gather(self, space: Workspace, base: Checkpoint) -> Gathered:
        target, options = self.target, self.options
        with self._stage("mining the history"):
            entry, split = mine(target, space.mined, options.mining(), self.listener.say)
        with self._stage("reading the code"):
            gathered = gather(
                target, entry, split, feedback_for(target, options, split), base.tokenizer(), options.seed
            )
        with self._stage("preparing lessons"):
            if not space.shards.exists():
                prepare(gathered.lessons, base, space.shards, max(1, torch.get_num_threads()), options.seed)
        return gathered

    def _measure(self, space: Workspace, engine: Engine, gathered: Gathered) -> tuple[Scores, Allowed]:
        """The base's scores, and how many right functions it touches among the tuning ones."""
        with self._stage("measuring the default"):
            kept = space.read("before")
            if kept is None:
                before = score(engine, engine.name, gathered.held_out)
                tuning = score(engine, engine.name, _right_of(gathered.tuning))
                kept = {"scores": before.as_json(), "allowed": [sum(tuning.clean), sum(tuning.told)]}
                space.keep("before", kept)
        return Scores.of_json(kept["scores"]), Allowed(*kept["allowed"])

    def _fit(
        self, space: Workspace, base: Checkpoint, engine: Engine, gathered: Gathered, before: Scores
    ) -> tuple[dict[str, Tensor], int]:
        machine = Machine(engine.device.type, torch.get_num_threads())
        fitting = Fitting(
            base,
            space.shards,
            space.run,
            machine,
            self.options.method,
            self.options.rank,
            self.options.seed,
            gathered.conventional,
        )
        budget = self._budget(space, engine.device.type, before)
        watch = Probe(self.listener, budget, engine, base_tensors(base), gathered.tuning)
        with self._stage("training"):
            tensors = fit(fitting, budget, watch)
        return tensors, newest_step(space.run)

    def _budget(self, space: Workspace, device: str, before: Scores) -> float:
        """Seconds to train, of earlier calls too: what measuring will leave of the whole, but never too little."""
        kept = space.read("budget")
        if kept is None:
            total = self.options.seconds(device)
            spent = time.monotonic() - self._started
            kept = max(TRAINED_SHARE * total, total - spent - MEASURED * before.seconds)
            space.keep("budget", kept)
        return float(kept)

    def _settled(
        self, engine: Engine, tensors: Mapping[str, Tensor], tuning: Cases, allowed: Allowed
    ) -> Engine:
        with self._stage("settling thresholds"):
            twin = with_tensors(engine, tensors)
            settle(twin, tuning, allowed)
        return twin

    def _prove(
        self,
        space: Workspace,
        base: Checkpoint,
        engine: Engine,
        settled: Engine,
        tensors: Mapping[str, Tensor],
        gathered: Gathered,
        before: Scores,
        steps: int,
    ) -> Result:
        """Measure the adapter as it would be installed, and decide."""
        staged = self._stage_adapter(space, base, settled, tensors, {}, "not measured yet\n")
        trained = engine.adapted(staged)
        with self._stage("measuring the adapter"):
            after = score(trained, trained.name, gathered.held_out)
            current = self._current(engine, gathered, base)
        result = Result(
            self.target,
            material_of(gathered),
            chosen_method(self.options.method, base.backbone_config()),
            before,
            after,
            current,
            decide(before, after, current),
            self._cost(engine, steps),
        )
        self._stage_adapter(space, base, settled, tensors, result.facts(), card(result))
        with self._stage("writing the report"):
            self.write_report(result, gathered, engine, trained, space)
        return result

    def _stage_adapter(
        self,
        space: Workspace,
        base: Checkpoint,
        settled: Engine,
        tensors: Mapping[str, Tensor],
        facts: Mapping[str, object],
        text: str,
    ) -> Adapter:
        return write_adapter(
            space.staged,
            repository_name=self.target.short,
            repository=self.target.root,
            base=base,
            tensors=tensors,
            thresholds=settled.thresholds,
            calibration=settled.calibration,
            facts=facts,
            card=text,
        )

    def _current(self, engine: Engine, gathered: Gathered, base: Checkpoint) -> Scores | None:
        """Of the adapter in use, where there is one of this base."""
        try:
            adapter = self.store.find(self.target.folder)
        except EditFlowError as error:
            self.listener.say(f"the adapter in use is left out of the comparison: {error}")
            return None
        if adapter is None or adapter.base != base.fingerprint:
            return None
        used = engine.adapted(adapter)
        return score(used, used.name, gathered.held_out)

    def _deliver(self, space: Workspace, base: Checkpoint, result: Result) -> Result:
        """Install the adapter, or write it where it was asked for, if it is better."""
        shutil.copyfile(space.report, space.staged / REPORT)
        if not result.decision.install:
            return result
        if _base(self.options.model).fingerprint != base.fingerprint:
            raise AdapterError(
                "the base checkpoint changed while it was trained on: run editflow train again"
            )
        if self.output is not None:
            return replace(result, adapter=_written(space.staged, self.output))
        self.store.remember(self.target.folder, self.target.root)
        return replace(result, adapter=self.store.install(space.staged))

    def _cost(self, engine: Engine, steps: int) -> Cost:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        if engine.device.type == "cuda":
            peak = torch.cuda.max_memory_allocated() / 2**20
        return Cost(dict(self._seconds), steps, peak, str(engine.device), torch.get_num_threads())

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self.listener.stage(name)
        start = time.monotonic()
        yield
        self._seconds[name] = time.monotonic() - start


def _written(staged: Path, folder: Path) -> Adapter:
    """A copy of an adapter in a new folder, whole or not at all."""
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        shutil.copytree(staged, partial)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Adapter.read(folder)


@contextmanager
def _saying_what_failed(folder: Path) -> Iterator[None]:
    """A disk that is full or broken, in one line; torch says of one only that its archive has another length."""
    what = f"{shown(folder)} cannot be written"
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EditFlowError(f"{what} ({reason}): once it can be, --resume goes on") from error
    except RuntimeError as error:
        if "inline_container" not in str(error):
            raise
        raise EditFlowError(f"{what} (the disk may be full): with room again --resume goes on") from error


def _base(model: str) -> Checkpoint:
    base = Checkpoint.open(model)
    if base.in_continuous_time:
        raise EditFlowError(
            f"{base.name} was trained for continuous time, which adapters are not: choose another"
        )
    return base


def _right_of(cases: Cases) -> Cases:
    return replace(cases, edits=(), slips=())
