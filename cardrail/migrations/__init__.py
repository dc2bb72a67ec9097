"""The tables' history: one revision after another, each frozen once it has been released."""
