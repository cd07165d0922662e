"""Inputs and results, to SWF and back: JSON of bounded size and depth."""
