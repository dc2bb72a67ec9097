"""Canonical requests as a network would send them, varied by keyword."""

from __future__ import annotations

from gateway.policy import Policy

AT = 1_795_312_245_000_000  # 2026-11-22 01:50:45 UTC, 10:50:45 in Japan
POLICY = Policy()
TRANSACTION_ID = "386326054321098"
