"""Pages for the person on call: is it healthy, how busy is it, and why."""
