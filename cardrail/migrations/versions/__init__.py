"""One module for each revision, in order: `rNNNN_what_it_does.py` has revision NNNN."""
