"""Typed bugs put into clean Python, with the exact inverse of each: where the training examples come from."""

from editflow_trainer.injection.bug import VISIBLE, Bug, BugKind, Injected
from editflow_trainer.injection.injector import Injector

__all__ = ["VISIBLE", "Bug", "BugKind", "Injected", "Injector"]
