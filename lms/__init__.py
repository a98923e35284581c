"""Speaks: the only package with outgoing HTTP."""
