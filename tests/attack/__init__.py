"""What one viewer may learn of hidden numbers, tried with a linear programme."""
