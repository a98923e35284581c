"""What a data-protection officer reads before a university joins: one text each, for page, Markdown and HTML."""
