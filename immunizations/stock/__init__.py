"""Lots of vaccine and what became of each dose of them: received, used, wasted, expired, counted, moved, recalled."""
