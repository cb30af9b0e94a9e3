"""A training's result, or what one would use, as one JSON object for programs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from editflow_trainer.evaluation.statistics import Rate
from editflow_trainer.personal.options import Target
from editflow_trainer.personal.plan import Plan
from editflow_trainer.personal.result import Material, Result
from editflow_trainer.personal.scores import Scores


def result_as_json(result: Result, report: Path) -> dict[str, Any]:
    """Plain values; shares are given as hits and cases, with the ends of their 95 % intervals."""
    adapter, cost, current = result.adapter, result.cost, result.current
    return {
        "repository": target_as_json(result.target),
        "installed": result.decision.install,
        "reason": result.decision.reason,
        "adapter": None if adapter is None else adapter.name,
        "folder": None if adapter is None else str(adapter.folder),
        "report": str(report),
        "method": str(result.method),
        "material": material_as_json(result.material),
        "before": _scores(result.before),
        "after": _scores(result.after),
        "in_use": None if current is None else _scores(current),
        "seconds": {name: round(seconds, 2) for name, seconds in cost.seconds.items()},
        "steps": cost.steps,
        "memory_mb": round(cost.memory_mb, 1),
        "device": cost.device,
        "threads": cost.threads,
    }


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """Plain values."""
    return {
        "repository": target_as_json(plan.target),
        "material": material_as_json(plan.material),
        "dates": dict(plan.dates),
        "model": plan.model,
        "method": str(plan.method),
        "device": plan.device,
        "budget": plan.seconds,
        "place": str(plan.place),
    }


def material_as_json(material: Material) -> dict[str, Any]:
    """Plain values, with all that mining counted."""
    return {**asdict(material), "entry": material.entry.as_json()}


def target_as_json(target: Target) -> dict[str, str]:
    """Plain values."""
    return asdict(target) | {"folder": str(target.folder)}


def _scores(scores: Scores) -> dict[str, Any]:
    rates = {
        "held_out": scores.exact,
        "first_guess": scores.guessed,
        "proposed": scores.proposed,
        "clean": scores.untouched,
        "told": scores.unmoved,
        "slips": scores.repaired,
    }
    return {"model": scores.model} | {name: _rate(rate) for name, rate in rates.items()}


def _rate(rate: Rate) -> dict[str, float]:
    low, high = rate.interval
    return {"hits": rate.hits, "cases": rate.cases, "low": round(low, 4), "high": round(high, 4)}
