"""Evaluation of a miniature: the pages it reads, the scores of its readings, the tables of its model card."""
