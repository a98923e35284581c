"""Settings, clock and logging: what every program reads once at its start."""
