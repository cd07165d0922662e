"""The pages of ``docs``: read, followed step by step, and compared with the code."""
