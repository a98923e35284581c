"""What is announced to students when a session was moved or cancelled, in their university's language."""
