"""Taking stored items away: as tables, as JSON Lines, as citations."""
