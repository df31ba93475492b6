"""An honest verdict on every source, every day: what it rests on, and who is told."""
