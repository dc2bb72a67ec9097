"""Any authorization explained: what came, what was checked, where its money went, and why."""
