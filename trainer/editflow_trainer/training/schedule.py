"""Learning-rate schedules: the share of the peak rate at a progress in [0, 1], steps and wall-clock time alike."""

from __future__ import annotations

from math import cos, pi


def trapezoid(progress: float, warmup: float, cooldown: float) -> float:
    """Linear rise, plateau, linear fall to 0 (warm-up, stable, decay: MiniCPM, arXiv 2404.06395)."""
    rise, fall = progress / max(warmup, 1e-9), (1 - progress) / max(cooldown, 1e-9)
    return max(0.0, min(1.0, rise, fall))


def cosine(progress: float, warmup: float, cooldown: float) -> float:
    """Linear rise, then half a cosine down to 0 (SGDR, arXiv 1608.03983); `cooldown` has no meaning here."""
    if progress < warmup:
        return progress / warmup
    return 0.5 * (1 + cos(pi * min(1.0, (progress - warmup) / (1 - warmup))))


SCHEDULES = {"trapezoid": trapezoid, "cosine": cosine}
