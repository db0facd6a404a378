"""The recipe of the miniature: generated pages, a model trained on them from scratch, and its export."""
