"""Records the samples: real programs on loopback, a fixed date, a fault that the scenario switches on."""
