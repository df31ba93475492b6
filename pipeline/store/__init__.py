"""Tables, sessions, migrations and the one write transaction. Everything that iprwatch keeps goes through here."""

# Whoever reads the metadata finds all tables in it.
from pipeline.store import alert_tables as alert_tables
from pipeline.store import api_tokens as api_tokens
from pipeline.store import health_tables as health_tables
from pipeline.store import host_tables as host_tables
from pipeline.store import saved_searches as saved_searches
from pipeline.store import story_tables as story_tables
