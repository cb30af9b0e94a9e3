"""One training run: its configuration, its loop on Accelerate, checkpoints, evaluations and reports."""
