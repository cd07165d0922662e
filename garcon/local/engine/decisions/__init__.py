"""What deciders decide: one file for each group of decisions, and a table of all."""
