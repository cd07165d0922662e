"""Settings of one supervisor: their types, defaults, units and reasons."""
