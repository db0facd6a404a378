"""The figures of a miniature: which pages it is shown, how its readings are scored, what the card says."""
