"""LTI 1.3 as pure functions and values: no I/O, no clock, no framework."""
