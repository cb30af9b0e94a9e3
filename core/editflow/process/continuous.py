"""The Edit Flow as published: a continuous-time Markov chain with time-dependent rates (arXiv 2506.09018).

Training draws t, then z_t on the path from z0 to z1, and fits rates by the Bregman loss (editflow.process.bregman);
sampling moves a canvas from t = 0 to 1 by Euler steps (editflow.process.euler). It shares canvas, corruption and heads
with the time-free process (editflow.process.edit_flow): the same network can be read by both.

With reverse heads the flow also runs back, at rates whose conditional form is kappa' / kappa towards z0. By flux
equality, u_rev(x' | x) p_t(x) = u(x | x') p_t(x'), forward and reverse rates together leave p_t as it is: a corrector.
From clean code at t = 1 to t = 0 the reverse flow alone makes bugs.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import log

import torch
from torch import Tensor

from editflow.canvas import Canvas, Edits, Role, apply_edits
from editflow.errors import EditFlowError
from editflow.heads import Hidden
from editflow.process.base import AlignedBatch, Heads, TrainedHeads
from editflow.process.bregman import RateTerms, bregman
from editflow.process.choice import Sharpening, uniform
from editflow.process.corruption import Corrupted, draw_path, observe
from editflow.process.coupling import Aligned, Coupling, Empty, reversed_batch
from editflow.process.euler import Insertions, euler_step
from editflow.process.grid import Corrector, Move, moves, moves_back
from editflow.process.guidance import Guidance, GuidedJumps, unconditioned
from editflow.process.jumps import Deletions, Jumps, ModelJumps
from editflow.process.localized import LocalizedPath
from editflow.process.rates import PARAMETERISATIONS
from editflow.process.schedule import SCHEDULES

LATEST = 1 - 1e-3
"""Training draws t below this: w grows without bound."""
SLOWEST = 1e-9  # rates are told as logarithms: neither 0 nor infinite


@dataclass(frozen=True, slots=True)
class FlowConfig:
    """What a network was trained for; saved with its checkpoint. ValueError for names that do not exist."""

    schedule: str = "linear"
    parameterisation: str = "hazard"
    shows_origin: int = 1
    """1 tells the network which tokens the flow has written; 0 makes the state the tokens alone, as published."""
    propagation: float = 0.0
    """Rate at which edits spread in a hunk (editflow.process.localized); 0 is the plain path."""
    max_weight: float = 20.0
    """Training weighs no slot by more."""

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES or self.parameterisation not in PARAMETERISATIONS:
            raise ValueError(
                f"unknown schedule or parameterisation: {self.schedule}, {self.parameterisation}"
            )
        if self.propagation < 0 or self.max_weight <= 0:
            raise ValueError("propagation must be at least 0, max_weight above it")
        if self.propagation and self.parameterisation == "hazard":
            raise ValueError(
                "hazard bounds rates by w, which those of the localized path exceed: use softplus"
            )


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a flow is run."""

    steps: int = 64
    insertions: Insertions = Insertions.binomial
    sharpening: Sharpening = field(default_factory=Sharpening)
    guidance: Guidance = field(default_factory=Guidance)
    corrector: Corrector | None = None
    back: bool = False
    """From t = 1 to 0 instead: a target becomes a source, clean code gets bugs."""


@dataclass(frozen=True, slots=True)
class TimedState:
    """x_t with the operations pending towards both ends, and the t that it was drawn with: losses take no other."""

    forward: Corrupted
    backward: Corrupted | None
    time: Tensor  # [B]
    weight: Tensor  # [B, S], of the slots pending towards z1

    def to(self, device: torch.device) -> TimedState:
        """The same state on another device."""
        backward = None if self.backward is None else self.backward.to(device)
        return TimedState(self.forward.to(device), backward, self.time.to(device), self.weight.to(device))


class ContinuousEditFlow:
    """Edit Flow in continuous time; a `Process` (see editflow.process.base)."""

    settles = False  # a pass without edits says nothing about the next one

    def __init__(
        self,
        config: FlowConfig | None = None,
        sampling: Sampling | None = None,
        coupling: Coupling | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        """`generator` makes sampling's noise; by default one with seed 0."""
        self.config, self.sampling = config or FlowConfig(), sampling or Sampling()
        self.coupling = coupling or Aligned()
        self.schedule = SCHEDULES[self.config.schedule]
        self.rates_of = PARAMETERISATIONS[self.config.parameterisation]
        self.generator = generator or torch.Generator().manual_seed(0)
        how = self.sampling
        self.moves: tuple[Move, ...] = (
            moves_back(self.schedule, how.steps)
            if how.back
            else moves(self.schedule, how.steps, how.corrector)
        )

    @property
    def passes(self) -> int:
        """Passes that one run takes."""
        return len(self.moves)

    def prior(self, source: Canvas) -> Canvas:
        """The source itself, or what the coupling starts from."""
        return self.coupling.prior(source, self.generator)

    def corrupt(self, batch: AlignedBatch, time: Tensor, generator: torch.Generator) -> TimedState:
        """Draw z_t once at time [B] in [0, 1]; input, both sets of targets and the loss's weights come from it."""
        batch = self.coupling(batch, generator)
        time = time.clamp(max=LATEST)
        if self.config.propagation:
            path = LocalizedPath(self.schedule, self.config.propagation)
            zt, weight = path.draw(batch, time, generator)
        else:
            zt = draw_path(batch, self.schedule.kappa(time), generator)
            weight = self.schedule.weight(time).float()[:, None].expand(zt.shape)
        weight = weight.clamp(max=self.config.max_weight)
        forward = self._seen(observe(batch, zt))
        backward = None if self.config.propagation else self._seen(observe(reversed_batch(batch), zt))
        return TimedState(forward, backward, time.float(), weight)

    def loss(self, heads: TrainedHeads, state: TimedState) -> RateTerms:
        """The Bregman loss; with reverse heads that of the way back is added to the objective.

        ValueError for a network with reverse heads on the localized path, which is defined forwards only.
        """
        hidden = heads(state.forward.ids, state.forward.role, state.forward.live, state.time)
        log_weight = self._log_weight(state.time).clamp(max=log(self.config.max_weight))
        rates = self.rates_of(heads, hidden, log_weight)
        terms = bregman(heads, hidden, rates, state.forward, state.weight, log_weight)
        if heads.reverse is None:
            return terms
        if state.backward is None:
            raise ValueError("reverse heads cannot be trained on the localized path")
        log_weight = self._log_weight(state.time, back=True).clamp(max=log(self.config.max_weight))
        rates = self.rates_of(heads.reverse, hidden, log_weight)
        weight = log_weight.exp()[:, None].expand(state.weight.shape)
        back = bregman(heads.reverse, hidden, rates, state.backward, weight, log_weight)
        return replace(terms, total=terms.total + back.total)

    def step(self, heads: Heads, canvas: Canvas, passes_left: int) -> Edits:
        """The edits of one move; `passes_left` counts this one and says which it is."""
        move = self.moves[len(self.moves) - passes_left]
        jumps = self.jumps(heads, canvas, move.time, back=move.back)
        how = self.sampling
        return euler_step(jumps, canvas, move.length, self.generator, how.insertions, how.sharpening)

    def jumps(self, heads: Heads, canvas: Canvas, time: float, *, back: bool = False) -> Jumps:
        """Where the flow can go from a canvas at a time; EditFlowError where a network cannot say."""
        times = torch.full((len(canvas.ids),), time, device=canvas.ids.device)
        log_weight = self._log_weight(times, back=back)
        if back and isinstance(self.coupling, Empty):
            return Deletions(canvas, log_weight)
        answers = heads.reverse if back else heads
        if answers is None:
            raise EditFlowError(
                "this checkpoint was not trained for the way back: sample without a corrector"
            )
        role = self._role(canvas.role)

        def read(hidden: Hidden) -> ModelJumps:
            rates = self.rates_of(answers, hidden, log_weight).allowed(~canvas.frozen, canvas.editable_gaps)
            return ModelJumps(answers, hidden, canvas, rates, log_weight)

        given = read(heads(canvas.ids, role, canvas.live, times))
        if not self.sampling.guidance:
            return given
        return GuidedJumps(given, read(unconditioned(heads, canvas, role, times)), self.sampling.guidance)

    def suspicion(self, heads: Heads, canvas: Canvas) -> Tensor:
        """[B, L]: edits that the source still needs at the token and in the gap at its right, at most 1."""
        jumps = self.jumps(heads, canvas, 0.0)
        rates, scale = jumps.rates, jumps.log_weight[:, None]
        base = sum((rate - scale).exp() for rate in (rates.insert, rates.delete, rates.substitute))
        return torch.as_tensor(base).clamp(max=1)

    def renoise(self, canvas: Canvas, fraction: float, generator: torch.Generator) -> Canvas:
        """Without a random share of the editable tokens: they are to be inserted again."""
        u = uniform(canvas.ids.shape, generator, canvas.ids.device)
        nothing = torch.zeros_like(canvas.ids)
        one = torch.ones(canvas.ids.shape, device=canvas.ids.device)
        gone = (u < fraction) & ~canvas.frozen
        edits = Edits(gone, nothing - 1, nothing, nothing[..., None], one, one)
        return apply_edits(canvas, edits, canvas.ids.shape[1])

    def _log_weight(self, time: Tensor, *, back: bool = False) -> Tensor:
        """[B] float32: log of w(t), or of kappa' / kappa; finite."""
        weight = self.schedule.reverse_weight(time) if back else self.schedule.weight(time)
        return weight.clamp(SLOWEST, 1 / SLOWEST).log().float()

    def _role(self, role: Tensor) -> Tensor:
        """What the network is told about where tokens come from."""
        hidden = (role == Role.EDITED) & (self.config.shows_origin == 0)
        return torch.where(hidden, int(Role.ORIGINAL), role)

    def _seen(self, state: Corrupted) -> Corrupted:
        return replace(state, role=self._role(state.role))
