"""Pretrained causal models as starting points: their trunks become the editor's, their softmax its token heads."""
