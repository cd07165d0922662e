"""The sizes of the pools, their slots, and the workers that fill them. Pure."""
