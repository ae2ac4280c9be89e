"""The operator site and the look of the admin."""
