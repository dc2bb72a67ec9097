"""The operations API: what an operator asks of ledger and gateway, over HTTP.

A module for each resource. It runs in a process of its own (`cardrail ops`): the hot path shares
no event loop with it. Money is only changed by the ledger's own verbs.
"""
