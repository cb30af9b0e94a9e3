"""Autoregressive baselines: a causal LM that writes the fixed region anew, or a diff of its lines."""
