"""People, their roles, and the tokens of machines."""
