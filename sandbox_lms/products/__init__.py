"""The LMSs that a pretend university may run. How the services of each behave is in a module of its own."""
