"""Card networks: their common wire formats, and simulators that behave as they would."""
