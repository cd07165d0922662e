"""The ``monitor`` sidecar: metrics, health and a page of the pool over HTTP (``--http``)."""
