"""Calibration on functions that were not trained on: when operations fire, and what a confidence means.

Half of the samples choose the firing threshold of each operation and fit the maps from raw probabilities to
confidences; the other half says how well that went (a reliability diagram, exact repairs, clean functions touched).
"""

from editflow_trainer.calibration.reliability import Outcome, Reliability
from editflow_trainer.calibration.samples import Sample, samples
from editflow_trainer.calibration.settle import Settled, calibrate, outcomes

__all__ = ["Outcome", "Reliability", "Sample", "Settled", "calibrate", "outcomes", "samples"]
