"""The program: command line, settings, demo; the only folder that may import all others."""
