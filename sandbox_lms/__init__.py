"""Pretend universities for the demo and the tests; never imported by the product."""
