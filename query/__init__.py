"""From rows to people. Reads only."""
