"""The crash test: load, SIGKILL, restart, and the client's record against the ledger."""
