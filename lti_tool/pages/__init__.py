"""The pages, one blueprint for each audience."""
