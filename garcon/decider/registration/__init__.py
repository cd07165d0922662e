"""Registration of a flow's domain and types with SWF."""
