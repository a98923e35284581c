"""Acts: the worker and its jobs."""
