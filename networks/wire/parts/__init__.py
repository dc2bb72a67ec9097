"""The second level of ISO 8583: one codec for each layout of spec.py."""
