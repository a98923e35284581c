"""Tables, queries, migrations: the only place that speaks SQL."""
