"""The author's part of a flow: attributes, checked arguments, the context that task lists read."""
