"""Knows: sessions, people, evidence, rule and completion, deliveries, pooling, who may do what."""
