"""Tables, sessions, migrations and the one write transaction. Everything that iprwatch keeps goes through here."""
