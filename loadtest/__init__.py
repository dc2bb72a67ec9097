"""Load tests: locust users over one link, and an open-loop driver for rates beyond them."""
