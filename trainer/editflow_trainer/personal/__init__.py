"""Learning one repository: its history mined, an adapter trained on it, proven, and installed."""
