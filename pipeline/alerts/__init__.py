"""From a stored notice to a person who was told: rules, the outbox, channels."""
